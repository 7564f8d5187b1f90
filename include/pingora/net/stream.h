// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "pingora/base/buffer.h"
#include "pingora/base/clock.h"
#include "pingora/base/error.h"
#include "pingora/net/digest.h"
#include "pingora/runtime/descriptor.h"
#include "pingora/runtime/task.h"
#include "pingora/runtime/timer.h"

namespace pingora {

class StreamLayer;

/// A reliable, ordered stream of bytes in both directions: a TCP or Unix connection, TLS on another
/// stream, a pair in memory, or one that a program makes itself.
///
/// An implementation gives the protected functions: attempts that never wait, and waits. Reading
/// and writing to the end, deadlines and fairness are here, once for all.
///
/// Belongs to one strand at a time; at most one read and one write wait at the same moment.
/// Cancelling a read loses nothing. Cancelling a write leaves the peer with a part of it: the
/// stream is then only good for closing. Destroying a stream closes it.
class Stream {
 public:
  class ReadOp;
  class WriteOp;

  /// How many bytes a stream reads before it lets others of its strand and worker run.
  static constexpr std::size_t kTurnBytesMax = 256 * 1024;
  /// When a read that waits looks once whether the stream has failed meanwhile, unless
  /// `tells_failure`: a reset that came right behind bytes raises no edge beside theirs.
  static constexpr std::chrono::milliseconds kLookAgainAfter{100};
  /// The most pieces in one write.
  static constexpr std::size_t kPiecesMax = 6;

  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  /// `std::size_t n = co_await stream.read(buffer, deadline);` Appends what has arrived, at least
  /// one byte; 0 is the end of the stream. The buffer gets memory only when there is something to
  /// read. Errors: ReadTimedout, ReadError, ConnectionClosed, or that of `interrupt_read`.
  ReadOp read(Buffer& into, TimePoint deadline = kNever) noexcept;
  /// Writes all of `pieces`, in order; the memory must stay until this ends.
  /// Errors: WriteTimedout, WriteError, ConnectionClosed.
  WriteOp write(std::initializer_list<std::string_view> pieces,
                TimePoint deadline = kNever) noexcept;
  WriteOp write(std::span<const iovec> pieces, TimePoint deadline = kNever) noexcept;

  /// Reads what is there without waiting: nothing if that is not known to be anything. Costs no
  /// system call then.
  std::optional<Result<std::size_t>> try_read(Buffer& into);
  /// Writes as much as goes without waiting, at the most once; nothing if that is nothing. The next
  /// write then begins with the same bytes: a stream may have begun with them (TLS has sealed
  /// them).
  virtual std::optional<Result<std::size_t>> try_write(std::span<const iovec> pieces) = 0;
  /// The same for the last bytes before `shutdown_write` or the end of this: what tells the peer of
  /// the end may go with them, for which the system may hold them back, for up to 200 ms. Where not
  /// all of them go, the rest is written as ever.
  virtual std::optional<Result<std::size_t>> try_write_last(std::span<const iovec> pieces) {
    return try_write(pieces);
  }
  /// Has what is held back sent, as the end is put off.
  virtual void push() noexcept {}

  /// Ends a read that waits, now and once, with `error`. Without one, does nothing.
  void interrupt_read(Error error);
  bool is_reading() const noexcept { return reader_ != nullptr; }

  /// Calls `job` once when there is something to read, the end of the stream included; `try_read`
  /// finds it. For whoever watches for the peer to vanish while nobody reads.
  void start_readable_wait(Strand& strand, Job& job);
  void cancel_readable_wait(Strand& strand, Job& job);
  /// For the job of `start_readable_wait` to call first: lets `try_read` look.
  void note_readable() noexcept { may_read_ = true; }
  /// Whether a wait is always told of a failure. If not, look once, after kLookAgainAfter.
  bool tells_failure() const noexcept { return tells_failure_; }

  /// What the system knows of the peer, whatever is left to read before it; a system call. For
  /// whoever must not read any more for now. Open where there is no socket.
  enum class PeerState : std::uint8_t {
    Open,
    SendsNoMore,  // FIN
    Gone,         // reset, or closed in both directions
  };
  PeerState peer_state() const noexcept;

  /// Tells the peer that nothing follows (FIN, close_notify). Does not wait; best effort.
  virtual void shutdown_write() noexcept = 0;
  /// Makes closing send a reset where there is such a thing, so that the peer learns of the
  /// failure.
  virtual void abort_on_close() noexcept {}

  /// For the pool: see Descriptor. A stream that cannot be watched returns false and is not pooled.
  [[nodiscard]] virtual bool start_idle_watch(IdleWatch& watch) = 0;
  [[nodiscard]] virtual bool stop_idle_watch() = 0;
  /// Makes the stream wait in `worker` from now on; nobody waits on it at the moment.
  virtual Result<void> move_to(Worker& worker) = 0;

