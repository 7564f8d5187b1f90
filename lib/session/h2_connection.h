// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "pingora/base/buffer.h"
#include "pingora/base/clock.h"
#include "pingora/base/error.h"
#include "pingora/base/intrusive_list.h"
#include "pingora/base/mutex.h"
#include "pingora/h2/engine.h"
#include "pingora/net/stream.h"
#include "pingora/runtime/frame_allocator.h"
#include "pingora/runtime/strand.h"
#include "pingora/runtime/task.h"
#include "pingora/runtime/timer.h"
#include "pingora/session/h2_options.h"
#include "session/h2_stream.h"

namespace pingora::internal {

/// What server and client have in common of an HTTP/2 connection: the byte stream, the engine, and
/// the streams of the sessions.
///
/// The engine and what streams have received are guarded by one mutex, held for calls that never
/// wait; sessions call from strands of their own. The byte stream is used in the connection's
/// strand alone: `run` reads, feeds the engine and hands its events to the streams; what sessions
/// submit is sent by one flush for all that have submitted since the last.
///
/// Shared by whoever runs it and by its sessions. Runs once.
class H2Connection : public std::enable_shared_from_this<H2Connection>, public FrameAllocated {
 public:
  H2Connection(std::unique_ptr<pingora::Stream> stream, h2::Role role, const H2Options& options);
  H2Connection(const H2Connection&) = delete;
  H2Connection& operator=(const H2Connection&) = delete;
  virtual ~H2Connection();

  /// Reads and writes until the connection has ended, and all its streams know that. `received` was
  /// read from the stream before. Cancelling it ends the connection and all its streams.
  Task<> run(Buffer received);
  /// Takes no new stream, says so to the peer, and ends the connection with the last. In the
  /// connection's strand, while it runs.
  void begin_shutdown();

  const Digest& digest() const noexcept { return stream_->digest(); }
  /// Whether somebody else may have sent again what was read last. In the connection's strand.
  bool may_be_replayed() const noexcept { return stream_->may_be_replayed(); }
  /// Asked from the system. Any strand.
  SocketAddress local_address() const { return stream_->local_address(); }
  int fd() const noexcept { return stream_->fd(); }
  const H2Options& options() const noexcept { return options_; }
  h2::Role role() const noexcept { return role_; }

  /// Guards the engine, and what streams have received.
  Mutex& mutex() const noexcept { return mutex_; }
  /// Under the mutex, or where nobody else knows the connection.
  h2::Engine& engine() noexcept { return engine_; }
  /// Whether the connection has ended, or is about to. Under the mutex.
  bool is_lost() const noexcept { return is_lost_; }
  /// Has what was submitted sent soon: one flush for all who ask before it happens. Under the
  /// mutex.
  void request_flush();
  /// Asks the peer whether it is still there: without an answer within `ping_timeout` the
  /// connection ends. Under the mutex.
  void probe();

 protected:
  /// How long it may be without streams; 0, the default, for ever. Under the mutex.
  void set_idle_timeout(std::chrono::milliseconds timeout) noexcept { idle_timeout_ = timeout; }
  /// For the peer to take what one write holds; 0, the default, for ever. Before it runs.
  void set_write_timeout(std::chrono::milliseconds timeout) noexcept { write_timeout_ = timeout; }
  /// There are streams from now on. Under the mutex.
  void end_idle();
  /// As `begin_shutdown`, under the mutex; in the strand.
  void announce_shutdown();

  // What the roles do, in the connection's strand.

  /// An event of a stream that has no H2Stream yet (RequestHead), of none (Refused), or of the
  /// connection (GoAway, Settings). Under the mutex.
  virtual void on_event(h2::Event&& event) = 0;
  /// A stream was released: there may be room for another. Under the mutex; any strand.
  virtual void on_stream_released() {}
  /// Events were handed out. The mutex is free.
  virtual void after_events() {}
  /// A deadline of the connection has struck, as H2Options names it in brackets.
  virtual void on_limit(std::string_view name) { (void)name; }
  /// The connection has ended; the mutex is free.
  virtual void on_ended() {}
  /// To be counted: what happened since the last time. Not under the mutex.
  virtual void publish(const h2::EngineCounters& counters) { (void)counters; }

 private:
  /// How long a connection is without streams before it gives back what it will not need soon.
  static constexpr std::chrono::milliseconds kTrimAfterMin{100};

  friend class H2Stream;
  friend class H2StreamRef;
  class FlushOp;
  class Running;

  // The two loops: h2_connection.cc.
  Task<> read_loop(Buffer received);
  Task<> write_loop();
  Task<> send(h2::Output& output);
  Task<> send_slowly(h2::Output& output);
  bool is_last_word_ours() const;
  Task<> linger();
  void receive(const Bytes& input);
  bool fill(h2::Output& output);
  void take_events();
  void end();

  // Streams that sessions have left. Under the mutex.
  void leave(std::unique_ptr<H2Stream> stream, TimePoint linger_until);
  void release(H2Stream& stream);
  void release_sent();

  // Deadlines: h2_deadlines.cc. In the strand.
  void set_deadline();
  TimePoint next_deadline() const;
  void on_deadline();
  void give_up(std::string_view limit, h2::ErrorCode code, TimePoint now);
  void begin_idle();
  void trim_later(TimePoint now) noexcept { trim_at_ = now + trim_after_; }
  void check_trim(TimePoint now);
  void check_idle(TimePoint now);
  void check_ping(TimePoint now);
  void check_lingering(TimePoint now);

  const std::unique_ptr<pingora::Stream> stream_;
  const H2Options& options_;
  const h2::Role role_;
  mutable Mutex mutex_;  // guards what follows, up to the next such line
  h2::Engine engine_;
  IntrusiveList<H2Stream> streams_;    // of sessions
  IntrusiveList<H2Stream> lingering_;  // left by their sessions, to be sent; owned
  FlushOp* flush_waiting_ = nullptr;
  bool is_flush_requested_ = false;
  bool is_lost_ = false;
  bool is_given_up_ = false;  // at a deadline; the GOAWAY is on its way
  bool has_news_ = false;     // for `publish`
  TimePoint idle_since_;      // kNever: there are streams
  TimePoint trim_at_;         // kNever: it has been trimmed, or is not idle
  Duration trim_after_;
  TimePoint linger_deadline_ = kNever;  // not later than that of any lingering stream
  TimePoint last_received_;
  std::chrono::milliseconds idle_timeout_{0};

  // In the connection's strand.
  struct Timer : Deadline {
    explicit Timer(H2Connection& owner) noexcept : Deadline(&expired), connection(owner) {}
    static void expired(Deadline& deadline) {
      static_cast<Timer&>(deadline).connection.on_deadline();
    }
    H2Connection& connection;
  };
  Strand* strand_ = nullptr;  // while it runs
  Timer timer_{*this};
  TimePoint settings_deadline_;
  TimePoint shutdown_deadline_ = kNever;  // for the second GOAWAY
  TimePoint ping_sent_ = kNever;
  bool is_failed_ = false;                              // reading or writing
  std::size_t turn_bytes_ = h2::Engine::kTurnBytesMax;  // of output
  std::chrono::milliseconds write_timeout_{0};
};

template <class F>
bool H2Stream::submit(Send send, F&& submit) {
  std::lock_guard lock(connection_.mutex());
  if (end_.kind != H2StreamEnd::Kind::Open) return false;
  submit(connection_.engine(), engine_stream_);
  if (send == Send::Now || !engine_stream_.is_writable()) connection_.request_flush();
  return true;
}

}  // namespace pingora::internal
