// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "pingora/net/memory_stream.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/task_group.h"
#include "pingora/session/h2_server_connection.h"
#include "unit/h2/requester.h"
#include "unit/session/wire.h"

namespace pingora::test {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The other end of a connection under test, in the test's strand.
class H2Peer : public H2Requester {
 public:
  explicit H2Peer(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  Stream& stream() noexcept { return *stream_; }
  bool is_closed = false;

  /// Sends what there is to send.
  Task<> flush() {
    h2::Output output;
    for (engine().take_output(output); !output.empty(); engine().take_output(output)) {
      while (!output.empty()) {
        Bytes piece = output.pieces()[0];
        // A server that has closed reads no more; what it said before is still there.
        (void)co_await as_result(stream_->write({piece.view()}));
        output.consume(piece.size());
      }
    }
  }
  /// Sends, and waits for something to arrive.
  Task<> turn() {
    co_await flush();
    Buffer input;
    auto read = co_await as_result(stream_->read(input, Clock::now() + std::chrono::seconds(10)));
    PINGORA_ASSERT(read || read.error().type() != ErrorType::ReadTimedout);
    if (!read || *read == 0) {
      is_closed = true;
      co_return;
    }
    feed(input.take(input.size()));
    co_await flush();
  }
  /// Turns until `done()`, or the connection is closed.
  Task<> until(std::function<bool()> done) {
    co_await flush();
    while (!is_closed && !done()) co_await turn();
  }
  Task<> until_complete(H2Response& response) {
    co_await until([&] { return response.is_complete || response.reset.has_value(); });
  }
  Task<> until_closed() {
    co_await until([] { return false; });
  }

 private:
  std::unique_ptr<Stream> stream_;
};

/// A server's connection over a stream in memory; each request is answered by `handler` in a strand
/// of its own.
class H2ServerUnderTest : public H2ServerConnection::Acceptor {
 public:
  using Handler = std::function<Task<>(ServerSession&)>;

  explicit H2ServerUnderTest(Handler handler, ServerSessionOptions options = {})
      : handler_(std::move(handler)), options_(std::move(options)) {}
  ~H2ServerUnderTest() { stop(); }

  /// Serves `stream` from now on.
  void start(std::unique_ptr<Stream> stream) {
    connection_.emplace(std::move(stream), options_);
    tasks_.spawn(serve(*this));
  }
  /// Runs a step of the client's side to its end.
  Result<void> run_side(Task<> step) { return workers_.run(std::move(step)); }
  void stop() {
    tasks_.cancel();
    tasks_.join_blocking();
  }
  TaskGroup& tasks() noexcept { return tasks_; }
  ServerSessionOptions& options() noexcept { return options_; }
  /// Set once the connection has ended.
  Event& ended() noexcept { return ended_; }
  /// Has the connection begin to shut down, in its strand.
  void begin_shutdown() { is_shutting_down_.set(); }

  void accept(std::unique_ptr<ServerSession> session) override {
    tasks_.spawn(answer(*this, std::move(session)));
  }

 private:
  static Task<> serve(H2ServerUnderTest& self) {
    co_await when_any(self.connection_->serve({}, self), shut_down(self));
    self.ended_.set();
  }
  static Task<> shut_down(H2ServerUnderTest& self) {
    co_await self.is_shutting_down_.wait();
    self.connection_->begin_shutdown();
    Event never;
    co_await never.wait();
  }
  static Task<> answer(H2ServerUnderTest& self, std::unique_ptr<ServerSession> session) {
    Result<bool> is_there = co_await session->read_request().as_result();
    if (!is_there) {
      co_await session->write_head(response(is_there.error().status(), "0"), EndOfStream::Yes);
    } else {
      (void)co_await self.handler_(*session).as_result();
    }
    co_await session->finish();
  }

  Workers workers_;
  Handler handler_;
  ServerSessionOptions options_;
  std::optional<H2ServerConnection> connection_;
  Event ended_;
  Event is_shutting_down_;
  TaskGroup tasks_{workers_.runtime};
};

/// The error code of the GOAWAY that `bytes` end with; -1 without one.
inline int goaway_code(std::string_view bytes) {
  int code = -1;
  while (bytes.size() >= 9) {
    auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    std::size_t length = at(0) << 16 | at(1) << 8 | at(2);
    if (bytes.size() < 9 + length) break;
    if (at(3) == 7) code = at(16);
    bytes.remove_prefix(9 + length);
  }
  return code;
}

}  // namespace pingora::test
