// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "h2/receive_window.h"
#include "h2/schedule.h"
#include "pingora/base/bytes.h"
#include "pingora/base/intrusive_list.h"
#include "pingora/base/pooled.h"
#include "pingora/h2/engine_stream.h"
#include "pingora/h2/output.h"
#include "pingora/http/header_map.h"

namespace pingora::h2 {

/// Bytes in the order in which they were pushed. One piece, which is all that most streams ever
/// have, needs no memory beyond it.
class PieceQueue {
 public:
  std::size_t size() const noexcept { return size_; }
  void push(Bytes bytes) {
    if (bytes.empty()) return;
    if (size_ == 0) {
      first_ = std::move(bytes);
      size_ = first_.size();
      return;
    }
    size_ += bytes.size();
    more_.push_back(std::move(bytes));
  }
  /// Moves the first `size` bytes to `out`.
  void move_to(Output& out, std::size_t size) {
    size_ -= size;
    while (size >= first_.size() && size != 0) {
      size -= first_.size();
      out.append(std::move(first_));
      if (next_ != more_.size()) first_ = std::move(more_[next_++]);
    }
    if (size != 0) out.append(first_.split_to(size));
    if (next_ == more_.size()) clear_rest();
  }
  void clear() noexcept {
    first_ = Bytes();
    size_ = 0;
    clear_rest();
  }

 private:
  void clear_rest() noexcept {
    more_.clear();
    next_ = 0;
  }

  Bytes first_;
  std::size_t size_ = 0;
  std::vector<Bytes> more_;  // behind the first, from `next_` on
  std::size_t next_ = 0;
};

/// What the engine knows of a stream. It exists until the stream has ended, the program has
/// released it, and no event for it is left: whichever comes last.
class StreamState final : public EngineStream, public ListHook, public Pooled {
 public:
  enum class ReceivePhase : std::uint8_t {
    /// Waiting for the final head.
    Head,
    Body,
    /// The message is complete.
    Done,
  };

  StreamState(std::uint32_t id, std::uint32_t receive_window, std::uint32_t send_window) noexcept
      : window(receive_window), send_window(send_window) {
    id_ = id;
  }

  // The part that the program sees.
  using EngineStream::id_;
  using EngineStream::is_closed_;
  using EngineStream::is_incremental_;
  using EngineStream::is_receive_done_;
  using EngineStream::is_send_done_;
  using EngineStream::is_writable_;
  using EngineStream::send_buffered_;
  using EngineStream::unconsumed_;
  using EngineStream::urgency_;
  using EngineStream::user_data_;

  // Receiving.
  ReceivePhase receive_phase = ReceivePhase::Head;
  /// Events are made for it. Not before a request's head was good, nor after a reset or release.
  bool is_visible = false;
  /// HEAD, whose response has no body whatever its Content-Length says.
  bool is_head_request = false;
  bool is_connect = false;
  std::optional<std::uint64_t> content_length;
  std::uint64_t data_received = 0;
  ReceiveWindow window;
  std::uint32_t sample = 0;  // in which `sample_bytes` were received
  std::size_t sample_bytes = 0;
  std::size_t head_memory = 0;
  /// What the pieces of data that were given out take beyond their bytes.
  std::size_t piece_memory = 0;
  std::uint32_t events_queued = 0;

  // Sending.
  PieceQueue queue;
  std::unique_ptr<HeaderMap> trailers;
  /// Bytes that the peer takes; less than 0 where it made its windows smaller.
  std::int64_t send_window;
  /// Linked while there is data and a window for it.
  SendTurn turn{*this};
  bool has_head_submitted = false;
  /// END_STREAM was handed out.
  bool is_end_sent = false;

  // The end.
  bool is_released = false;
  /// Reset by the program: not even events that were made before are given out.
  bool is_muted = false;
  /// By a reset, or because both messages are complete: nothing of it can be on its way.
  bool is_ended_by_peer = false;
  /// Counts towards the limit of concurrent streams: open, or reset with work still going on.
  bool is_counted = false;
  /// A request that is refused for its head: nothing that pays for resets.
  bool is_refused = false;
  /// Once the response is out, the peer is told to stop sending its request.
  bool resets_when_sent = false;
};

}  // namespace pingora::h2
