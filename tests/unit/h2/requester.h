// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pingora/base/assert.h"
#include "pingora/h2/engine.h"

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

/// A client's engine that says what a test wants and keeps what comes back. Whoever has it carries
/// its bytes.
class H2Requester {
 public:
  /// Whether the windows open by themselves.
  enum class Reads : bool { No, Yes };

  H2Requester() = default;
  H2Requester(const H2Requester&) = delete;
  H2Requester& operator=(const H2Requester&) = delete;

  h2::Engine& engine() noexcept { return engine_; }
  /// The last GOAWAY, and how many there were.
  std::optional<h2::Event> goaway;
  int goaways = 0;

  /// Begins a request; sent with what is carried next.
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
  /// Has the windows of `response`'s stream open by what has come, from now on or not any more.
  void set_reads(H2Response& response, Reads reads) {
    if (reads == Reads::No) {
      stalled_.emplace(response.stream, 0);
    } else if (auto node = stalled_.extract(response.stream)) {
      engine_.consume(*response.stream, node.mapped());
    }
  }
  /// Takes what has arrived.
  void feed(const Bytes& input) {
    (void)engine_.feed(input, Clock::now());
    take_events();
  }

 protected:
  void take_events() {
    while (auto event = engine_.next_event()) take(std::move(*event));
  }

 private:
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

  h2::EngineOptions options_;
  h2::Engine engine_{h2::Role::Client, options_, Clock::now()};
  std::vector<std::unique_ptr<H2Response>> responses_;
  std::map<h2::EngineStream*, std::size_t> stalled_;
};

}  // namespace pingora::test
