// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pingora/h2/engine.h"
#include "pingora/testing/origin_server.h"
#include "pingora/testing/test_client.h"
#include "pingora/upstream/http_peer.h"
#include "unit/h2/requester.h"

namespace pingora {

/// Sends what an engine has to send. Whether all of it went.
inline bool send_output(WireConnection& wire, h2::Engine& engine) {
  while (engine.has_output()) {
    h2::Output output;
    engine.take_output(output);
    if (output.empty()) break;
    for (const Bytes& piece : output.pieces()) {
      if (!wire.send(piece.view())) return false;
    }
  }
  return true;
}

/// The next frame, or less at the end of the stream.
inline std::string receive_frame(WireConnection& wire) {
  constexpr std::size_t kHeadSize = 9;
  std::string frame = wire.receive(kHeadSize);
  if (frame.size() < kHeadSize) return {};
  std::size_t size = 0;
  for (std::size_t i = 0; i < 3; ++i) size = size << 8 | static_cast<unsigned char>(frame[i]);
  return frame + wire.receive(size);
}

/// A client of HTTP/2, by prior knowledge, that blocks the test's thread while it waits.
class H2TestClient : public test::H2Requester {
 public:
  explicit H2TestClient(const SocketAddress& address) : wire_(address) {}

  TestClient& wire() noexcept { return wire_; }
  void send() { send_output(wire_, engine()); }
  /// Sends and receives until `done()`; false if the connection ends before.
  bool until(const std::function<bool()>& done) {
    for (send(); !done(); send()) {
      std::string frame = receive_frame(wire_);
      if (frame.empty()) return false;
      feed(Bytes::copy_of(frame));
    }
    return true;
  }
  bool until_ended(test::H2Response& response) {
    return until([&] { return response.is_complete || response.reset.has_value(); });
  }
  /// A request, and what came of it.
  test::H2Response& ask(const test::H2Request& request, std::string_view body = {}) {
    test::H2Response& response = begin(request);
    if (!body.empty()) write(response, body, EndOfStream::Yes);
    until_ended(response);
    return response;
  }

 private:
  TestClient wire_;
};

/// An origin's end of a connection of HTTP/2, for the scripts of an OriginServer.
class H2Served {
 public:
  struct Request {
    h2::EngineStream* stream = nullptr;
    std::unique_ptr<RequestHeader> head;
    std::string body;
    std::unique_ptr<HeaderMap> trailers;
    std::optional<h2::ErrorCode> reset;
    bool is_complete = false;
    bool is_answered = false;  // or reset by us
  };

  explicit H2Served(OriginConnection& connection) : wire_(connection) {
    feed(wire_.receive(24));  // the preface
  }
  H2Served(const H2Served&) = delete;
  H2Served& operator=(const H2Served&) = delete;

  h2::Engine& engine() noexcept { return engine_; }
  /// All requests so far, in order.
  std::list<Request>& requests() noexcept { return requests_; }
  void send() { send_output(wire_, engine_); }
  /// Sends and receives until `done()`; false if the connection ends before.
  bool until(const std::function<bool()>& done) {
    for (send(); !done(); send()) {
      std::string frame = receive_frame(wire_);
      if (frame.empty()) return false;
      feed(frame);
    }
    return true;
  }
  /// The n-th request, from 1, once its head is there, or all of it; null if none comes.
  Request* head(std::size_t number) {
    bool is_there = until([&] { return requests_.size() >= number; });
    return is_there ? &*std::next(requests_.begin(), static_cast<std::ptrdiff_t>(number) - 1)
                    : nullptr;
  }
  Request* whole(std::size_t number) {
    Request* request = head(number);
    bool is_there = request != nullptr && until([&] { return request->is_complete; });
    return is_there ? request : nullptr;
  }
  void respond(Request& request, std::string_view body, EndOfStream end = EndOfStream::Yes) {
    request.is_answered = true;
    (void)engine_.submit_response(*request.stream, ResponseHeader(200), {}, EndOfStream::No);
    engine_.submit_data(*request.stream, Bytes::copy_of(body), end);
    send();
  }
  void reset(Request& request, h2::ErrorCode code) {
    request.is_answered = true;
    engine_.reset(*request.stream, code);
    send();
  }
  /// Until the connection ends, answers every request that is complete and was not answered.
  void answer_all(std::string_view body) {
    Request* next = nullptr;
    auto is_next = [](const Request& each) {
      return each.is_complete && !each.is_answered && !each.reset;
    };
    while (until([&] {
      auto found = std::find_if(requests_.begin(), requests_.end(), is_next);
      next = found != requests_.end() ? &*found : nullptr;
      return next != nullptr;
    })) {
      respond(*next, body);
    }
  }
  /// Until the connection ends.
  void drain() {
    until([] { return false; });
  }

  static OriginServer::Script answering(std::string body) {
    return [body = std::move(body)](OriginConnection& connection) {
      H2Served(connection).answer_all(body);
    };
  }

 private:
  void feed(std::string_view bytes) {
    (void)engine_.feed(Bytes::copy_of(bytes), Clock::now());
    while (auto event = engine_.next_event()) take(std::move(*event));
  }
  void take(h2::Event event) {
    using Kind = h2::Event::Kind;
    if (event.stream == nullptr) return;
    if (event.kind == Kind::RequestHead) {
      Request& request = requests_.emplace_back();
      event.stream->set_user_data(&request);
      request.stream = event.stream;
      request.head = std::move(event.request);
    }
    auto& request = *static_cast<Request*>(event.stream->user_data());
    if (event.kind == Kind::Data) {
      request.body += event.data.view();
      engine_.consume(*event.stream, event.data.size());
    }
    if (event.kind == Kind::Trailers) request.trailers = std::move(event.trailers);
    if (event.kind == Kind::Reset) request.reset = event.code;
    if (event.kind == Kind::Trailers || event.end == EndOfStream::Yes) request.is_complete = true;
  }

  OriginConnection& wire_;
  h2::EngineOptions options_;
  h2::Engine engine_{h2::Role::Server, options_, Clock::now()};
  std::list<Request> requests_;
};

/// A peer that is spoken HTTP/2 to, by prior knowledge.
inline HttpPeer h2_peer(const SocketAddress& address) {
  HttpPeer peer(address);
  peer.options.alpn = Alpn::H2;
  return peer;
}

}  // namespace pingora
