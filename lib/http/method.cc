// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/method.h"

#include <array>

namespace pingora {
namespace {

constexpr std::array<std::string_view, 11> kTexts = {
    "", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PURGE"};
static_assert(kTexts[Method::Purge] == "PURGE");

constexpr Method::Known candidate(std::string_view text) {
  switch (text.size()) {
    case 3: return text[0] == 'G' ? Method::Get : Method::Put;
    case 4: return text[0] == 'H' ? Method::Head : Method::Post;
    case 5:
      if (text[0] == 'T') return Method::Trace;
      return text[1] == 'A' ? Method::Patch : Method::Purge;
    case 6: return Method::Delete;
    case 7: return text[0] == 'C' ? Method::Connect : Method::Options;
    default: return Method::Other;
  }
}

}  // namespace

Method Method::from(std::string_view text) noexcept {
  Known known = candidate(text);
  if (known != Other && text == kTexts[known]) return known;
  return Method(Other, text);
}

std::string_view Method::text() const noexcept { return known_ == Other ? other_ : kTexts[known_]; }

}  // namespace pingora
