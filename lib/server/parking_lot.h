// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "pingora/base/intrusive_list.h"
#include "pingora/base/mutex.h"
#include "pingora/runtime/frame_allocator.h"
#include "pingora/server/http_app.h"
#include "pingora/session/h1_server_session.h"
#include "server/open_connections.h"

namespace pingora::internal {

class ParkingLot;

/// What stays of an HTTP connection while it is parked: no coroutine, no strand and no session.
struct ParkedConnection final : IdleWatch, ListHook, FrameAllocated {
  ParkedConnection(ParkingLot& parked_in, Worker& waits_in, OpenConnections::Token token,
                   ShutdownWatch& shutdown)
      : lot(parked_in),
        worker(waits_in),
        open(std::move(token)),
        http{.shutdown = shutdown, .persisted = {}} {}
  std::shared_ptr<void> on_idle_event() noexcept override;

  ParkingLot& lot;
  Worker& worker;
  H1ServerSession::Idle idle;  // while it is parked
  OpenConnections::Token open;
  HttpConnection http;
  /// How long it waits for a request before it is parked. Longer each time that it could not be.
  std::chrono::milliseconds park_after{0};
  /// Guarded by the lot's mutex. Starting: not in the list yet; Waiting: in the lot's list; Over:
  /// an event has come, or it was taken out.
  enum class State : std::uint8_t { Starting, Waiting, Over } state = State::Starting;
};

/// Connections that wait for their next request for so long that keeping what serves them ready
/// would be a waste: parked, one costs less than half. What arrives on one has it served again.
///
/// Lock order: a descriptor's mutex, then `mutex_`, then what `resume` takes. So nothing of a
/// stream is called under `mutex_`; a connection that was taken out of the list under it may still
/// be hearing of an event, and dies only behind `stop_idle_watch`, which waits for that.
class ParkingLot {
 public:
  /// Has connections served again: called under locks, on any thread, until `close`.
  class Owner {
   public:
    virtual void resume(std::unique_ptr<ParkedConnection> connection) = 0;

   protected:
    ~Owner() = default;
  };

  explicit ParkingLot(Owner& owner) noexcept : owner_(owner) {}
  ~ParkingLot() { close(); }

  /// Parks `connection`, whose stream nobody waits on. Once the lot is closed, closes it. One whose
  /// stream cannot be watched, as it holds something already, is served again.
  void park(std::unique_ptr<ParkedConnection> connection);
  /// Closes those whose next request is late at `now`.
  void close_late(TimePoint now);
  /// Closes up to `count`, those that are parked for the longest first; returns how many.
  std::size_t close_oldest(std::size_t count);
  /// How many are parked.
  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return size_;
  }
  /// Closes all, and each that comes. Behind it, the owner is not called any more.
  void close();

 private:
  friend struct ParkedConnection;
  void on_event(ParkedConnection& connection);
  /// Takes `connection` out of the list, into `taken`; under the mutex.
  void take(ParkedConnection& connection, IntrusiveList<ParkedConnection>& taken);
  static std::size_t destroy(IntrusiveList<ParkedConnection>& taken);

  Owner& owner_;
  mutable Mutex mutex_;  // guards the four below
  std::size_t size_ = 0;
  IntrusiveList<ParkedConnection> waiting_;
  bool is_sorted_ = true;  // by deadline, as it is where all have the same timeout
  bool is_closed_ = false;
};

}  // namespace pingora::internal
