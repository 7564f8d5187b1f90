// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Flow control (RFC 9113 §5.2): what the peer gives us, what we give it, and how that grows.
#include <algorithm>
#include <utility>

#include "h2/engine_impl.h"
#include "h2/frame_writer.h"

namespace pingora::h2 {
namespace {

// Between measurements that changed nothing: a PING is cheap, but some peers count them.
constexpr Duration kSampleInterval = std::chrono::milliseconds(500);

}  // namespace

// The peer's windows.

void Engine::Impl::on_window_update(const FrameHead& head, std::uint32_t increment) {
  if (head.stream_id == 0) {
    if (increment == 0) return break_off(ErrorCode::ProtocolError, "a window that grows by 0");
    send_window_ += increment;
    if (send_window_ > kWindowMax) break_off(ErrorCode::FlowControlError, "a window too large");
    return;
  }
  StreamState* stream = table_.find(head.stream_id);
  if (stream == nullptr) return;
  stream->send_window += increment;
  if (increment == 0) {
    stream_error(*stream, ErrorCode::ProtocolError, "a window that grows by 0");
  } else if (stream->send_window > kWindowMax) {
    stream_error(*stream, ErrorCode::FlowControlError, "a window too large");
  } else {
    return schedule(*stream);
  }
  destroy_if_done(*stream);
}

// What the peer announces for each stream changes those that are open, too (RFC 9113 §6.9.2).
// False: the connection has failed.
bool Engine::Impl::apply_stream_window(std::uint32_t size) {
  std::int64_t change = std::int64_t{size} - peer_settings_.stream_window_bytes;
  peer_settings_.stream_window_bytes = size;
  bool is_too_large = false;
  table_.for_each([&](std::uint32_t, StreamState& stream) {
    stream.send_window += change;
    is_too_large |= stream.send_window > kWindowMax;
    if (stream.send_window <= 0) Schedule::remove(stream.turn);
    schedule(stream);
  });
  if (is_too_large) break_off(ErrorCode::FlowControlError, "a window too large");
  return !is_too_large;
}

// Ours.

void Engine::Impl::consume_for_connection(std::uint64_t bytes) {
  if (has_failed_) return;
  if (std::uint32_t given_back = window_.consume(bytes)) {
    write_window_update(queue_, 0, given_back);
  }
}

void Engine::Impl::consume_for_stream(StreamState& stream, std::uint64_t bytes) {
  if (has_failed_) return;
  if (std::uint32_t given_back = stream.window.consume(bytes)) {
    write_window_update(queue_, stream.id_, given_back);
  }
}

void Engine::Impl::consume(StreamState& stream, std::size_t bytes) {
  bytes = std::min(bytes, stream.unconsumed_);
  if (bytes == 0) return;
  // Pieces go with their bytes, on average.
  auto overhead = static_cast<std::size_t>(static_cast<double>(stream.piece_memory) *
                                           static_cast<double>(bytes) /
                                           static_cast<double>(stream.unconsumed_));
  stream.piece_memory -= overhead;
  piece_memory_ -= overhead;
  stream.unconsumed_ -= bytes;
  unconsumed_ -= bytes;
  consume_for_connection(bytes);
  // What comes no more needs no window of its own.
  if (stream.is_closed_ || stream.receive_phase == StreamState::ReceivePhase::Done) return;
  sample(stream, bytes);
  consume_for_stream(stream, bytes);
}

// Begins a measurement where a stream has had enough to be limited by its window, and goes on with
// the one that runs. What began it counts: a peer that waits for its window sends one window's
// worth at a time, and the next comes right behind the answer to the PING.
void Engine::Impl::sample(StreamState& stream, std::size_t size) {
  if (!is_sampling_) {
    bool is_at_most = stream.window.size() >= options_.stream_window_bytes_max &&
                      window_.size() >= options_.connection_window_bytes_max;
    std::uint64_t consumed = stream.data_received - stream.unconsumed_;
    if (is_at_most || consumed < stream.window.size() / 2 || now_ < next_sample_) return;
    is_sampling_ = true;
    ++sample_;
    sampled_ = nullptr;
    sample_of_all_ = 0;
    submit_ping(kSamplePing);
    // All that fits in the first window has come within one round trip.
    if (stream.data_received <= stream.window.size()) size = consumed;
  }
  if (stream.sample != sample_) {
    stream.sample = sample_;
    stream.sample_bytes = 0;
  }
  stream.sample_bytes += size;
  sample_of_all_ += size;
  if (sampled_ == nullptr || stream.sample_bytes > sampled_->sample_bytes) sampled_ = &stream;
}

void Engine::Impl::end_sample() {
  is_sampling_ = false;
  bool has_grown = grow(window_, options_.connection_window_bytes_max, sample_of_all_, 0);
  if (StreamState* stream = std::exchange(sampled_, nullptr)) {
    has_grown |=
        grow(stream->window, options_.stream_window_bytes_max, stream->sample_bytes, stream->id_);
  }
  next_sample_ = has_grown ? now_ : now_ + kSampleInterval;
}

// Doubles what was used for the most part.
bool Engine::Impl::grow(ReceiveWindow& window, std::uint32_t max, std::size_t used,
                        std::uint32_t stream_id) {
  std::uint32_t size = window.size();
  if (size >= max || used < size / 3 * 2) return false;
  auto larger = static_cast<std::uint32_t>(std::min<std::uint64_t>(max, std::uint64_t{size} * 2));
  write_window_update(queue_, stream_id, window.grow(larger));
  return true;
}

}  // namespace pingora::h2
