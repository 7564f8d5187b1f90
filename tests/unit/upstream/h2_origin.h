// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pingora/h2/engine.h"
#include "scripted_origin.h"

namespace pingora {

/// A connection to an origin of HTTP/2, as its script sees it: an engine in the strand of the
/// connection.
class H2OriginPeer {
 public:
  struct Request {
    h2::EngineStream* stream = nullptr;
    std::string body;
    std::optional<h2::ErrorCode> reset;
    bool is_complete = false;
  };
  /// Whether the windows open by what comes.
  enum class Reads : bool { No, Yes };

  explicit H2OriginPeer(Stream& stream, Reads reads = Reads::Yes,
                        const h2::EngineOptions& options = default_options())
      : stream_(stream), reads_(reads), engine_(h2::Role::Server, options, Clock::now()) {}

  h2::Engine& engine() noexcept { return engine_; }
  /// All there were, in order.
  std::vector<std::unique_ptr<Request>>& requests() noexcept { return requests_; }

  void respond(Request& request, std::string_view body, EndOfStream end = EndOfStream::Yes) {
    ResponseHeader header;
    (void)engine_.submit_response(*request.stream, header, {}, EndOfStream::No);
    engine_.submit_data(*request.stream, Bytes::copy_of(body), end);
  }
  /// Sends, and takes what comes; false at the end.
  Task<bool> turn() {
    co_await flush();
    Buffer input;
    auto read = co_await as_result(stream_.read(input));
    if (!read || *read == 0) co_return false;
    (void)engine_.feed(input.take(input.size()), Clock::now());
    take_events();
    co_await flush();
    co_return true;
  }
  /// Turns until `done`, or the end; gives what `done` says.
  Task<bool> until(std::function<bool()> done) {
    while (!done()) {
      if (!co_await turn()) co_return done();
    }
    co_await flush();
    co_return true;
  }
  /// Answers every complete request with `body`, to the end.
  Task<> answer_all(std::string body) {
    std::size_t answered = 0;
    do {
      for (; answered < requests_.size() && requests_[answered]->is_complete; ++answered) {
        respond(*requests_[answered], body);
      }
    } while (co_await turn());
  }

 private:
  static const h2::EngineOptions& default_options() {
    static const h2::EngineOptions kOptions;
    return kOptions;
  }
  void take_events() {
    while (auto event = engine_.next_event()) {
      using Kind = h2::Event::Kind;
      if (event->kind == Kind::RequestHead) {
        requests_.push_back(std::make_unique<Request>());
        requests_.back()->stream = event->stream;
        event->stream->set_user_data(requests_.back().get());
      }
      if (event->stream == nullptr) continue;
      auto& request = *static_cast<Request*>(event->stream->user_data());
      request.body += event->data.view();
      if (reads_ == Reads::Yes) engine_.consume(*event->stream, event->data.size());
      if (event->kind == Kind::Reset) request.reset = event->code;
      bool may_end = event->kind == Kind::RequestHead || event->kind == Kind::Data;
      request.is_complete |= may_end && event->end == EndOfStream::Yes;
    }
  }
  Task<> flush() {
    h2::Output output;
    for (engine_.take_output(output); !output.empty(); engine_.take_output(output)) {
      Bytes piece = output.pieces()[0];
      co_await stream_.write({piece.view()});
      output.consume(piece.size());
    }
    take_events();
  }

  Stream& stream_;
  Reads reads_;
  h2::Engine engine_;
  std::vector<std::unique_ptr<Request>> requests_;
};

/// Answers every request with `body`.
inline ScriptedOrigin::Script answer_h2_with(std::string body) {
  return [body = std::move(body)](Stream& stream, int) -> Task<> {
    H2OriginPeer peer(stream);
    co_await peer.answer_all(body);
  };
}

inline HttpPeer h2_peer(const SocketAddress& address) {
  HttpPeer peer(address);
  peer.options.alpn = Alpn::H2;
  return peer;
}

}  // namespace pingora
