// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace pingora {

/// A value for X-Forwarded-For: `address` behind what a trusted sender had in its own, which is
/// empty for a sender that is not trusted. "203.0.113.7" or "198.51.100.1, 203.0.113.7".
std::string x_forwarded_for(std::string_view received, std::string_view address);

/// What a Forwarded element says (RFC 7239 §4). Empty members are left out.
struct ForwardedElement {
  /// The address of the sender: an IPv4 or IPv6 address with or without a port ("2001:db8::1",
  /// "[2001:db8::1]:4711"), "unknown", or an obfuscated name that begins with '_'.
  std::string_view for_node;
  /// The address that the request came in on.
  std::string_view by_node;
  /// The Host field as it was received.
  std::string_view host;
  /// "http" or "https".
  std::string_view proto;
};

/// A value for Forwarded: `element` behind what a trusted sender had, as above. Quotes what needs
/// it: `for="[2001:db8::1]:4711";proto=https`.
std::string forwarded(std::string_view received, const ForwardedElement& element);

}  // namespace pingora
