// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <random>

#include "pingora/net/socket_stream.h"
#include "pingora/net/unique_fd.h"
#include "pingora/runtime/timer.h"
#include "ready_op.h"
#include "set_option.h"

// Newer than the C library's headers.
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif

namespace pingora {
namespace {

// How long to wait for a place in the queue of a Unix listener, which tells no one of a free one.
constexpr Duration kUnixQueuePause = std::chrono::milliseconds(4);
constexpr int kUnixQueueTriesMax = 250;

// A socket's address in the form of the system calls.
struct RawAddress {
  explicit RawAddress(const SocketAddress& address) noexcept : size(address.to_sockaddr(storage)) {}
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr_storage storage{};
  socklen_t size;
};

Error connect_error(const SocketAddress& address, int error_number) {
  return Error::from_errno(connect_error_type(error_number), error_number,
                           "connecting to " + address.to_string());
}

Error timed_out(const SocketAddress& address) {
  return Error::explain(ErrorType::ConnectTimedout, "connecting to " + address.to_string());
}

// What cannot be had of this host is no fault of the peer.
Error local_error(const SocketAddress& address, Error error) {
  return Error::internal("connecting to " + address.to_string() + ": " +
                         std::string(error.context()));
}

int connect_raw(int fd, const RawAddress& address) {
  int result = 0;
  do {
    result = ::connect(fd, address.get(), address.size);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

bool is_loopback(const RawAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.storage);
    return ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
  return address.storage.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

int bind_raw(int fd, const SocketAddress& address) {
  RawAddress raw(address);
  return ::bind(fd, raw.get(), raw.size) == 0 ? 0 : errno;
}

SocketAddress any_address(SocketAddress::Family family) {
  return *SocketAddress::parse(family == SocketAddress::Family::Ipv6 ? "::" : "0.0.0.0", 0);
}

// For kernels before 6.3, which cannot choose within a range themselves. Starts anywhere in it.
int bind_in_range(int fd, SocketAddress address, const PortRange& range) {
  std::uint32_t count = static_cast<std::uint32_t>(range.high) - range.low + 1U;
  std::uint32_t first = std::random_device()() % count;
  int error = EADDRINUSE;
  for (std::uint32_t i = 0; i < count && error == EADDRINUSE; ++i) {
    address.set_port(static_cast<std::uint16_t>(range.low + (first + i) % count));
    error = bind_raw(fd, address);
  }
  return error;
}

Result<void> bind_local(int fd, SocketAddress::Family family, const ConnectOptions& options,
                        bool in_range) {
  if (!options.bind_address && !options.port_range) return {};
  SocketAddress from = options.bind_address ? *options.bind_address : any_address(family);
  // The port is chosen when connecting, where it only needs to be unique for the peer.
  if (from.port() == 0) {
    [[maybe_unused]] auto r =
        set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1, "IP_BIND_ADDRESS_NO_PORT");
  }
  int error = 0;
  if (options.port_range && in_range) {
    const PortRange& range = *options.port_range;
    if (range.low == 0 || range.low > range.high) {
      return fail(Error::internal("the port range " + std::to_string(range.low) + "-" +
                                  std::to_string(range.high) + " is no range"));
    }
    std::uint32_t bounds = static_cast<std::uint32_t>(range.high) << 16 | range.low;
    if (::setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &bounds, sizeof(bounds)) == 0) {
      error = options.bind_address ? bind_raw(fd, from) : 0;
    } else {
      error = bind_in_range(fd, from, range);
    }
  } else if (options.bind_address) {
    error = bind_raw(fd, from);
  }
  if (error == 0) return {};
  return fail(Error::from_errno(ErrorType::BindError, error, "binding to " + from.to_string()));
}

Result<UniqueFd> make_socket(const SocketAddress& address, const ConnectOptions& options,
                             bool in_range) {
  RawAddress raw(address);
  UniqueFd fd(::socket(raw.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_valid()) {
    Error error = Error::from_errno(ErrorType::SocketError, errno, "socket");
    if (errno == EMFILE || errno == ENFILE) {
      return fail(std::move(error).more_context("connecting to " + address.to_string()).into_in());
    }
    return fail(local_error(address, std::move(error)));
  }
  auto set = set_socket_options(fd.get(), address.family(), options.socket);
  if (set && address.is_ip() && options.fast_open) {
    set = set_option(fd.get(), IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1, "TCP_FASTOPEN_CONNECT");
  }
  if (!set) return fail(local_error(address, std::move(set.error())));
  if (address.is_ip()) {
    auto bound = bind_local(fd.get(), address.family(), options, in_range);
    if (!bound) return fail(std::move(bound.error()));
  }
  if (options.on_socket) {
    if (auto result = options.on_socket(fd.get()); !result) return fail(std::move(result.error()));
  }
  return fd;
}

// EAGAIN: the listener's queue is full.
Task<> connect_unix(int fd, const SocketAddress& address, TimePoint deadline) {
  RawAddress raw(address);
  int error = connect_raw(fd, raw);
  for (int tries = 0; error == EAGAIN && tries < kUnixQueueTriesMax; ++tries) {
    if (Clock::now() >= deadline) co_await timed_out(address);
    co_await sleep_for(kUnixQueuePause);
    error = connect_raw(fd, raw);
  }
  if (error != 0) co_await connect_error(address, error);
}

// Waits for the end of a connect that is under way. Asking again with connect tells how it stands.
Task<std::unique_ptr<Stream>> finish_connect(UniqueFd fd, SocketAddress address,
                                             TimePoint deadline) {
  RawAddress raw(address);
  Worker& worker = (co_await current_strand()).worker();
  Descriptor descriptor(worker, fd.release());
  if (descriptor.failure() != 0) {
    co_return local_error(address, Error::from_errno(ErrorType::SocketError, descriptor.failure(),
                                                     "watching a connection"));
  }
  for (;;) {
    bool is_ready = co_await ReadyOp(descriptor, Direction::Write, deadline);
    if (!is_ready) co_return timed_out(address);
    int error = connect_raw(descriptor.fd(), raw);
    if (error == 0 || error == EISCONN) break;
    if (error != EALREADY && error != EINPROGRESS) co_return connect_error(address, error);
  }
  co_return std::make_unique<SocketStream>(std::move(descriptor), std::move(address));
}

}  // namespace

ErrorType connect_error_type(int error_number) noexcept {
  switch (error_number) {
    case ECONNREFUSED:
    case ENOENT: return ErrorType::ConnectRefused;  // a Unix socket that is not there
    case ETIMEDOUT: return ErrorType::ConnectTimedout;
    case EADDRNOTAVAIL: return ErrorType::BindError;
    case EACCES:
    case EADDRINUSE: return ErrorType::InternalError;
    case ENETUNREACH:
    case EHOSTUNREACH: return ErrorType::ConnectNoRoute;
    default: return ErrorType::ConnectError;
  }
}

Task<std::unique_ptr<Stream>> connect(SocketAddress address, const ConnectOptions& options) {
  if (address.is_none()) co_return Error::internal("connecting to no address");
  UniqueFd fd = co_await make_socket(address, options, /*in_range=*/true);
  if (address.is_unix()) {
    co_await connect_unix(fd.get(), address, options.deadline);
  } else {
    RawAddress raw(address);
    int error = connect_raw(fd.get(), raw);
    if (error == EADDRNOTAVAIL && options.port_range && options.port_range->falls_back) {
      fd = co_await make_socket(address, options, /*in_range=*/false);
      error = connect_raw(fd.get(), raw);
    }
    // Within the host the handshake is over by now.
    if (error == EINPROGRESS && is_loopback(raw)) error = connect_raw(fd.get(), raw);
    if (error == EINPROGRESS || error == EALREADY) {
      co_return co_await finish_connect(std::move(fd), std::move(address), options.deadline);
    }
    if (error != 0 && error != EISCONN) co_return connect_error(address, error);
  }
  Worker& worker = (co_await current_strand()).worker();
  auto stream = SocketStream::open(worker, std::move(fd), address);
  if (!stream) co_return local_error(address, std::move(stream.error()));
  co_return std::move(*stream);
}

}  // namespace pingora
