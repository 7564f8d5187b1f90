// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "pingora/tls/tls_session.h"
#include "pingora/upstream/http_peer.h"

namespace pingora::internal {

/// TLS sessions that peers gave, to be resumed with equal peers: whatever is part of a peer's
/// identity was the same when the session began, how it was verified included. Bounded in peers,
/// the one that was not used for the longest goes, and in sessions for each. Any thread.
class TlsSessionCache {
 public:
  /// A connection of TLS 1.3 brings two tickets as a rule, each good for one more: enough for as
  /// many connections at once.
  static constexpr std::size_t kSessionsMax = 4;

  struct Stats {
    std::uint64_t stored = 0;
    std::uint64_t given = 0;
    std::uint64_t evicted = 0;  // peers, to make room
  };

  /// 0 keeps nothing.
  explicit TlsSessionCache(std::size_t peers_max) : peers_max_(peers_max) {}
  TlsSessionCache(const TlsSessionCache&) = delete;
  TlsSessionCache& operator=(const TlsSessionCache&) = delete;

  /// The newest session of an equal peer; null if there is none that is still good. One that is to
  /// be used once is gone with that.
  TlsSession::Ptr take(const PeerKey& key);
  /// Keeps `session` for peers equal to `peer`.
  void store(const std::shared_ptr<const HttpPeer>& peer, TlsSession::Ptr session);
  /// Drops what there is of a peer that does not go along with it.
  void forget(const PeerKey& key);

  std::size_t size() const;  // peers
  Stats stats() const;

 private:
  struct Entry {
    explicit Entry(std::shared_ptr<const HttpPeer> of) : peer(std::move(of)), key(*peer) {}
    std::shared_ptr<const HttpPeer> peer;
    PeerKey key;                              // of *peer
    std::vector<TlsSession::Ptr> sessions{};  // the newest last
  };
  struct HashOfKey {
    std::size_t operator()(const PeerKey& key) const noexcept { return key.hash(); }
  };
  using Entries = std::list<Entry>;

  const std::size_t peers_max_;
  mutable std::mutex mutex_;  // guards all below
  Entries entries_;           // used last first
  std::unordered_map<PeerKey, Entries::iterator, HashOfKey> index_;
  Stats stats_;
};

}  // namespace pingora::internal
