// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Bodies as they arrive, and the ends of streams that the peer causes. Heads are in
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

// Bodies. All of a frame counts in the windows, its padding too (RFC 9113 §6.9.1).

void Engine::Impl::begin_data(const FrameHead& head) {
  data_of_ = nullptr;
  has_data_ = false;
  if (is_idle_id(head.stream_id)) {
    return break_off(ErrorCode::ProtocolError, "DATA on a stream that was not opened");
  }
  if (!window_.receive(head.size)) {
    return break_off(ErrorCode::FlowControlError, "more DATA than the connection's window");
  }
  if (StreamState* stream = table_.find(head.stream_id)) {
    begin_data_of(*stream, head);
  } else {
    check_not_ended(head.stream_id, FrameType::Data);
  }
}

void Engine::Impl::begin_data_of(StreamState& stream, const FrameHead& head) {
  if (stream.receive_phase == StreamState::ReceivePhase::Done) {
    return break_off(ErrorCode::StreamClosed, "DATA behind the end of a message");
  }
  if (!stream.window.receive(head.size)) {
    stream_error(stream, ErrorCode::FlowControlError, "more DATA than the stream's window");
    return destroy_if_done(stream);
  }
  if (stream.is_visible && stream.receive_phase == StreamState::ReceivePhase::Head) {
    return malformed(stream, "DATA before a head");
  }
  data_of_ = &stream;
}

void Engine::Impl::on_data_fixed(const FrameHead& head, std::string_view bytes) {
  std::uint32_t size = head.size - static_cast<std::uint32_t>(bytes.size());
  std::uint32_t padding = bytes.empty() ? 0 : read_number<1>(bytes);
  if (padding > size) {
    return break_off(ErrorCode::ProtocolError, "more padding than the frame has bytes");
  }
  data_left_ = size - padding;
  has_data_ = data_left_ != 0;
  if (data_of_ == nullptr) return consume_for_connection(head.size);
  std::uint32_t not_data = head.size - data_left_;
  consume_for_connection(not_data);
  consume_for_stream(*data_of_, not_data);
}

void Engine::Impl::on_data(std::string_view data) {
  if (data_of_ == nullptr) return;
  StreamState& stream = *data_of_;
  if (!stream.is_visible) return consume_for_connection(data.size());
  stream.data_received += data.size();
  if (stream.data_received > stream.content_length.value_or(UINT64_MAX)) {
    consume_for_connection(data.size());
    return malformed(stream, "a body longer than Content-Length");
  }
  stream.unconsumed_ += data.size();
  unconsumed_ += data.size();
  stream.piece_memory += kPieceOverhead;
  piece_memory_ += kPieceOverhead;
  Event& event = push_stream_event(stream, Event::Kind::Data);
  if (data.size() >= kSharedBytesMin) {
    event.data = input_->slice(static_cast<std::size_t>(data.data() - input_->data()), data.size());
  } else {
    event.data = Bytes::copy_of(data);
  }
}

void Engine::Impl::end_data(const FrameHead& head) {
  StreamState* stream = std::exchange(data_of_, nullptr);
  if (!head.has(frame_flag::kEndStream)) {
    if (!has_data_) {
      take_budget(empty_data_, &EngineCounters::empty_data_floods, "too many empty DATA frames");
    }
    return;
  }
  if (stream == nullptr) return;
  bool is_whole = end_message(*stream);
  if (stream->is_visible) {
    if (!is_whole) return malformed(*stream, "a body shorter than Content-Length");
    bool is_last_its = next_event_ != events_.size() && events_.back().stream == stream &&
                       events_.back().kind == Event::Kind::Data;
    Event& event = is_last_its ? events_.back() : push_stream_event(*stream, Event::Kind::Data);
    event.end = EndOfStream::Yes;
  } else {
    stream->receive_phase = StreamState::ReceivePhase::Done;
  }
  end_if_complete(*stream);
  destroy_if_done(*stream);
}

// Whether the message is as long as it said.
bool Engine::Impl::end_message(StreamState& stream) noexcept {
  if (stream.content_length.value_or(stream.data_received) != stream.data_received) return false;
  stream.receive_phase = StreamState::ReceivePhase::Done;
  stream.is_receive_done_ = true;
  return true;
}

// Ends of streams.

void Engine::Impl::charge_reset() {
  ++counters_.provoked_resets;
  if (role_ == Role::Client) return;
  take_budget(resets_, &EngineCounters::reset_floods, "too many resets");
}

void Engine::Impl::stream_error(StreamState& stream, ErrorCode code, std::string_view reason) {
  if (stream.is_visible) {
    push_reset(stream, code, Event::Origin::Engine);
    events_.back().reason = reason;
  }
  reset(stream, code);
  charge_reset();
}

void Engine::Impl::malformed(StreamState& stream, std::string_view reason) {
  ++counters_.malformed_messages;
  stream_error(stream, ErrorCode::ProtocolError, reason);
}

void Engine::Impl::on_rst_stream(const FrameHead& head, ErrorCode code) {
  if (StreamState* stream = table_.find(head.stream_id)) {
    ++counters_.peer_resets;
    reset_by_peer(*stream, code);
  }
  if (role_ == Role::Client) return;
  take_budget(resets_, &EngineCounters::reset_floods, "too many resets");
}

// By RST_STREAM, or by GOAWAY.
void Engine::Impl::reset_by_peer(StreamState& stream, ErrorCode code) {
  push_reset(stream, code, Event::Origin::Peer);
  stream.is_ended_by_peer = true;
  end_stream(stream);
  destroy_if_done(stream);
}

}  // namespace pingora::h2
