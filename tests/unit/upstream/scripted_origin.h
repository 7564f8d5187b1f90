// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "pingora/net/listener.h"
#include "pingora/net/socket_stream.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task_group.h"

namespace pingora {

/// Reads a request head and returns it; what follows stays in `input`. Empty at the end.
inline Task<std::string> read_request_head(Stream& stream, Buffer& input) {
  for (;;) {
    std::size_t end = input.view().find("\r\n\r\n");
    if (end != std::string_view::npos) {
      std::string head(input.view().substr(0, end + 4));
      input.consume(end + 4);
      co_return head;
    }
    if (co_await stream.read(input) == 0) co_return std::string();
  }
}

/// A server whose script handles each connection; it is closed when the script ends.
class ScriptedOrigin {
 public:
  /// `number` counts the connections from 1.
  using Script = std::function<Task<>(Stream& stream, int number)>;
  enum class Over : bool { Tcp, Unix };
  /// Puts something on the connection, TLS say, before the script gets it.
  using Wrap = std::function<Task<std::unique_ptr<Stream>>(std::unique_ptr<Stream> stream)>;

  ScriptedOrigin(Runtime& runtime, Script script, Over over = Over::Tcp, Wrap wrap = {})
      : runtime_(runtime),
        script_(std::move(script)),
        wrap_(std::move(wrap)),
        listener_(bind(over)),
        group_(runtime) {
    group_.spawn(accept_all());
  }
  ~ScriptedOrigin() {
    group_.cancel();
    group_.join_blocking();
    if (address().is_unix()) ::unlink(address().host().c_str());
  }

  const SocketAddress& address() const { return listener_.local_address(); }
  /// Accepted so far.
  int connections() const { return connections_; }
  /// Of these, open still.
  int open_connections() const { return open_; }
  /// Where the last one came from.
  std::string last_peer() const {
    std::lock_guard lock(mutex_);
    return last_peer_;
  }

 private:
  static Listener bind(Over over) {
    static std::atomic<int> next{0};
    auto listener = Listener::bind(over == Over::Unix
                                       ? *SocketAddress::unix_path("/tmp/pingora-upstream-test-" +
                                                                   std::to_string(::getpid()) +
                                                                   "-" + std::to_string(next++))
                                       : *SocketAddress::parse("127.0.0.1:0"));
    REQUIRE(listener);
    return std::move(*listener);
  }
  Task<> accept_all() {
    Worker& worker = (co_await current_strand()).worker();
    listener_.start(worker);
    for (;;) {
      Accepted accepted = co_await listener_.accept();
      {
        std::lock_guard lock(mutex_);
        last_peer_ = accepted.peer.host();
      }
      Worker& other = runtime_.least_loaded_worker();
      auto stream =
          std::make_unique<SocketStream>(other, accepted.fd.release(), std::move(accepted.peer));
      ++open_;
      group_.spawn_on(other, run(std::move(stream), ++connections_));
    }
  }
  Task<> run(std::unique_ptr<Stream> stream, int number) {
    // How a connection ends is for the other side to judge.
    auto ended = co_await serve(std::move(stream), number).as_result();
    static_cast<void>(ended);
    stream.reset();
    --open_;
  }
  Task<> serve(std::unique_ptr<Stream> stream, int number) {
    if (wrap_) stream = co_await wrap_(std::move(stream));
    co_await script_(*stream, number);
  }

  Runtime& runtime_;
  Script script_;
  Wrap wrap_;
  Listener listener_;
  std::atomic<int> connections_{0};
  std::atomic<int> open_{0};
  mutable std::mutex mutex_;
  std::string last_peer_;  // guarded by mutex_
  TaskGroup group_;        // last: its tasks use all of the above
};

/// Answers every request with `response`, which says its length.
inline ScriptedOrigin::Script answer_with(std::string response) {
  return [response = std::move(response)](Stream& stream, int) -> Task<> {
    Buffer input;
    while (!(co_await read_request_head(stream, input)).empty()) co_await stream.write({response});
  };
}

/// As `answer_with`, once; then the connection is closed.
inline ScriptedOrigin::Script answer_once_with(std::string response) {
  return [response = std::move(response)](Stream& stream, int) -> Task<> {
    Buffer input;
    co_await read_request_head(stream, input);
    co_await stream.write({response});
  };
}

}  // namespace pingora
