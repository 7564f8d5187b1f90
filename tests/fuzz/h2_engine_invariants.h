// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pingora/base/assert.h"
#include "pingora/h2/engine.h"

namespace pingora::fuzz {

/// The first byte of an input is the size of the pieces that it is fed in, the second says what the
/// program does with what it gets.
struct H2Input {
  std::string_view bytes;
  std::size_t piece = 1;
  unsigned behaviour = 0;

  H2Input(const std::uint8_t* data, std::size_t size)
      : bytes(reinterpret_cast<const char*>(data), size) {
    if (bytes.size() < 2) return;
    piece = static_cast<unsigned char>(bytes[0]);
    if (piece == 0) piece = bytes.size();
    behaviour = static_cast<unsigned char>(bytes[1]);
    bytes.remove_prefix(2);
  }
  bool does(unsigned bit) const noexcept { return (behaviour >> bit & 1) != 0; }
};

/// A program around an engine that is fed with anything. What must hold, whatever comes:
/// - the events of a stream come in order, begin with its head and end once;
/// - fields in them are free of what an HTTP/1 head can not have;
/// - data adds up to what is unconsumed, and to nothing once all streams are released;
/// - memory stays below the ceiling; a connection that failed says so and is finished.
class H2Program {
 public:
  // What one call may take before the ceiling is looked at, in nghttp2's decoder: twice the longest
  // string of a field, of 64 KiB, as soon as its length has come; and a little for the rest.
  static constexpr std::size_t kOnceBytes = 3 * 64 * 1024;

  H2Program(h2::Role role, const H2Input& input)
      : input_(input), options_(make_options(input)), engine_(role, options_, TimePoint()) {}

  h2::Engine& engine() noexcept { return engine_; }

  void feed_all() {
    std::string_view rest = input_.bytes;
    while (!rest.empty()) {
      std::string_view piece = rest.substr(0, input_.piece);
      rest.remove_prefix(piece.size());
      // Of a copy that ends where the piece does, so that reading beyond it is seen.
      static_cast<void>(engine_.feed(Bytes::copy_of(piece), TimePoint()));
      take_events();
      PINGORA_ASSERT(engine_.memory_used() <= options_.memory_bytes_max + kOnceBytes);
      if (input_.does(0)) take_output();
    }
    take_output();
  }

  /// Releases all streams and looks whether anything is left.
  void finish() {
    for (Seen& seen : streams_) release(seen);
    take_output();
    while (engine_.next_event()) {
    }
    PINGORA_ASSERT(engine_.unconsumed() == 0);
    // What was complete is still being sent, if the peer lets us.
    engine_.terminate(h2::ErrorCode::NoError, TimePoint());
    PINGORA_ASSERT(engine_.send_buffered() == 0);
    PINGORA_ASSERT(engine_.streams() == 0);
    take_output();
    PINGORA_ASSERT(engine_.is_finished());
  }

  void adopt(h2::EngineStream& stream) {
    stream.set_user_data(reinterpret_cast<void*>(streams_.size() + 1));
    streams_.push_back({&stream, false, false});
  }

 private:
  struct Seen {
    h2::EngineStream* stream;
    bool is_ended;     // the peer's message
    bool is_released;  // and gone
  };

  static h2::EngineOptions make_options(const H2Input& input) {
    h2::EngineOptions options;
    options.extended_connect = input.does(6) ? h2::ExtendedConnect::Yes : h2::ExtendedConnect::No;
    if (input.does(7)) {
      options.concurrent_streams_max = 3;
      options.header_list_bytes_max = 200;
      options.fields_max = 8;
      options.cookie_crumbs_max = 3;
      options.target_bytes_max = 10;
      options.stream_window_bytes = 100;
      options.memory_bytes_max = 64 * 1024;
      options.send_high_bytes = 100;
      options.send_low_bytes = 50;
      options.connection_send_bytes_max = 200;
    }
    return options;
  }

