// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pingora/h2/engine.h"
#include "pingora/net/memory_stream.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/task_group.h"
#include "pingora/session/h2_server_connection.h"
#include "unit/session/wire.h"

namespace pingora::test {

/// A request to send: the fields beyond Host are "name: value".
struct H2Request {
  std::string_view method = "GET";
  std::string_view target = "/";
  std::vector<std::pair<std::string_view, std::string_view>> fields = {};
  std::string_view protocol = {};
  EndOfStream end = EndOfStream::Yes;
};

/// What has come back on a stream.
struct H2Response {
  h2::EngineStream* stream = nullptr;
  std::vector<int> informational;
  std::unique_ptr<ResponseHeader> head;
  std::string body;
  std::unique_ptr<HeaderMap> trailers;
  std::optional<h2::ErrorCode> reset;
  bool is_complete = false;
  int status() const { return head == nullptr ? 0 : int{head->status()}; }
};

/// The other end of a connection under test: an engine that says what a test wants, in the test's
/// strand.
class H2Peer {
 public:
  /// Whether the windows open by themselves.
  enum class Reads : bool { No, Yes };

  explicit H2Peer(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  h2::Engine& engine() noexcept { return engine_; }
  Stream& stream() noexcept { return *stream_; }
  /// The last GOAWAY, and how many there were.
  std::optional<h2::Event> goaway;
  int goaways = 0;
  bool is_closed = false;

  /// Begins a request; sent with the next `turn`.
  H2Response& begin(const H2Request& request) {
    RequestHeader header = *RequestHeader::build(Method::Get, request.target);
    (void)header.set_method(Method::from(request.method));
    header.set_version(Version::Http2);
    (void)header.append_header(HeaderId::Host, "test");
    for (auto [name, value] : request.fields) (void)header.append_header(name, value);
    auto response = std::make_unique<H2Response>();
    h2::RequestParts parts;
    parts.protocol = request.protocol;
    parts.user_data = response.get();
    auto stream = engine_.submit_request(header, parts, request.end);
    PINGORA_ASSERT(stream.has_value());
    response->stream = *stream;
    responses_.push_back(std::move(response));
    return *responses_.back();
  }
  void write(H2Response& response, std::string_view text, EndOfStream end = EndOfStream::No) {
    engine_.submit_data(*response.stream, Bytes::copy_of(text), end);
  }

  /// Sends what there is to send.
  Task<> flush() {
    h2::Output output;
    for (engine_.take_output(output); !output.empty(); engine_.take_output(output)) {
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
    (void)engine_.feed(input.take(input.size()), Clock::now());
    take_events();
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
  /// Has the windows of `response`'s stream open by what has come, from now on or not any more.
  void set_reads(H2Response& response, Reads reads) {
    if (reads == Reads::No) {
      stalled_.emplace(response.stream, 0);
    } else if (auto node = stalled_.extract(response.stream)) {
      engine_.consume(*response.stream, node.mapped());
    }
  }

 private:
  void take_events() {
    while (auto event = engine_.next_event()) take(std::move(*event));
  }
  void take(h2::Event event) {
    using Kind = h2::Event::Kind;
    if (event.kind == Kind::GoAway) {
      ++goaways;
      goaway = std::move(event);
      return;
    }
    if (event.stream == nullptr) return;
    auto& response = *static_cast<H2Response*>(event.stream->user_data());
    switch (event.kind) {
      case Kind::Informational: response.informational.push_back(event.response->status()); break;
      case Kind::ResponseHead: response.head = std::move(event.response); break;
      case Kind::Data: take_data(response, event.data); break;
      case Kind::Trailers: response.trailers = std::move(event.trailers); break;
      case Kind::Reset: response.reset = event.code; break;
      case Kind::Closed: break;
      default: return;
    }
    bool has_ended = event.kind == Kind::Trailers || event.end == EndOfStream::Yes;
    if (has_ended) response.is_complete = true;
  }
  void take_data(H2Response& response, const Bytes& data) {
    response.body += data.view();
    auto stalled = stalled_.find(response.stream);
    if (stalled == stalled_.end()) {
      engine_.consume(*response.stream, data.size());
    } else {
      stalled->second += data.size();
    }
  }

  std::unique_ptr<Stream> stream_;
  h2::EngineOptions options_;
  h2::Engine engine_{h2::Role::Client, options_, Clock::now()};
  std::vector<std::unique_ptr<H2Response>> responses_;
  std::map<h2::EngineStream*, std::size_t> stalled_;
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

}  // namespace pingora::test
