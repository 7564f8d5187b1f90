// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "pingora/base/buffer.h"
#include "pingora/base/bytes.h"
#include "pingora/base/clock.h"
#include "pingora/base/error.h"
#include "pingora/h1/serializer.h"
#include "pingora/net/stream.h"
#include "pingora/runtime/task.h"
#include "pingora/session/deadline_in.h"

namespace pingora::internal {

/// What goes around a piece of a body.
struct H1Frame {
  std::optional<h1::ChunkHead> chunk;
  std::string_view tail;  // static
  std::string_view head() const noexcept { return chunk ? chunk->view() : std::string_view(); }
};

/// Which of two ways bytes go.
enum class Send : std::uint8_t {
  Gather,  // when there are enough of them
  Now,
  Last,  // now; nothing follows, and the connection is closed
};

/// What both roles of HTTP/1 stand on: a stream, what was read from it and not consumed, and what
/// is to be written to it. Neither buffer holds memory while it is empty.
///
/// One write at a time; a write that fails or is cancelled leaves it unwritable.
class H1Transport {
 public:
  H1Transport(std::unique_ptr<Stream> stream, ErrorSource source) noexcept
      : stream_(std::move(stream)), source_(source) {}

  Stream& stream() noexcept { return *stream_; }
  /// Gives the stream away; only destroying may follow.
  std::unique_ptr<Stream> release_stream() noexcept { return std::move(stream_); }
  const Stream& stream() const noexcept { return *stream_; }
  Buffer& input() noexcept { return input_; }
  const Buffer& input() const noexcept { return input_; }
  /// What was gathered; to be appended to while no write waits.
  Buffer& output() noexcept { return output_; }
  const Buffer& output() const noexcept { return output_; }

  /// Writes a piece of a body behind what was gathered: a small one is copied there, a large one is
  /// sent from where it is. Without a coroutine unless it has to wait.
  Task<> write(const H1Frame& frame, Bytes data, Send send);
  /// Sends what was gathered, `how` being Now or Last.
  Task<> send(Send how = Send::Now);
  /// Whether no write has failed, was cancelled, or is waiting.
  bool is_writable() const noexcept { return state_ == State::Open; }

  void set_write_timeout(std::chrono::milliseconds timeout) noexcept { write_timeout_ = timeout; }

 private:
  enum class State : std::uint8_t { Open, Writing, Broken };
  std::optional<Result<std::size_t>> try_write(std::span<const iovec> pieces, Send how) {
    return how == Send::Last ? stream_->try_write_last(pieces) : stream_->try_write(pieces);
  }
  Task<> send_slowly(Bytes data, std::string_view tail);
  Error write_failed(Error error);

  std::unique_ptr<Stream> stream_;
  Buffer input_;
  Buffer output_;
  std::chrono::milliseconds write_timeout_{0};
  ErrorSource source_;
  State state_ = State::Open;
};

}  // namespace pingora::internal
