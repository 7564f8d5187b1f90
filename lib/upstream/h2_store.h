// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "pingora/base/clock.h"
#include "pingora/base/error.h"
#include "pingora/base/mutex.h"
#include "pingora/runtime/event.h"
#include "pingora/upstream/http_peer.h"

namespace pingora::internal {

/// A connection that carries several exchanges side by side, as an H2Store sees it. The functions
/// are called from any thread, with a mutex of the store held: they neither wait nor call back.
class SharedConnection {
 public:
  SharedConnection() = default;
  SharedConnection(const SharedConnection&) = delete;
  SharedConnection& operator=(const SharedConnection&) = delete;
  virtual ~SharedConnection() = default;

  /// Takes a stream for an exchange; false if none is free.
  virtual bool try_take_stream() noexcept = 0;
  /// Whether it will never give a stream again.
  virtual bool is_closed_to_streams() const noexcept = 0;
  /// Whether no exchange is on it.
  virtual bool is_idle() const noexcept = 0;
  /// When the last exchange ended, if it is idle.
  virtual TimePoint idle_since() const noexcept = 0;
  /// When it has been idle for too long, if it stays idle.
  virtual TimePoint expiry() const noexcept = 0;
  /// Gives no stream from now on if it is idle; returns whether it is.
  virtual bool close_if_idle() noexcept = 0;
};

/// What a store has done since it was made.
struct H2StoreStats {
  std::uint64_t made = 0;       // connections
  std::uint64_t hits = 0;       // streams given on a connection that was there
  std::uint64_t waits = 0;      // for a connection that was being made already
  std::uint64_t discarded = 0;  // connections that took no streams any more when they were met
  std::uint64_t evicted = 0;    // idle ones, to make room, or shed
  std::uint64_t expired = 0;    // idle for too long
  std::uint64_t fallbacks = 0;  // peers found to speak HTTP/1 only
};

/// Connections in use, or idle, that have a stream free, for whoever asks for an equal peer: shared
/// by all workers. A second one is made when the first is full, or those that wait for it while it
/// is being made will fill it. Also remembers for a while which peers speak HTTP/1 only.
///
/// Any thread. A request takes one lock of a shard once. What goes is destroyed behind the lock.
class H2Store {
 public:
  class Making;
  struct Group;

  /// What `find` gives: one of the three.
  struct Found {
    /// With a stream taken.
    std::shared_ptr<SharedConnection> connection{};
    /// Being made: by the caller, or by somebody whom the caller may wait for.
    std::shared_ptr<Making> making{};
    bool is_maker = false;
    /// The peer speaks HTTP/1 only.
    bool prefers_h1 = false;
  };

  /// `capacity`: idle connections kept. `fallback_time`: how long `note_h1_only` is remembered.
  H2Store(std::size_t capacity, Duration fallback_time);
  H2Store(const H2Store&) = delete;
  H2Store& operator=(const H2Store&) = delete;
  ~H2Store();

  Found find(const HttpPeer& peer);

  /// Ends a making, once, by its maker. Those who wait for it are woken: with a connection, whose
  /// first stream the maker has taken, or the fallback, they `find` again; with an error they get a
  /// copy of it.
  void made(const std::shared_ptr<Making>& making, std::shared_ptr<SharedConnection> connection);
  void failed(const std::shared_ptr<Making>& making, const Error& error);
  /// The maker was cancelled: one of those who wait makes the connection.
  void abandoned(const std::shared_ptr<Making>& making);

  /// The peer speaks HTTP/1 only: so it is taken for `fallback_time`.
  void note_h1_only(const HttpPeer& peer);

  /// `connection`, which was made for `peer`, takes no streams any more.
  void remove(const HttpPeer& peer, const SharedConnection& connection);
  /// Closes what has been idle for too long, and the oldest of what is idle beyond the capacity.
  void expire(TimePoint now);
  /// Closes the `count` connections that are idle for the longest. Returns how many there were.
  std::size_t shed(std::size_t count);
  /// Closes what is idle, and gives what is in use to nobody any more.
  void clear();

  /// Connections that may give streams, and those of them that are idle.
  struct Size {
    std::size_t connections = 0;
    std::size_t idle = 0;
  };
  Size size() const;
  H2StoreStats stats() const;

 private:
  static constexpr std::size_t kShards = 16;
  // Peers that are remembered to speak HTTP/1 only, in each shard.
  static constexpr std::size_t kFallbacksMax = 256;

  struct Shard {
    mutable Mutex mutex;
    std::unordered_multimap<std::size_t, std::unique_ptr<Group>> groups;  // by the key's hash
    H2StoreStats stats;
    std::size_t fallbacks = 0;  // groups that remember one
    Group* find(const PeerKey& key) noexcept;
    Group& find_or_add(const HttpPeer& peer);
    void forget_fallback(Group& group) noexcept;
    void make_room_for_fallback() noexcept;
  };
  using Connections = std::vector<std::shared_ptr<SharedConnection>>;

  Shard& shard_of(std::size_t hash) noexcept { return shards_[(hash >> 48) % kShards]; }
  std::shared_ptr<SharedConnection> take_stream(Shard& shard, Group& group, Connections& gone);
  void end(Shard& shard, const std::shared_ptr<Making>& making);

  std::array<Shard, kShards> shards_;
  const std::size_t capacity_;
  const Duration fallback_time_;
};

/// A connection being made: who waits for it waits for `done`.
class H2Store::Making {
 public:
  explicit Making(const HttpPeer& peer);

  Event done;
  /// Once done: why there is no connection; none if there is one, or somebody else should try.
  const std::optional<Error>& error() const noexcept { return error_; }

 private:
  friend class H2Store;
  const HttpPeer peer_;
  const PeerKey key_;           // of peer_
  std::uint32_t streams_left_;  // guarded by the shard's mutex
  std::optional<Error> error_;  // set before `done`
};

}  // namespace pingora::internal