  const Digest& digest() const noexcept { return digest_; }
  Digest& mutable_digest() noexcept { return digest_; }
  /// The address of this end, asked of the kernel each time; none where there is none.
  virtual SocketAddress local_address() const { return {}; }
  /// The socket, or -1 where there is none.
  virtual int fd() const noexcept { return -1; }
  /// Whether what was read last may be somebody's repetition of what the peer once sent: TLS early
  /// data of a handshake that is not complete yet (RFC 8446 §8). Then only what is safe to do twice
  /// may be done for it (RFC 8470).
  virtual bool may_be_replayed() const noexcept { return false; }

 protected:
  Stream() noexcept = default;

  struct ReadAttempt {
    /// Bytes read, 0 at the end of the stream; nothing if it would have had to wait.
    std::optional<Result<std::size_t>> result;
    /// Whether another attempt may find something at once.
    bool may_have_more = false;
  };
  /// One attempt to append to `into`, which is given memory only if there is something.
  virtual ReadAttempt attempt_read(Buffer& into) = 0;
  /// Calls `job` in `strand`, once, when another attempt makes sense; never before this returns.
  virtual void start_wait(Direction direction, Strand& strand, Job& job) = 0;
  virtual void cancel_wait(Direction direction, Strand& strand, Job& job) = 0;

  /// Whether `try_read` would attempt to read.
  bool may_read() const noexcept { return may_read_; }
  /// Says that an attempt would find nothing, and that a wait will be told when it would.
  void note_nothing_to_read() noexcept { may_read_ = false; }
  /// For the constructor of a stream that is sure of it; the default is not to be.
  void set_tells_failure() noexcept { tells_failure_ = true; }

 private:
  friend class StreamLayer;  // which waits on the stream that it is on

  Digest digest_;
  ReadOp* reader_ = nullptr;   // waiting now
  WriteOp* writer_ = nullptr;  // waiting now
  std::size_t turn_bytes_ = 0;
  bool may_read_ = false;
  bool tells_failure_ = false;
};

class Stream::ReadOp : MovableJob, Deadline {
 public:
  using ValueType = std::size_t;
  ReadOp(Stream& stream, Buffer& into, TimePoint deadline) noexcept
      : MovableJob(&on_ready),
        Deadline(&on_expired),
        stream_(stream),
        into_(into),
        deadline_(deadline) {}
  bool start(Completion& completion);
  void cancel();
  Result<std::size_t> take_result() { return std::move(*result_); }

 private:
  friend class Stream;
  static void on_ready(Job& job);
  static void on_expired(Deadline& deadline);
  void set_deadline();
  void wait();
  void stop_waiting();
  void complete(Result<std::size_t> result);

  Stream& stream_;
  Buffer& into_;
  TimePoint deadline_;
  Completion* completion_ = nullptr;
  bool is_yielding_ = false;  // queued in the strand for fairness, rather than waiting
  bool will_look_ = false;    // the deadline that is set is for looking again
  std::optional<Result<std::size_t>> result_;
};

class Stream::WriteOp : MovableJob, Deadline {
 public:
  using ValueType = void;
  WriteOp(Stream& stream, std::span<const iovec> pieces, TimePoint deadline) noexcept;
  WriteOp(Stream& stream, std::initializer_list<std::string_view> pieces,
          TimePoint deadline) noexcept;
  bool start(Completion& completion);
  void cancel();
  Result<void> take_result() { return std::move(*result_); }

 private:
  friend class Stream;
  static void on_ready(Job& job);
  static void on_expired(Deadline& deadline);
  /// Writes until all is written or it would wait; returns whether it is done or failed.
  bool proceed();
  void complete(Result<void> result);

  Stream& stream_;
  std::array<iovec, kPiecesMax> pieces_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  TimePoint deadline_;
  Completion* completion_ = nullptr;
  std::optional<Result<void>> result_;
};

inline Stream::ReadOp Stream::read(Buffer& into, TimePoint deadline) noexcept {
  return ReadOp(*this, into, deadline);
}
inline Stream::WriteOp Stream::write(std::initializer_list<std::string_view> pieces,
                                     TimePoint deadline) noexcept {
  return WriteOp(*this, pieces, deadline);
}
inline Stream::WriteOp Stream::write(std::span<const iovec> pieces, TimePoint deadline) noexcept {
  return WriteOp(*this, pieces, deadline);
}

/// Drops the first `bytes` of the pieces from `first` on; returns the first piece with a rest.
std::size_t advance_pieces(std::span<iovec> pieces, std::size_t first, std::size_t bytes) noexcept;

}  // namespace pingora
