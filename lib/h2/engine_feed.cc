// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What arrives, on its way to nghttp2; and the frames that nghttp2 passes over without a word, of
// which some are errors.
#include <algorithm>

#include "h2/engine_impl.h"

namespace pingora::h2 {

// Frames that need a look are looked at in their place: when nghttp2 has had what is before them.
Result<void> Engine::Impl::feed(const Bytes& input, TimePoint now) {
  now_ = now;
  if (has_failed_) return pingora::fail(ErrorType::H2Error, failure_reason_);
  input_ = &input;
  std::string_view bytes = input.view();
  std::size_t given = 0;
  std::uint32_t head_of = 0;  // the stream with the last head in this input
  bool is_any_reset = walk_.is_within(NGHTTP2_RST_STREAM);  // in this input, before
  for (std::size_t at = 0; auto start = walk_.next(bytes, at);) {
    switch (start->type) {
      case NGHTTP2_HEADERS: head_of = start->stream_id; continue;
      case NGHTTP2_RST_STREAM: is_any_reset = true; continue;
      case NGHTTP2_DATA:
        if (!is_any_reset && (start->stream_id == head_of || is_expected(*start))) continue;
        break;
      case NGHTTP2_PRIORITY:
        if (start->dependency != start->stream_id || start->stream_id == 0) continue;
        break;
      default: continue;
    }
    deliver(bytes.substr(given, start->at - given));
    given = start->at;
    if (!has_failed_) look_at(*start);
    if (has_failed_) break;
  }
  if (!has_failed_) deliver(bytes.substr(given));
  input_ = nullptr;
  settle();
  if (has_failed_) return pingora::fail(ErrorType::H2Error, failure_reason_);
  return {};
}

void Engine::Impl::deliver(std::string_view bytes) {
  if (bytes.empty()) return;
  auto taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  switch (taken) {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
      fail(ErrorCode::ProtocolError, &EngineCounters::protocol_errors, "no HTTP/2 preface");
      break;
    case NGHTTP2_ERR_FLOODED:
      fail(ErrorCode::EnhanceYourCalm, &EngineCounters::ack_floods,
           "acknowledgements that are not read");
      break;
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
      fail(ErrorCode::EnhanceYourCalm, &EngineCounters::header_block_floods,
           "too many CONTINUATION frames");
      break;
    case NGHTTP2_ERR_NOMEM: check(NGHTTP2_ERR_NOMEM); break;
    default:
      if (taken < 0) fail(ErrorCode::InternalError, nullptr, "the HTTP/2 engine failed");
  }
}

StreamState* Engine::Impl::find_stream(std::uint32_t id) const noexcept {
  return static_cast<StreamState*>(
      nghttp2_session_get_stream_user_data(session_, static_cast<std::int32_t>(id)));
}

// Whether nghttp2 does with this DATA what should be done.
bool Engine::Impl::is_expected(const FrameStart& start) const noexcept {
  const StreamState* stream = find_stream(start.stream_id);
  if (role_ == Role::Client) return stream == nullptr || !is_early(*stream);
  return stream != nullptr || !is_old(start.stream_id);
}

bool Engine::Impl::is_early(const StreamState& stream) noexcept {
  return stream.is_visible && stream.receive_phase == StreamState::ReceivePhase::Head;
}

// Of a server: whether nghttp2 has had the stream once.
bool Engine::Impl::is_old(std::uint32_t id) const noexcept {
  auto last = static_cast<std::uint32_t>(nghttp2_session_get_last_proc_stream_id(session_));
  return id != 0 && id <= last;
}

void Engine::Impl::look_at(const FrameStart& start) {
  if (start.type == NGHTTP2_PRIORITY) {
    // RFC 7540 §5.3.1. An error of the stream, which need not have been opened: no honest peer
    // sends this.
    break_off(ErrorCode::ProtocolError, "a stream that depends on itself");
    return;
  }
  StreamState* stream = find_stream(start.stream_id);
  if (role_ == Role::Client) {
    // A malformed response (RFC 9113 §8.1.1), which nghttp2 would end the connection for. What it
    // finds closing, it ignores.
    if (stream == nullptr || !is_early(*stream)) return;
    stream_error(*stream, ErrorCode::ProtocolError, "DATA before a head");
    return;
  }
  if (stream != nullptr || !is_old(start.stream_id)) return;
  if (check_not_ended(start.stream_id, NGHTTP2_DATA) != 0) return;
  bool is_empty = start.size == 0 && (start.flags & NGHTTP2_FLAG_END_STREAM) == 0;
  if (is_empty) {
    take_budget(empty_data_, &EngineCounters::empty_data_floods, "too many empty DATA frames");
  }
}

// nghttp2 takes no notice of frames on streams that it has forgotten, because some are still on
// their way when we reset a stream. Here are those that can not be (RFC 9113 §5.1, §5.1.1): of
// streams that the peer has ended itself, and of ones that were passed over. As far as we remember.
int Engine::Impl::check_not_ended(std::uint32_t id, std::uint8_t type) {
  if (!is_old(id) || find_stream(id) != nullptr) return 0;
  const auto* ended =
      std::find_if(ended_.begin(), ended_.end(), [id](const Ended& each) { return each.id == id; });
  if (ended != ended_.end()) {
    return ended->by_peer ? break_off(ErrorCode::StreamClosed, "a frame behind the end of a stream")
                          : 0;
  }
  bool remembers_all = ended_count_ <= ended_.size();
  if (type != NGHTTP2_HEADERS || !remembers_all) return 0;
  return break_off(ErrorCode::ProtocolError, "a stream below the last");
}

}  // namespace pingora::h2
