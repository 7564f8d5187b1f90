// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/pooled_allocator.h"
#include "pingora/base/bytes.h"
#include "pingora/base/clock.h"
#include "pingora/base/error.h"
#include "pingora/base/intrusive_list.h"
#include "pingora/h2/engine.h"
#include "pingora/runtime/frame_allocator.h"
#include "pingora/runtime/strand.h"
#include "pingora/runtime/task.h"
#include "pingora/runtime/timer.h"

namespace pingora::internal {

class H2Connection;

/// How a stream ended, as far as it has. A stream whose messages are both complete is Open.
struct H2StreamEnd {
  enum class Kind : std::uint8_t {
    Open,
    Reset,           // `code` and `origin` say why, and who did it
    ConnectionLost,  // with what it carried
  };
  Kind kind = Kind::Open;
  h2::Event::Origin origin = h2::Event::Origin::Peer;
  h2::ErrorCode code = h2::ErrorCode::NoError;
};

/// Called in the session's strand, once, when the stream or its connection has ended other than by
/// being complete.
class H2EndJob : public Job {
 public:
  using Job::Job;

 private:
  friend class H2Stream;
  Strand* strand_ = nullptr;  // while it is waiting; guarded by the connection's mutex
};

/// One stream of a connection: where the connection puts what has arrived for it, and where its
/// session waits. The session owns it by an H2StreamRef, and calls it in its own strand.
class H2Stream : public ListHook, public FrameAllocated {
 public:
  enum class Want : std::uint8_t {
    Event,  // an event that `next_event` gives, or the end
    Room,   // for more to be written, or the end
  };
  class WaitOp;

  /// Under the connection's mutex. `engine_stream` is released with this.
  H2Stream(H2Connection& connection, h2::EngineStream& engine_stream);

  std::uint32_t id() const noexcept { return id_; }

  /// The next of what has arrived: heads, Data and Trailers; nothing if there is none. The end,
  /// which can come before they are all read, does not keep them from being read. The windows open
  /// by what Data holds.
  std::optional<h2::Event> next_event();
  bool has_event() const;
  H2StreamEnd end() const;
  /// `co_await stream.wait_for(Want::Event, deadline)`: ReadTimedout or WriteTimedout when that
  /// passes. One wait for each at a time. Cancelling leaves no trace.
  WaitOp wait_for(Want want, TimePoint deadline) noexcept;
  /// Ends a wait for that, if there is one, as if there were something.
  void interrupt_wait(Want want);

  /// What becomes of what was written.
  enum class Send : bool { Gather, Now };
  /// Calls `submit(engine, engine_stream)` under the mutex, unless the stream has ended; then, or
  /// with `Send::Now`, sends what was submitted soon. Returns false if it has ended.
  template <class F>
  bool submit(Send send, F&& submit);
  /// Whether more should be written now.
  bool is_writable() const;

  /// Has `job` called once the stream has ended; posts it if it has.
  void start_end_watch(Strand& strand, H2EndJob& job);
  void stop_end_watch(H2EndJob& job);

 private:
  friend class H2Connection;
  friend class H2StreamRef;

  // Under the connection's mutex.
  void on_event(h2::Event&& event);
  void on_end(H2StreamEnd end);
  void wake(Want want);
  bool is_ready(Want want) const;
  WaitOp*& waiting(Want want) noexcept { return waiting_[static_cast<std::size_t>(want)]; }

  H2Connection& connection_;
  h2::EngineStream& engine_stream_;
  const std::uint32_t id_;

  // Guarded by the connection's mutex.
  std::vector<h2::Event, PooledAllocator<h2::Event>> inbox_;
  std::size_t inbox_first_ = 0;
  H2StreamEnd end_;
  WaitOp* waiting_[2] = {};
  H2EndJob* end_job_ = nullptr;
  std::optional<h2::ErrorCode> cut_off_;
  bool is_left_ = false;             // by its session, so that the connection owns it
  TimePoint linger_until_ = kNever;  // from then on
};

class H2Stream::WaitOp : Deadline {
 public:
  using ValueType = void;
  WaitOp(H2Stream& stream, Want want, TimePoint deadline) noexcept
      : Deadline(&on_expired), stream_(stream), deadline_(deadline), want_(want) {}
  bool start(Completion& completion);
  void cancel();
  Result<void> take_result();

 private:
  friend class H2Stream;
  static void on_expired(Deadline& deadline);

  H2Stream& stream_;
  TimePoint deadline_;
  Completion* completion_ = nullptr;
  Want want_;
  bool is_late_ = false;
};

inline H2Stream::WaitOp H2Stream::wait_for(Want want, TimePoint deadline) noexcept {
  return WaitOp(*this, want, deadline);
}

/// A session's hold on its stream. Letting go of it ends the stream: at once, by a reset, unless
/// all of our message was submitted, or it is cut off; then when what was submitted has been sent.
class H2StreamRef {
 public:
  H2StreamRef() noexcept = default;
  H2StreamRef(std::shared_ptr<H2Connection> connection, std::unique_ptr<H2Stream> stream) noexcept;
  H2StreamRef(H2StreamRef&& other) noexcept = default;
  H2StreamRef& operator=(H2StreamRef&& other) noexcept;
  ~H2StreamRef() { reset(); }

  H2Stream* operator->() const noexcept { return stream_.get(); }
  explicit operator bool() const noexcept { return stream_ != nullptr; }
  const std::shared_ptr<H2Connection>& connection() const noexcept { return connection_; }
  /// Lets go of the stream, not of the connection. No wait on it is left. What was submitted and
  /// is not sent by `linger_until` is dropped.
  void reset(TimePoint linger_until = kNever);
  /// The same for a message of ours that is not complete: the peer gets what was submitted, and
  /// then a reset with `code`.
  void cut_off(TimePoint linger_until, h2::ErrorCode code);

 private:
  std::shared_ptr<H2Connection> connection_;  // shared with the other sessions and who runs it
  std::unique_ptr<H2Stream> stream_;
};

}  // namespace pingora::internal
