// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>

#include "pingora/net/socket_options.h"
#include "pingora/net/unique_fd.h"
#include "pingora/runtime/descriptor.h"
#include "pingora/runtime/task.h"

namespace pingora {

struct ListenOptions {
  /// Of the connections; set once on the listening socket, whose connections inherit them.
  SocketOptions connection{};
  /// Connections that may wait to be accepted; the kernel cuts it to net.core.somaxconn.
  int backlog = 65535;
  /// Lets several sockets listen on the same address (SO_REUSEPORT).
  bool reuse_port = false;
  /// Whether an IPv6 socket keeps from taking IPv4 connections; unset: the system's default.
  std::optional<bool> v6only{};
  /// How many connections may send data with their SYN (TCP_FASTOPEN); unset: none.
  std::optional<int> fast_open_queue{};
  /// The mode of a Unix socket's file; unset: 0666, as far as the process's umask has it.
  std::optional<mode_t> unix_permissions{};
};

/// A connection that was accepted: non-blocking, with the listener's options.
struct Accepted {
  UniqueFd fd;
  SocketAddress peer;
};

/// A listening socket, TCP or Unix.
///
/// Made without a worker, so that a server can bind everything before it starts anything; `start`
/// puts it into one. From then on it belongs to one strand; at most one `accept` at a time.
class Listener {
 public:
  class AcceptOp;

  /// Connections that are accepted in a row before others of the strand and worker run.
  static constexpr int kTurnMax = 64;

  /// Binds and listens. A Unix socket's file that nobody listens on any more is removed first.
  /// Errors: BindError, in one line that says the address and why.
  static Result<Listener> bind(const SocketAddress& address, const ListenOptions& options = {});
  /// Takes over `fd`, a listening socket that came from elsewhere; sets the options that hold for
  /// connections. Errors: BindError if it is no listening stream socket.
  static Result<Listener> adopt(UniqueFd fd, const ListenOptions& options = {});

  /// The address that it listens on, with the port that the system chose if 0 was asked for.
  const SocketAddress& local_address() const noexcept { return local_address_; }
  int fd() const noexcept { return descriptor_ ? descriptor_->fd() : fd_.get(); }

  /// Waits in `worker` from now on.
  void start(Worker& worker);
  /// The next connection. Cancelling it loses none. Errors: AcceptError when the process or the
  /// system is out of descriptors or memory (pause, and call again); SocketError when the listener
  /// is broken for good.
  AcceptOp accept() noexcept;
  /// Takes the socket out, still listening. Only destruction may follow.
  UniqueFd release();

 private:
  Listener(UniqueFd fd, SocketAddress address) noexcept
      : fd_(std::move(fd)), local_address_(std::move(address)) {}
  std::optional<Result<Accepted>> try_accept();

  UniqueFd fd_;  // until it is started
  std::optional<Descriptor> descriptor_;
  SocketAddress local_address_;
  bool may_accept_ = false;
  int turn_ = 0;
};

class Listener::AcceptOp : MovableJob {
 public:
  using ValueType = Accepted;
  explicit AcceptOp(Listener& listener) noexcept : MovableJob(&on_ready), listener_(listener) {}
  bool start(Completion& completion);
  void cancel();
  Result<Accepted> take_result() { return std::move(*result_); }

 private:
  static void on_ready(Job& job);

  Listener& listener_;
  Completion* completion_ = nullptr;
  bool is_yielding_ = false;  // queued in the strand for fairness, rather than waiting
  std::optional<Result<Accepted>> result_;
};

inline Listener::AcceptOp Listener::accept() noexcept { return AcceptOp(*this); }

}  // namespace pingora
