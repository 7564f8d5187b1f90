// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "pingora/runtime/descriptor.h"
#include "set_option.h"

namespace pingora {
namespace {

Result<void> set_keepalive(int fd, const TcpKeepalive& keepalive) {
  struct Option {
    int level;
    int name;
    int value;
    const char* text;
  };
  const Option options[] = {
      {SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE"},
      {IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(keepalive.idle.count()), "TCP_KEEPIDLE"},
      {IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(keepalive.interval.count()), "TCP_KEEPINTVL"},
      {IPPROTO_TCP, TCP_KEEPCNT, keepalive.count, "TCP_KEEPCNT"},
  };
  for (const Option& option : options) {
    auto result = set_option(fd, option.level, option.name, option.value, option.text);
    if (!result) return result;
  }
  if (keepalive.user_timeout.count() == 0) return {};
  return set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                    static_cast<int>(keepalive.user_timeout.count()), "TCP_USER_TIMEOUT");
}

Result<void> set_tcp_options(int fd, SocketAddress::Family family, const SocketOptions& options) {
  if (!Descriptor::tells_end()) {
    // A kernel without TCP_INQ costs reads that find nothing, and no more.
    [[maybe_unused]] auto ignored = set_option(fd, IPPROTO_TCP, TCP_INQ, 1, "TCP_INQ");
  }
  if (options.nodelay) {
    if (auto r = set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"); !r) return r;
  }
  if (options.dscp && (*options.dscp < 0 || *options.dscp > 63)) {
    return fail(ErrorType::SocketError,
                std::to_string(*options.dscp) + " is no code point from 0 to 63");
  }
  if (options.dscp) {
    bool is_v6 = family == SocketAddress::Family::Ipv6;
    auto r = is_v6 ? set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, *options.dscp << 2, "IPV6_TCLASS")
                   : set_option(fd, IPPROTO_IP, IP_TOS, *options.dscp << 2, "IP_TOS");
    if (!r) return r;
  }
  if (options.keepalive) return set_keepalive(fd, *options.keepalive);
  return {};
}

}  // namespace

Result<void> set_option(int fd, int level, int name, int value, const char* text) {
  if (::setsockopt(fd, level, name, &value, sizeof(value)) == 0) return {};
  return fail(Error::from_errno(ErrorType::SocketError, errno,
                                std::string("setting ") + text + " to " + std::to_string(value)));
}

Result<void> set_socket_options(int fd, SocketAddress::Family family,
                                const SocketOptions& options) {
  if (options.receive_buffer_bytes) {
    auto r = set_option(fd, SOL_SOCKET, SO_RCVBUF, *options.receive_buffer_bytes, "SO_RCVBUF");
    if (!r) return r;
  }
  if (options.send_buffer_bytes) {
    auto r = set_option(fd, SOL_SOCKET, SO_SNDBUF, *options.send_buffer_bytes, "SO_SNDBUF");
    if (!r) return r;
  }
  if (family == SocketAddress::Family::Unix) return {};
  return set_tcp_options(fd, family, options);
}

SocketAddress local_address_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(fd, address, &size) != 0) return {};
  return SocketAddress::from_sockaddr(address, size);
}

}  // namespace pingora
