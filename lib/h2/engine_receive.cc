// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Frames as they arrive: what they may cost us, bodies, and the ends of streams. Heads are in
// engine_heads.cc, what concerns the connection in engine_connection.cc.
#include <utility>

#include "h2/engine_impl.h"

namespace pingora::h2 {
namespace {

// What arrived is shared from here on, and copied below: a slice keeps its whole block alive, so a
// peer that sends little at a time would make us hold many times as much.
constexpr std::size_t kSharedBytesMin = 8 * 1024;
// What a piece of data takes beyond its bytes: here, in the block, and in the hands of the program.
constexpr std::size_t kPieceOverhead = 128;

}  // namespace

// Frames.

int Engine::Impl::take_budget(BudgetLeft& budget, std::uint64_t EngineCounters::* counter,
                              std::string_view reason) {
  if (budget.take(now_)) return 0;
  fail(ErrorCode::EnhanceYourCalm, counter, reason);
  return kStopConnection;
}

int Engine::Impl::break_off(ErrorCode code, std::string_view reason) {
  fail(code, &EngineCounters::protocol_errors, reason);
  return kStopConnection;
}

int Engine::Impl::on_frame_begin(const nghttp2_frame_hd& head) {
  bool is_ack = (head.flags & NGHTTP2_FLAG_ACK) != 0;
  if (role_ == Role::Server && head.type == NGHTTP2_HEADERS) {
    auto id = static_cast<std::uint32_t>(head.stream_id);
    if (int status = check_not_ended(id, NGHTTP2_HEADERS); status != 0) return status;
  }
  if (head.type == NGHTTP2_HEADERS || head.type == NGHTTP2_CONTINUATION) {
    if (head.type == NGHTTP2_HEADERS) {
      block_bytes_ = 0;
      head_begun_ = now_;
    }
    block_bytes_ += head.length;
    if (block_bytes_ <= options_.header_block_bytes_max) return 0;
    fail(ErrorCode::EnhanceYourCalm, &EngineCounters::header_block_floods,
         "a header block too large");
    return kStopConnection;
  }
  head_begun_ = kNever;
  switch (head.type) {
    case NGHTTP2_DATA: frame_data_ = 0; return 0;
    case NGHTTP2_RST_STREAM:
    case NGHTTP2_PUSH_PROMISE: return 0;
    case NGHTTP2_PING:
      if (is_ack) return 0;
      return take_budget(pings_, &EngineCounters::ping_floods, "too many PING frames");
    case NGHTTP2_SETTINGS:
      if (is_ack) return 0;
      return take_budget(settings_, &EngineCounters::settings_floods, "too many SETTINGS frames");
    case NGHTTP2_WINDOW_UPDATE:
      return take_budget(window_updates_, &EngineCounters::window_update_floods,
                         "too many WINDOW_UPDATE frames");
    case NGHTTP2_PRIORITY:
      if (head.stream_id == 0) return break_off(ErrorCode::ProtocolError, "PRIORITY of no stream");
      [[fallthrough]];
    case NGHTTP2_PRIORITY_UPDATE:
      return take_budget(priorities_, &EngineCounters::priority_floods,
                         "too many PRIORITY or PRIORITY_UPDATE frames");
    default:
      // GOAWAY too: one or two are all that an honest peer sends.
      return take_budget(unknown_frames_, &EngineCounters::unknown_frame_floods,
                         "too many frames of unknown types");
  }
}

int Engine::Impl::on_frame(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS: {
      head_begun_ = kNever;
      StreamState* stream = std::exchange(decoding_, nullptr);
      if (stream == nullptr) return 0;
      bool is_end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
      return on_head_end(*stream, is_end ? EndOfStream::Yes : EndOfStream::No);
    }
    case NGHTTP2_DATA: return on_data_end(frame);
    case NGHTTP2_RST_STREAM: return on_reset(frame);
    case NGHTTP2_SETTINGS:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) on_settings(frame);
      return 0;
    case NGHTTP2_PING: return (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0 ? on_ping_ack(frame) : 0;
    case NGHTTP2_GOAWAY: on_goaway(frame); return 0;
    case NGHTTP2_PRIORITY_UPDATE: on_priority_update(frame); return 0;
    default: return 0;
  }
}

// Bodies.

