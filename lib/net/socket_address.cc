// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/socket_address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <functional>

namespace pingora {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

Error invalid(std::string_view text, std::string_view why) {
  return Error::explain(ErrorType::ConfigError,
                        "'" + std::string(text) + "' is no socket address: " + std::string(why));
}

// A number from 0 to 255 in decimal, with a dot behind it.
struct Octet {
  char text[4];
  std::uint8_t size;
};
constexpr auto kOctets = [] {
  std::array<Octet, 256> octets{};
  for (unsigned number = 0; number < octets.size(); ++number) {
    Octet& octet = octets[number];
    if (number >= 100) octet.text[octet.size++] = static_cast<char>('0' + number / 100);
    if (number >= 10) octet.text[octet.size++] = static_cast<char>('0' + number / 10 % 10);
    octet.text[octet.size++] = static_cast<char>('0' + number % 10);
    octet.text[octet.size++] = '.';
  }
  return octets;
}();

// As inet_ntop does it, which takes a printf for it: this is written for every proxied request.
// There is room for 16 bytes.
std::size_t write_ipv4(const in_addr& address, char* text) {
  char* end = text;
  for (std::uint8_t byte : std::bit_cast<std::array<std::uint8_t, 4>>(address)) {
    std::memcpy(end, kOctets[byte].text, sizeof(Octet::text));
    end += kOctets[byte].size;
  }
  return static_cast<std::size_t>(end - text) - 1;
}

}  // namespace

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return unix_path(text.substr(kUnixPrefix.size()));
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(invalid(text, "no port"));
  std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return fail(invalid(text, "the port is no number from 0 to 65535"));
  }
  std::string_view ip = text.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) {
    ip = ip.substr(1, ip.size() - 2);
  } else if (ip.find(':') != std::string_view::npos) {
    return fail(invalid(text, "an IPv6 address stands in brackets"));
  }
  return parse(ip, port);
}

Result<SocketAddress> SocketAddress::parse(std::string_view ip, std::uint16_t port) {
  std::string terminated(ip);
  SocketAddress address;
  if (::inet_pton(AF_INET, terminated.c_str(), &address.ip_.v4.sin_addr) == 1) {
    address.family_ = Family::Ipv4;
    address.ip_.v4.sin_family = AF_INET;
  } else {
    address.ip_.v6 = {};
    if (::inet_pton(AF_INET6, terminated.c_str(), &address.ip_.v6.sin6_addr) != 1) {
      return fail(invalid(ip, "neither IPv4 nor IPv6"));
    }
    address.family_ = Family::Ipv6;
    address.ip_.v6.sin6_family = AF_INET6;
  }
  address.set_port(port);
  return address;
}

Result<SocketAddress> SocketAddress::unix_path(std::string_view path) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return fail(invalid(path, "the path of a Unix socket has 1 to 107 bytes"));
  }
  SocketAddress address;
  address.family_ = Family::Unix;
  address.path_ = std::make_shared<const std::string>(path);
  return address;
}

SocketAddress SocketAddress::from_sockaddr(const sockaddr* from, socklen_t size) {
  SocketAddress address;
  if (from->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    address.family_ = Family::Ipv4;
    std::memcpy(&address.ip_.v4, from, sizeof(sockaddr_in));
  } else if (from->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    address.family_ = Family::Ipv6;
    std::memcpy(&address.ip_.v6, from, sizeof(sockaddr_in6));
  } else if (from->sa_family == AF_UNIX) {
    address.family_ = Family::Unix;
    const auto* local = reinterpret_cast<const sockaddr_un*>(from);
    std::size_t room = size - std::min<std::size_t>(size, offsetof(sockaddr_un, sun_path));
    address.path_ =
        std::make_shared<const std::string>(local->sun_path, ::strnlen(local->sun_path, room));
  }
  return address;
}

std::uint16_t SocketAddress::port() const noexcept {
  if (family_ == Family::Ipv4) return ntohs(ip_.v4.sin_port);
  if (family_ == Family::Ipv6) return ntohs(ip_.v6.sin6_port);
  return 0;
}

void SocketAddress::set_port(std::uint16_t port) noexcept {
  if (family_ == Family::Ipv4) ip_.v4.sin_port = htons(port);
  if (family_ == Family::Ipv6) ip_.v6.sin6_port = htons(port);
}

std::size_t SocketAddress::format_host(HostText& text) const noexcept {
  if (family_ == Family::Ipv4) return write_ipv4(ip_.v4.sin_addr, text.data());
  if (family_ != Family::Ipv6) return 0;
  ::inet_ntop(AF_INET6, &ip_.v6.sin6_addr, text.data(), text.size());
  return std::strlen(text.data());
}

std::string SocketAddress::host() const {
  if (family_ == Family::Unix) return *path_;
  HostText text;
  return {text.data(), format_host(text)};
}

std::string SocketAddress::to_string() const {
  switch (family_) {
    case Family::None: return "";
    case Family::Ipv4: return host() + ":" + std::to_string(port());
    case Family::Ipv6: return "[" + host() + "]:" + std::to_string(port());
    case Family::Unix: return std::string(kUnixPrefix) + *path_;
  }
  return "";
}

socklen_t SocketAddress::to_sockaddr(sockaddr_storage& storage) const noexcept {
  switch (family_) {
    case Family::None: return 0;
    case Family::Ipv4: std::memcpy(&storage, &ip_.v4, sizeof(ip_.v4)); return sizeof(ip_.v4);
    case Family::Ipv6: std::memcpy(&storage, &ip_.v6, sizeof(ip_.v6)); return sizeof(ip_.v6);
    case Family::Unix: {
      sockaddr_un local{};
      local.sun_family = AF_UNIX;
      std::memcpy(local.sun_path, path_->data(), path_->size());
      std::memcpy(&storage, &local, sizeof(local));
      return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_->size() + 1);
    }
  }
  return 0;
}

std::size_t SocketAddress::hash() const noexcept {
  std::string_view bytes;
  switch (family_) {
    case Family::None: break;
    case Family::Ipv4:
      return std::hash<std::uint64_t>()(std::uint64_t{ip_.v4.sin_addr.s_addr} << 16 |
                                        ip_.v4.sin_port);
    case Family::Ipv6:
      bytes = {reinterpret_cast<const char*>(&ip_.v6.sin6_addr), sizeof(in6_addr)};
      return std::hash<std::string_view>()(bytes) * 31 + ip_.v6.sin6_port;
    case Family::Unix: bytes = *path_; break;
  }
  return std::hash<std::string_view>()(bytes);
}

bool operator==(const SocketAddress& a, const SocketAddress& b) noexcept {
  if (a.family_ != b.family_) return false;
  switch (a.family_) {
    case SocketAddress::Family::None: return true;
    case SocketAddress::Family::Ipv4:
      return a.ip_.v4.sin_addr.s_addr == b.ip_.v4.sin_addr.s_addr &&
             a.ip_.v4.sin_port == b.ip_.v4.sin_port;
    case SocketAddress::Family::Ipv6:
      return std::memcmp(&a.ip_.v6.sin6_addr, &b.ip_.v6.sin6_addr, sizeof(in6_addr)) == 0 &&
             a.ip_.v6.sin6_port == b.ip_.v6.sin6_port &&
             a.ip_.v6.sin6_scope_id == b.ip_.v6.sin6_scope_id;
    case SocketAddress::Family::Unix: return *a.path_ == *b.path_;
  }
  return false;
}

}  // namespace pingora
