// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls_session_cache.h"

#include <utility>

namespace pingora::internal {

TlsSession::Ptr TlsSessionCache::take(const PeerKey& key) {
  Entries unused;  // destroyed behind the lock
  std::lock_guard lock(mutex_);
  auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  Entries::iterator entry = found->second;
  entries_.splice(entries_.begin(), entries_, entry);
  std::vector<TlsSession::Ptr>& sessions = entry->sessions;
  TlsSession::Ptr session;
  while (session == nullptr && !sessions.empty()) {
    if (!sessions.back()->is_expired()) session = sessions.back();
    if (session == nullptr || session->is_single_use()) sessions.pop_back();
  }
  if (sessions.empty()) {
    index_.erase(found);
    unused.splice(unused.begin(), entries_, entry);
  }
  if (session != nullptr) ++stats_.given;
  return session;
}

void TlsSessionCache::store(const std::shared_ptr<const HttpPeer>& peer, TlsSession::Ptr session) {
  if (peers_max_ == 0) return;
  Entries evicted;         // destroyed behind the lock
  TlsSession::Ptr oldest;  // as this
  std::lock_guard lock(mutex_);
  ++stats_.stored;
  auto found = index_.find(PeerKey(*peer));
  if (found == index_.end()) {
    if (entries_.size() >= peers_max_) {
      ++stats_.evicted;
      index_.erase(entries_.back().key);
      evicted.splice(evicted.begin(), entries_, std::prev(entries_.end()));
    }
    entries_.emplace_front(peer);
    found = index_.emplace(entries_.front().key, entries_.begin()).first;
  }
  std::vector<TlsSession::Ptr>& sessions = found->second->sessions;
  if (sessions.size() >= kSessionsMax) {
    oldest = std::move(sessions.front());
    sessions.erase(sessions.begin());
  }
  sessions.push_back(std::move(session));
}

void TlsSessionCache::forget(const PeerKey& key) {
  Entries forgotten;  // destroyed behind the lock
  std::lock_guard lock(mutex_);
  auto found = index_.find(key);
  if (found == index_.end()) return;
  forgotten.splice(forgotten.begin(), entries_, found->second);
  index_.erase(found);
}

std::size_t TlsSessionCache::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

TlsSessionCache::Stats TlsSessionCache::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace pingora::internal
