// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "pingora/runtime/async_mutex.h"
#include "pingora/runtime/task.h"
#include "pingora/tls/tls_client_context.h"
#include "pingora/upstream/peer_options.h"

namespace pingora::internal {

/// What the contexts of a connector have where peers have nothing to say.
struct TlsDefaults {
  std::string ca_file;  // empty: the system's store
  std::shared_ptr<KeyLog> key_log;
};

/// The TlsClientContexts of a connector: one for all peers whose options ask for the same. Bounded:
/// the one that was not asked for the longest goes, and is made again when it is. Any strand.
class TlsContextCache {
 public:
  /// `contexts_max` is at least 1.
  explicit TlsContextCache(std::size_t contexts_max, TlsDefaults defaults = {})
      : contexts_max_(contexts_max), defaults_(std::move(defaults)) {}
  TlsContextCache(const TlsContextCache&) = delete;
  TlsContextCache& operator=(const TlsContextCache&) = delete;

  /// The context for `options`, which must stay until the task ends. Ready at once if it was made
  /// before; made on the blocking pool otherwise, once for all who ask meanwhile. What cannot be
  /// made is tried again by the next who asks. Errors: as of TlsClientContext::create.
  Task<TlsClientContext::Ptr> get(const PeerOptions& options);

  std::size_t size() const;
  std::uint64_t made() const noexcept { return made_.load(std::memory_order_relaxed); }
  std::uint64_t evicted() const noexcept { return evicted_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    explicit Entry(const PeerOptions& from) : options(from) {}
    const PeerOptions options;
    AsyncMutex making;
    TlsClientContext::Ptr context;  // guarded by the cache's mutex
  };
  std::shared_ptr<Entry> find_or_add(const PeerOptions& options);
  Task<TlsClientContext::Ptr> make(std::shared_ptr<Entry> entry);
  TlsClientContext::Ptr context_of(const Entry& entry) const;

  const std::size_t contexts_max_;
  const TlsDefaults defaults_;
  mutable std::mutex mutex_;
  std::list<std::shared_ptr<Entry>> entries_;  // asked for last first
  std::atomic<std::uint64_t> made_{0};
  std::atomic<std::uint64_t> evicted_{0};
};

}  // namespace pingora::internal
