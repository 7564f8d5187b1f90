// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/ip_prefix.h"

#include <charconv>
#include <cstring>
#include <optional>

namespace pingora {
namespace {

std::optional<std::array<std::uint8_t, 16>> ip_bytes(const SocketAddress& address) noexcept {
  std::array<std::uint8_t, 16> bytes{};
  sockaddr_storage storage{};
  address.to_sockaddr(storage);
  if (address.family() == SocketAddress::Family::Ipv4) {
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(&bytes[12], &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, 4);
  } else if (address.family() == SocketAddress::Family::Ipv6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, 16);
  } else {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  std::size_t slash = text.find('/');
  auto address = SocketAddress::parse(text.substr(0, slash), 0);
  if (!address) return fail(std::move(address.error()));
  bool is_v4 = address->family() == SocketAddress::Family::Ipv4;
  unsigned width = is_v4 ? 32 : 128;
  unsigned bits = width;
  if (slash != std::string_view::npos) {
    std::string_view digits = text.substr(slash + 1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size() || bits > width) {
      return fail(ErrorType::ConfigError, "'" + std::string(text) +
                                              "': the prefix length is no number from 0 to " +
                                              std::to_string(width));
    }
  }
  IpPrefix prefix;
  prefix.bytes_ = *ip_bytes(*address);
  prefix.bits_ = is_v4 ? bits + 96 : bits;
  return prefix;
}

bool IpPrefix::contains(const SocketAddress& address) const noexcept {
  auto bytes = ip_bytes(address);
  if (!bytes) return false;
  unsigned whole = bits_ / 8;
  if (std::memcmp(bytes->data(), bytes_.data(), whole) != 0) return false;
  unsigned rest = bits_ % 8;
  if (rest == 0) return true;
  unsigned mask = 0xffU << (8 - rest) & 0xffU;
  return ((*bytes)[whole] & mask) == (bytes_[whole] & mask);
}

}  // namespace pingora
