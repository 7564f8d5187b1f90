// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace pingora::internal {

/// Which of `kSnapshotReaders` counters the calling thread uses: threads get them in turn.
inline constexpr std::size_t kSnapshotReaders = 16;
std::size_t snapshot_reader() noexcept;

/// A constant object that is replaced now and then and read all the time. Readers never wait and
/// share no cache line with each other; a replaced object is destroyed once nobody reads it, at the
/// latest with the snapshot.
///
/// Any thread may call anything. Readers are gone before this is.
template <class T>
class Snapshot {
 public:
  explicit Snapshot(std::unique_ptr<const T> first) : current_(first.release()) {}
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { delete current_.load(); }

  /// Keeps the object that was current when it was made. To be held for a short time, and not while
  /// waiting.
  class Reading {
   public:
    explicit Reading(const Snapshot& snapshot)
        : readers_(snapshot.readers_[snapshot_reader()].count) {
      // Counted before looking: whoever replaced the object we see finds us counted.
      readers_.fetch_add(1, std::memory_order_seq_cst);
      object_ = snapshot.current_.load(std::memory_order_seq_cst);
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() { readers_.fetch_sub(1, std::memory_order_release); }
    const T& operator*() const noexcept { return *object_; }
    const T* operator->() const noexcept { return object_; }

   private:
    std::atomic<std::uint32_t>& readers_;
    const T* object_;
  };
  Reading read() const { return Reading(*this); }

  void replace(std::unique_ptr<const T> next) {
    std::lock_guard lock(mutex_);
    replaced_.emplace_back(current_.exchange(next.release(), std::memory_order_seq_cst));
    // Whoever begins to read from now on sees the new object; once each counter was seen at 0,
    // those who saw another one are gone. If one is not, the next replacement looks again.
    for (const Readers& readers : readers_) {
      if (readers.count.load(std::memory_order_seq_cst) != 0) return;
    }
    replaced_.clear();
  }

 private:
  struct alignas(64) Readers {
    std::atomic<std::uint32_t> count{0};
  };
  mutable std::array<Readers, kSnapshotReaders> readers_;
  std::atomic<const T*> current_;
  std::mutex mutex_;  // guards replaced_
  std::vector<std::unique_ptr<const T>> replaced_;
};

}  // namespace pingora::internal
