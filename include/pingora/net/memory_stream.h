// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "pingora/net/stream.h"

namespace pingora {

/// What goes wrong in one direction of a MemoryStream, and when: at whichever of the two points
/// comes first.
struct StreamFault {
  enum class Kind : std::uint8_t {
    None,
    Error,        // every attempt from then on fails with `error`
    EndOfStream,  // reads give the end of the stream; writes fail with ConnectionClosed
    Stall,        // nothing goes any more, and nobody is told, until `release_stall`
  };
  static constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

  Kind kind = Kind::None;
  /// Strikes once so many bytes have gone through, which all do first.
  std::size_t after_bytes = kNowhere;
  /// Strikes at this attempt, counted from 0.
  std::size_t at_operation = kNowhere;
  ErrorType error = ErrorType::ReadError;
};

/// How one end of a MemoryStream behaves.
struct MemoryStreamOptions {
  /// The most bytes that one attempt reads, or writes.
  std::size_t read_size_max = StreamFault::kNowhere;
  std::size_t write_size_max = StreamFault::kNowhere;
  /// Whether each attempt is followed by a wait, so that a coroutine suspends as often as it can.
  bool always_waits = false;
  /// Bytes written here that the other end has not read; writes wait when there are so many.
  std::size_t capacity = 64 * 1024;
  StreamFault read_fault{};
  StreamFault write_fault{};
};

/// One of two streams in memory that are connected to each other, for tests. The two may belong to
/// different strands, and threads.
class MemoryStream final : public Stream {
 public:
  using Pair = std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>>;
  static Pair make_pair(MemoryStreamOptions first = {}, MemoryStreamOptions second = {});
  /// Destroying an end closes it: the other end reads what was written, then the end of the stream
  /// (after `abort_on_close`, ConnectionClosed at once), and its writes fail.
  ~MemoryStream() override;

  std::optional<Result<std::size_t>> try_write(std::span<const iovec> pieces) override;
  void shutdown_write() noexcept override;
  void abort_on_close() noexcept override;
  bool start_idle_watch(IdleWatch& watch) override;
  bool stop_idle_watch() override;
  Result<void> move_to(Worker& /*worker*/) override { return {}; }

  /// Ends the stalls of this end, for good. Any thread.
  void release_stall();
  /// Whether the other end is gone, or will write no more. Any thread.
  bool is_peer_finished() const;

  /// What the two ends share.
  class Link;

 protected:
  ReadAttempt attempt_read(Buffer& into) override;
  void start_wait(Direction direction, Strand& strand, Job& job) override;
  void cancel_wait(Direction direction, Strand& strand, Job& job) override;

 private:
  MemoryStream(std::shared_ptr<Link> link, std::size_t side) noexcept
      : link_(std::move(link)), side_(side) {}

  std::shared_ptr<Link> link_;  // owned by both ends
  std::size_t side_;
};

}  // namespace pingora
