// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "pingora/net/socket_address.h"
#include "pingora/net/unique_fd.h"
#include "pingora/testing/wire_connection.h"

namespace pingora {

class OriginServer;

/// A connection that an OriginServer has accepted.
class OriginConnection : public WireConnection {
 public:
  OriginConnection(OriginServer& server, int number, UniqueFd fd) noexcept
      : WireConnection(std::move(fd)), server_(server), number_(number) {}

  /// Counted from 1, over all connections of the server.
  int number() const noexcept { return number_; }
  /// The next request, which the server records; without a head if there is none.
  WireMessage read_request();

 private:
  OriginServer& server_;
  const int number_;
};

/// An origin for tests: listens on a port of its own on the loopback interface, has a script treat
/// each connection, in a thread of its own, and records the requests.
///
///     OriginServer origin(OriginServer::answer_all(OriginServer::ok("hello")));
///     HttpPeer peer(origin.address());
class OriginServer {
 public:
  /// Treats a connection, which is closed behind it.
  using Script = std::function<void(OriginConnection& connection)>;
  /// What is sent in answer to a request, as bytes.
  using Handler = std::function<std::string(const WireMessage& request)>;

  struct Request : WireMessage {
    /// The number of its connection.
    int connection = 0;
  };

  explicit OriginServer(Script script);
  OriginServer(const OriginServer&) = delete;
  OriginServer& operator=(const OriginServer&) = delete;
  /// Cuts off what is open and waits for the scripts, which find their connections closed.
  ~OriginServer();

  /// Answers request after request.
  static Script answer_with(Handler handler);
  /// Answers every request with `response`.
  static Script answer_all(std::string response);
  /// The first connection gets the first script, and so on; those beyond the last get the last.
  static Script in_turn(std::vector<Script> scripts);
  /// A 200 with a body and its length.
  static std::string ok(std::string_view body);

  const SocketAddress& address() const noexcept { return address_; }
  /// Accepted so far.
  int connections() const;
  /// Read so far, in order.
  std::vector<Request> requests() const;
  /// Waits until so many requests have come, and returns whether they have.
  bool wait_for_requests(std::size_t count) const;

 private:
  friend class OriginConnection;
  struct Running {
    OriginConnection connection;
    std::thread thread;
  };
  void accept_all();
  void record(const WireMessage& request, int connection);

  const Script script_;
  SocketAddress address_;  // set by the making of listener_
  UniqueFd listener_;
  mutable std::mutex mutex_;  // guards the four below
  mutable std::condition_variable has_changed_;
  std::list<Running> running_;
  std::vector<Request> requests_;
  int connections_ = 0;
  bool is_ending_ = false;
  std::thread acceptor_;
};

/// An address on the loopback interface that refuses connections. Nobody else gets its port while
/// this lives.
class RefusingAddress {
 public:
  RefusingAddress();
  const SocketAddress& address() const noexcept { return address_; }

 private:
  SocketAddress address_;  // set by the making of bound_
  UniqueFd bound_;         // and not listening
};

}  // namespace pingora
