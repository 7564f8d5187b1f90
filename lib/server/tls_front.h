// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "pingora/base/clock.h"
#include "pingora/base/intrusive_list.h"
#include "pingora/net/stream.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/frame_allocator.h"
#include "pingora/runtime/task.h"
#include "pingora/server/listening_service.h"
#include "pingora/tls/tls_server_context.h"

namespace pingora::internal {

/// The handshakes of an endpoint that are under way, against a limit. Any thread; outlives them.
///
/// Lock order: `mutex_`, then the event of a handshake.
class Handshakes {
 public:
  /// How long a handshake is left alone, whoever else is waiting: several round trips.
  static constexpr std::chrono::milliseconds kAgeMin{1000};

  /// One that is under way, as long as this lives.
  class Place : ListHook, public FrameAllocated {
   public:
    explicit Place(Handshakes& handshakes);
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();
    /// Set when it is to be given up for another one.
    Event& given_up() noexcept { return given_up_; }

   private:
    friend class Handshakes;
    friend class IntrusiveList<Place>;
    Handshakes& handshakes_;
    const TimePoint begun_;
    Event given_up_;
  };

  /// `max` 0: no limit.
  explicit Handshakes(std::size_t max) noexcept : max_(max) {}

  bool is_full() const noexcept { return max_ != 0 && size_.load() >= max_; }
  std::size_t size() const noexcept { return size_.load(); }
  std::uint64_t given_up() const noexcept { return given_up_.load(std::memory_order_relaxed); }
  /// Waits until it is not full, for which it gives up the oldest if that is old enough.
  Task<> make_room();

 private:
  void give_up_oldest();

  const std::size_t max_;
  mutable std::mutex mutex_;     // guards places_
  IntrusiveList<Place> places_;  // the oldest first; without those that are given up
  std::atomic<std::size_t> size_{0};
  std::atomic<std::uint64_t> given_up_{0};
  Event has_room_;
};

/// What stands before the connections of an endpoint that speaks TLS: their handshakes. Any thread;
/// outlives them.
class TlsFront {
 public:
  using Place = Handshakes::Place;

  /// Reads the files that the settings name. Errors as of TlsServerContext::create.
  static Result<std::unique_ptr<TlsFront>> create(TlsSettings settings);
  explicit TlsFront(TlsServerContext::Ptr context);

  Handshakes& handshakes() noexcept { return handshakes_; }

  /// The secured stream on `transport`, once the handshake is complete. A client that speaks HTTP
  /// without TLS is told so. Errors as of `tls_accept`, and InvalidHttpHeader for such a client.
  Task<std::unique_ptr<Stream>> accept(std::unique_ptr<Stream> transport,
                                       std::unique_ptr<Place> place);

  void add_stats(TlsListeningStats& stats) const;

 private:
  Task<std::unique_ptr<Stream>> handshake(std::unique_ptr<Stream> transport, TimePoint deadline);
  Error said_nothing(Result<std::size_t> read);

  TlsServerContext::Ptr context_;
  Handshakes handshakes_;
  std::atomic<std::uint64_t> plain_http_{0};
};

}  // namespace pingora::internal