  void take_events() {
    std::size_t unconsumed = engine_.unconsumed();
    PINGORA_ASSERT(unconsumed <= options_.connection_window_bytes);
    while (std::optional<h2::Event> event = engine_.next_event()) on_event(*event);
  }

  void on_event(h2::Event& event) {
    using Kind = h2::Event::Kind;
    if (event.kind == Kind::RequestHead) {
      PINGORA_ASSERT(event.stream->user_data() == nullptr);
      check_request(event);
      adopt(*event.stream);
    }
    if (event.response != nullptr) check_fields(event.response->headers());
    if (event.trailers != nullptr) check_fields(*event.trailers);
    if (event.stream == nullptr) return;
    Seen& seen = streams_[reinterpret_cast<std::size_t>(event.stream->user_data()) - 1];
    PINGORA_ASSERT(seen.stream == event.stream && !seen.is_released);
    bool is_of_message =
        event.kind != Kind::Reset && event.kind != Kind::Closed && event.kind != Kind::Writable;
    PINGORA_ASSERT(!is_of_message || !seen.is_ended);
    if (event.end == EndOfStream::Yes) seen.is_ended = true;
    if (event.kind == Kind::Closed) PINGORA_ASSERT(seen.is_ended);
    if (event.kind == Kind::Closed || event.kind == Kind::Reset) return release(seen);
    if (input_.does(1)) engine_.consume(*event.stream, event.data.size());
    if (event.kind == Kind::RequestHead) answer(seen);
  }

  void check_request(const h2::Event& event) {
    const RequestHeader& request = *event.request;
    // One that is refused is what was understood before.
    const std::size_t hosts = request.headers().count(HeaderId::Host);
    PINGORA_ASSERT(hosts == 1 || (hosts == 0 && event.status != 0));
    check_fields(request.headers());
    for (char c : request.raw_target()) PINGORA_ASSERT(c > ' ' && c < 0x7f);
    PINGORA_ASSERT(is_token(request.method().text()));
  }

  static void check_fields(const HeaderMap& headers) {
    constexpr HeaderIdSet kNone = {HeaderId::Connection, HeaderId::TransferEncoding,
                                   HeaderId::Upgrade, HeaderId::KeepAlive};
    for (const HeaderMap::Entry& entry : headers.entries()) {
      PINGORA_ASSERT(is_token(entry.name_view()));
      PINGORA_ASSERT(is_field_value(entry.value_view()));
      PINGORA_ASSERT(!kNone.contains(entry.id));
      PINGORA_ASSERT(header_id(entry.name_view()) == entry.id);
      if ((entry.flags & HeaderMap::kVerbatim) == 0) continue;
      PINGORA_ASSERT(std::string_view(entry.value + entry.value_size, 2) == "\r\n");
    }
  }

  void answer(Seen& seen) {
    h2::EngineStream& stream = *seen.stream;
    if (input_.does(2)) return engine_.reset(stream, h2::ErrorCode::Cancel);
    if (!input_.does(3)) return;
    engine_.submit_informational(stream, ResponseHeader(103));
    PINGORA_ASSERT(engine_.submit_response(stream, ResponseHeader(200), {}, EndOfStream::No));
    engine_.submit_data(stream, Bytes::copy_of(std::string(300, 'x')), EndOfStream::No);
    if (input_.does(4)) {
      HeaderMap trailers;
      PINGORA_ASSERT(trailers.append("x-sum", "1"));
      engine_.submit_trailers(stream, trailers);
    } else {
      engine_.submit_data(stream, Bytes(), EndOfStream::Yes);
    }
    if (input_.does(5)) release(seen);
  }

  void release(Seen& seen) {
    if (std::exchange(seen.is_released, true)) return;
    engine_.release(*seen.stream);
  }

  void take_output() {
    while (engine_.has_output()) {
      h2::Output output;
      engine_.take_output(output);
      take_events();
      if (output.empty()) break;
    }
  }

  const H2Input input_;
  const h2::EngineOptions options_;
  h2::Engine engine_;
  std::vector<Seen> streams_;
};

}  // namespace pingora::fuzz