int Engine::Impl::on_data(std::int32_t id, std::string_view data) {
  frame_data_ += data.size();
  auto* stream = static_cast<StreamState*>(nghttp2_session_get_stream_user_data(session_, id));
  if (stream == nullptr || !stream->is_visible) {
    consume_for_connection(data.size());
    return 0;
  }
  bool is_early = stream->receive_phase == StreamState::ReceivePhase::Head;
  stream->data_received += data.size();
  if (is_early || stream->data_received > stream->content_length.value_or(UINT64_MAX)) {
    consume_for_connection(data.size());
    return stream_error(*stream, ErrorCode::ProtocolError,
                        is_early ? "DATA before a head" : "a body longer than Content-Length");
  }
  stream->unconsumed_ += data.size();
  unconsumed_ += data.size();
  stream->piece_memory += kPieceOverhead;
  piece_memory_ += kPieceOverhead;
  Event& event = push_stream_event(*stream, Event::Kind::Data);
  if (data.size() >= kSharedBytesMin) {
    event.data = input_->slice(static_cast<std::size_t>(data.data() - input_->data()), data.size());
  } else {
    event.data = Bytes::copy_of(data);
  }
  return 0;
}

int Engine::Impl::on_data_end(const nghttp2_frame& frame) {
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
    if (frame_data_ != 0) return 0;
    return take_budget(empty_data_, &EngineCounters::empty_data_floods,
                       "too many empty DATA frames");
  }
  auto* stream =
      static_cast<StreamState*>(nghttp2_session_get_stream_user_data(session_, frame.hd.stream_id));
  if (stream == nullptr) return 0;
  if (stream->receive_phase == StreamState::ReceivePhase::Head && stream->is_visible) {
    return stream_error(*stream, ErrorCode::ProtocolError, "a stream that ends before its head");
  }
  bool is_whole = end_message(*stream);
  if (!stream->is_visible) return 0;
  if (!is_whole) {
    return stream_error(*stream, ErrorCode::ProtocolError, "a body shorter than Content-Length");
  }
  bool is_last_its = next_event_ != events_.size() && events_.back().stream == stream &&
                     events_.back().kind == Event::Kind::Data;
  Event& event = is_last_its ? events_.back() : push_stream_event(*stream, Event::Kind::Data);
  event.end = EndOfStream::Yes;
  return 0;
}

// Whether the message is as long as it said.
bool Engine::Impl::end_message(StreamState& stream) noexcept {
  if (stream.content_length.value_or(stream.data_received) != stream.data_received) return false;
  stream.receive_phase = StreamState::ReceivePhase::Done;
  stream.is_receive_done_ = true;
  return true;
}

// Ends of streams.

int Engine::Impl::charge_reset() {
  ++counters_.provoked_resets;
  if (role_ == Role::Client) return 0;
  return take_budget(resets_, &EngineCounters::reset_floods, "too many resets");
}

int Engine::Impl::stream_error(StreamState& stream, ErrorCode code, std::string_view reason) {
  if (code == ErrorCode::ProtocolError) ++counters_.malformed_messages;
  if (stream.is_visible) {
    push_reset(stream, code, Event::Origin::Engine);
    events_.back().reason = reason;
  }
  reset(stream, code);
  return charge_reset();
}

int Engine::Impl::on_reset(const nghttp2_frame& frame) {
  auto* stream =
      static_cast<StreamState*>(nghttp2_session_get_stream_user_data(session_, frame.hd.stream_id));
  if (stream != nullptr) {
    stream->is_reset_by_peer = true;
    ++counters_.peer_resets;
  }
  if (role_ == Role::Client) return 0;
  return take_budget(resets_, &EngineCounters::reset_floods, "too many resets");
}

int Engine::Impl::on_stream_closed(StreamState& stream, std::uint32_t code) {
  bool is_complete = stream.receive_phase == StreamState::ReceivePhase::Done &&
                     stream.is_end_sent && code == NGHTTP2_NO_ERROR;
  // Neither side has a use for these any more: nghttp2 has not, the program never had.
  bool was_owned = stream.is_visible || stream.was_reset || stream.is_released;
  note_ended(stream.id_, is_complete || stream.is_reset_by_peer);
  close(stream);
  if (is_complete) {
    if (!stream.is_refused) {
      ++counters_.streams_completed;
      resets_.give_back(1);
    }
    if (std::exchange(stream.is_visible, false)) push_stream_event(stream, Event::Kind::Closed);
  } else {
    bool is_from_peer = stream.is_reset_by_peer || code == NGHTTP2_REFUSED_STREAM;
    push_reset(stream, static_cast<ErrorCode>(code),
               is_from_peer ? Event::Origin::Peer : Event::Origin::Engine);
  }
  // Work may still be going on for a request that was reset. For one of ours there is none at the
  // peer's.
  if (is_complete || role_ == Role::Client) uncount(stream);
  if (!was_owned) stream.is_released = true;
  destroy_if_done(stream);
  return 0;
}

}  // namespace pingora::h2
