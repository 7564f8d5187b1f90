// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace pingora {

/// An OCSP response that says "good" of a certificate for each `nextUpdate` given, "" for none
/// (RFC 6960 §4.2.1). Signed by nobody.
template <class... Times>
std::string ocsp_response(const Times&... next_updates) {
  auto tlv = [](char tag, std::string_view value) {
    std::string der{tag};
    if (value.size() >= 256) {
      der += {'\x82', static_cast<char>(value.size() >> 8)};
    } else if (value.size() >= 128) {
      der += '\x81';
    }
    return (der += static_cast<char>(value.size() & 0xff)) += value;
  };
  constexpr char kSequence = 0x30;
  constexpr char kTime = 0x18;
  constexpr auto kTagged0 = static_cast<char>(0xa0);
  constexpr auto kTagged2 = static_cast<char>(0xa2);
  constexpr std::string_view kNow = "20240101000000Z";
  std::string singles;
  for (std::string_view next : std::initializer_list<std::string_view>{next_updates...}) {
    std::string single = tlv(kSequence, "") + tlv(static_cast<char>(0x80), "") + tlv(kTime, kNow);
    if (!next.empty()) single += tlv(kTagged0, tlv(kTime, next));
    singles += tlv(kSequence, single);
  }
  std::string data = tlv(kTagged2, tlv(0x04, "key")) + tlv(kTime, kNow) + tlv(kSequence, singles);
  // id-pkix-ocsp-basic: 1.3.6.1.5.5.7.48.1.1.
  std::string type = tlv(0x06, "\x2b\x06\x01\x05\x05\x07\x30\x01\x01");
  std::string basic = tlv(kSequence, tlv(kSequence, data));
  std::string bytes = tlv(kSequence, type + tlv(0x04, basic));
  return tlv(kSequence, tlv(0x0a, std::string_view("\0", 1)) + tlv(kTagged0, bytes));
}

}  // namespace pingora
