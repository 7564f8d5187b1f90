// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "h2/engine_impl.h"

namespace pingora::h2 {
namespace {

// Between measurements that changed nothing: a PING is cheap, but some peers count them.
constexpr Duration kSampleInterval = std::chrono::milliseconds(500);

}  // namespace

void Engine::Impl::consume_for_connection(std::size_t bytes) {
  if (!has_failed_ && bytes != 0) check(nghttp2_session_consume_connection(session_, bytes));
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
  if (has_failed_) return;
  // What comes no more needs no window of its own.
  if (stream.is_closed_ || stream.receive_phase == StreamState::ReceivePhase::Done) {
    consume_for_connection(bytes);
  } else {
    sample(stream, bytes);
    check(nghttp2_session_consume(session_, static_cast<std::int32_t>(stream.id_), bytes));
  }
}

// Begins a measurement where a stream has had enough to be limited by its window, and goes on with
// the one that runs. What began it counts: a peer that waits for its window sends one window's
// worth at a time, and the next comes right behind the answer to the PING.
void Engine::Impl::sample(StreamState& stream, std::size_t size) {
  if (!is_sampling_) {
    bool is_at_most = stream.window >= options_.stream_window_bytes_max &&
                      connection_window_ >= options_.connection_window_bytes_max;
    std::uint64_t consumed = stream.data_received - stream.unconsumed_;
    if (is_at_most || consumed < stream.window / 2 || now_ < next_sample_) return;
    is_sampling_ = true;
    ++sample_;
    sampled_ = nullptr;
    sample_of_all_ = 0;
    submit_ping(kSamplePing);
    // All that fits in the first window has come within one round trip.
    if (stream.data_received <= stream.window) size = consumed;
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
  // Doubles what was used for the most part.
  auto grow = [this](std::uint32_t& window, std::uint32_t max, std::size_t used, std::uint32_t id) {
    if (window >= max || used < window / 3 * 2) return false;
    window = static_cast<std::uint32_t>(std::min<std::uint64_t>(max, std::uint64_t{window} * 2));
    check(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE,
                                                static_cast<std::int32_t>(id),
                                                static_cast<std::int32_t>(window)));
    return true;
  };
  bool has_grown =
      grow(connection_window_, options_.connection_window_bytes_max, sample_of_all_, 0);
  if (StreamState* stream = std::exchange(sampled_, nullptr)) {
    has_grown |=
        grow(stream->window, options_.stream_window_bytes_max, stream->sample_bytes, stream->id_);
  }
  next_sample_ = has_grown ? now_ : now_ + kSampleInterval;
}

}  // namespace pingora::h2
