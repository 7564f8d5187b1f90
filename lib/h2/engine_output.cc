// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What is handed out: the frames that are queued, then data as windows and turns allow.
#include <algorithm>
#include <utility>

#include "h2/engine_impl.h"

namespace pingora::h2 {
namespace {

// The WINDOW_UPDATE frames that a frame of DATA may be answered with.
constexpr std::uint32_t kCreditForData = 4;

}  // namespace

bool Engine::Impl::has_output() noexcept {
  return !queue_.empty() || (!has_failed_ && send_window_ > 0 && schedule_.next() != nullptr);
}

void Engine::Impl::take_output(Output& out, std::size_t bytes_max) {
  while (out.size() < bytes_max && has_output()) {
    if (queue_.empty()) {
      send_data(schedule_.next()->stream, out);
    } else {
      out.take(queue_, bytes_max - out.size());
      if (queue_.empty()) on_queue_taken();
    }
  }
  settle();
}

void Engine::Impl::on_queue_taken() {
  acks_queued_ = 0;
  for (std::uint32_t id : ends_queued_) {
    if (StreamState* stream = table_.find(id)) on_end_sent(*stream);
  }
  ends_queued_.clear();
}

void Engine::Impl::schedule(StreamState& stream) {
  if (stream.turn.is_linked() || stream.send_window <= 0 || stream.queue.size() == 0) return;
  schedule_.add(stream.turn, stream.urgency_);
}

// The next frame of a stream whose turn it is.
void Engine::Impl::send_data(StreamState& stream, Output& out) {
  std::int64_t window =
      std::min({stream.send_window, send_window_, std::int64_t{kFrameBytesDefault}});
  std::size_t size = std::min(stream.queue.size(), static_cast<std::size_t>(window));
  bool is_all = size == stream.queue.size();
  bool is_end = is_all && stream.is_send_done_ && stream.trailers == nullptr;
  std::uint8_t flags = is_end ? frame_flag::kEndStream : frame_flag::kNone;
  write_frame_head(out.prepare(kFrameHeadSize),
                   {static_cast<std::uint32_t>(size), FrameType::Data, flags, stream.id_});
  out.commit(kFrameHeadSize);
  stream.queue.move_to(out, size);
  stream.send_window -= static_cast<std::int64_t>(size);
  send_window_ -= static_cast<std::int64_t>(size);
  stream.send_buffered_ -= size;
  send_buffered_ -= size;
  window_updates_.give_back(kCreditForData);

  bool takes_turns = stream.is_incremental_ || role_ == Role::Client;
  if (is_all || stream.send_window <= 0 || takes_turns) Schedule::remove(stream.turn);
  schedule(stream);
  if (is_send_full_) wake_writers();
  wake_writer(stream);
  if (is_end) return on_end_sent(stream);
  if (!is_all) return;
  if (std::unique_ptr<HeaderMap> trailers = std::move(stream.trailers)) {
    write_trailers(stream, *trailers);
    destroy_if_done(stream);
  }
}

// END_STREAM was handed out.
void Engine::Impl::on_end_sent(StreamState& stream) {
  stream.is_end_sent = true;
  end_if_complete(stream);
  if (stream.resets_when_sent) reset(stream, ErrorCode::NoError);
  destroy_if_done(stream);
}

// Writers that wait.

void Engine::Impl::wake_writer(StreamState& stream) {
  if (stream.is_writable_ || is_send_full_ || stream.send_buffered_ > options_.send_low_bytes) {
    return;
  }
  stream.is_writable_ = true;
  if (stream.is_visible && !stream.is_send_done_) {
    push_stream_event(stream, Event::Kind::Writable);
  }
}

// The connection has room again for all who wait.
void Engine::Impl::wake_writers() {
  if (send_buffered_ > options_.connection_send_bytes_max / 2) return;
  is_send_full_ = false;
  for (StreamState* stream = streams_.front(); stream != nullptr; stream = streams_.next(*stream)) {
    if (!stream->is_closed_) wake_writer(*stream);
  }
}

}  // namespace pingora::h2
