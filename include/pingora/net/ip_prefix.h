// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pingora/base/error.h"
#include "pingora/net/socket_address.h"

namespace pingora {

/// A range of IP addresses, such as "10.0.0.0/8", "2001:db8::/32" or a single address.
class IpPrefix {
 public:
  static Result<IpPrefix> parse(std::string_view text);

  /// Whether the address is in the range, whatever its port. An IPv4 address that is mapped into
  /// IPv6 (::ffff:192.0.2.1) counts as the IPv4 address.
  bool contains(const SocketAddress& address) const noexcept;

 private:
  // All ranges as IPv6 ranges: IPv4 ones below ::ffff:0:0/96.
  std::array<std::uint8_t, 16> bytes_{};
  unsigned bits_ = 0;
};

}  // namespace pingora
