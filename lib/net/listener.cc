// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "pingora/base/assert.h"
#include "set_option.h"

namespace pingora {
namespace {

Error bind_error(const SocketAddress& address, int error_number) {
  return Error::from_errno(ErrorType::BindError, error_number,
                           "cannot listen on " + address.to_string());
}

Error bind_error(const SocketAddress& address, Error cause) {
  return Error::explain(ErrorType::BindError, "cannot listen on " + address.to_string() + ": " +
                                                  std::string(cause.context()));
}

// Removes the file of a Unix socket whose listener is gone. One that answers stays, and bind fails.
void remove_stale_socket(const SocketAddress& address) {
  struct stat status{};
  const std::string path = address.host();
  if (::stat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (probe.get() < 0) return;
  sockaddr_storage storage{};
  socklen_t size = address.to_sockaddr(storage);
  if (::connect(probe.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0 &&
      errno == ECONNREFUSED) {
    ::unlink(path.c_str());
  }
}

Result<void> set_listen_options(int fd, const SocketAddress& address,
                                const ListenOptions& options) {
  if (address.is_ip()) {
    // Connections of a former run that are still closing do not keep the address.
    if (auto r = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"); !r) return r;
    if (options.reuse_port) {
      if (auto r = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT"); !r) return r;
    }
    if (options.v6only && address.family() == SocketAddress::Family::Ipv6) {
      auto r = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, *options.v6only ? 1 : 0, "IPV6_V6ONLY");
      if (!r) return r;
    }
    if (options.fast_open_queue) {
      auto r = set_option(fd, IPPROTO_TCP, TCP_FASTOPEN, *options.fast_open_queue, "TCP_FASTOPEN");
      if (!r) return r;
    }
  }
  return set_socket_options(fd, address.family(), options.connection);
}

bool is_out_of_resources(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
         error_number == ENOMEM;
}

// Errors that say the listener itself is no good. All others are of the connection that was to be
// accepted, which Linux passes on here (accept(2)).
bool is_fatal(int error_number) {
  return error_number == EBADF || error_number == EINVAL || error_number == ENOTSOCK ||
         error_number == EOPNOTSUPP || error_number == EFAULT;
}

}  // namespace

Result<Listener> Listener::bind(const SocketAddress& address, const ListenOptions& options) {
  if (address.is_none()) return fail(ErrorType::BindError, "no address to listen on");
  if (address.is_unix()) remove_stale_socket(address);
  sockaddr_storage storage{};
  socklen_t size = address.to_sockaddr(storage);
  UniqueFd fd(::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_valid()) return fail(bind_error(address, errno));
  if (auto result = set_listen_options(fd.get(), address, options); !result) {
    return fail(bind_error(address, std::move(result.error())));
  }
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0) {
    return fail(bind_error(address, errno));
  }
  if (address.is_unix() && options.unix_permissions &&
      ::chmod(address.host().c_str(), *options.unix_permissions) != 0) {
    return fail(bind_error(address, errno));
  }
  if (::listen(fd.get(), options.backlog) != 0) return fail(bind_error(address, errno));
  SocketAddress local = address.is_unix() ? address : local_address_of(fd.get());
  return Listener(std::move(fd), std::move(local));
}

Result<Listener> Listener::adopt(UniqueFd fd, const ListenOptions& options) {
  int is_listening = 0;
  socklen_t size = sizeof(is_listening);
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) != 0 ||
      is_listening == 0) {
    return fail(ErrorType::BindError,
                "descriptor " + std::to_string(fd.get()) + " is no listening socket");
  }
  SocketAddress local = local_address_of(fd.get());
  int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return fail(bind_error(local, errno));
  }
  auto result = set_socket_options(fd.get(), local.family(), options.connection);
  if (!result) return fail(bind_error(local, std::move(result.error())));
  return Listener(std::move(fd), std::move(local));
}

void Listener::start(Worker& worker) {
  PINGORA_ASSERT(!descriptor_);
  descriptor_.emplace(worker, fd_.release());
}

UniqueFd Listener::release() {
  return descriptor_ ? UniqueFd(descriptor_->release()) : std::move(fd_);
}

std::optional<Result<Accepted>> Listener::try_accept() {
  while (may_accept_) {
    sockaddr_storage storage{};
    socklen_t size = sizeof(storage);
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    int fd = ::accept4(descriptor_->fd(), address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) return Accepted{UniqueFd(fd), SocketAddress::from_sockaddr(address, size)};
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      may_accept_ = false;
      if (int failure = descriptor_->failure(); failure != 0) {
        return fail(Error::from_errno(ErrorType::SocketError, failure,
                                      "watching " + local_address_.to_string()));
      }
    } else if (is_out_of_resources(errno)) {
      return fail(Error::from_errno(ErrorType::AcceptError, errno,
                                    "accepting on " + local_address_.to_string()));
    } else if (is_fatal(errno)) {
      return fail(Error::from_errno(ErrorType::SocketError, errno,
                                    "accepting on " + local_address_.to_string()));
    }
  }
  return std::nullopt;
}

bool Listener::AcceptOp::start(Completion& completion) {
  completion_ = &completion;
  if (listener_.turn_ >= kTurnMax) {
    listener_.turn_ = 0;
    is_yielding_ = true;
    completion.strand().post(*this);
    return false;
  }
  result_ = listener_.try_accept();
  if (result_) {
    ++listener_.turn_;
    return true;
  }
  listener_.turn_ = 0;
  listener_.descriptor_->start_wait(Direction::Read, completion.strand(), *this);
  return false;
}

void Listener::AcceptOp::on_ready(Job& job) {
  auto& self = static_cast<AcceptOp&>(job);
  if (!self.is_yielding_) self.listener_.may_accept_ = true;
  self.is_yielding_ = false;
  self.result_ = self.listener_.try_accept();
  if (self.result_) {
    ++self.listener_.turn_;
    self.completion_->run();
  } else {
    self.listener_.descriptor_->start_wait(Direction::Read, self.completion_->strand(), self);
  }
}

void Listener::AcceptOp::cancel() {
  if (is_yielding_) {
    completion_->strand().remove(*this);
  } else {
    listener_.descriptor_->cancel_wait(Direction::Read, completion_->strand(), *this);
  }
}

}  // namespace pingora
