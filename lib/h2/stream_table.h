// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/pooled_allocator.h"

namespace pingora::h2 {

class StreamState;

/// The open streams of a connection by their identifiers, which only rise: a sorted array with gaps
/// for those that have ended. Nothing that a peer chooses makes it slow, as it could a hash table.
class StreamTable {
 public:
  bool empty() const noexcept { return count_ == 0; }

  StreamState* find(std::uint32_t id) const noexcept {
    const Entry* entry = place_of(id);
    return entry != end() && entry->id == id ? entry->stream : nullptr;
  }
  /// `id` is above all before.
  void add(std::uint32_t id, StreamState& stream) {
    if (entries_.size() == entries_.capacity() && count_ <= entries_.size() / 2) close_gaps();
    entries_.push_back({id, &stream});
    ++count_;
  }
  /// Does nothing if there is none.
  void remove(std::uint32_t id) noexcept {
    auto* entry = const_cast<Entry*>(place_of(id));
    if (entry == end() || entry->id != id || entry->stream == nullptr) return;
    entry->stream = nullptr;
    if (--count_ == 0) {
      entries_.clear();
      first_ = 0;
    } else {
      while (entries_[first_].stream == nullptr) ++first_;
    }
  }
  /// Calls `visit(id, stream)` for each, in the order of identifiers; it may remove streams.
  template <class Visit>
  void for_each(Visit visit) {
    for (std::size_t i = first_; i < entries_.size(); ++i) {
      Entry entry = entries_[i];
      if (entry.stream != nullptr) visit(entry.id, *entry.stream);
    }
  }
  /// Gives back the memory of an empty table.
  void trim() noexcept {
    if (empty()) Entries().swap(entries_);
  }
  std::size_t memory() const noexcept { return entries_.capacity() * sizeof(Entry); }

 private:
  struct Entry {
    std::uint32_t id;
    StreamState* stream;  // null: a gap
  };
  using Entries = std::vector<Entry, pingora::internal::PooledAllocator<Entry>>;

  const Entry* end() const noexcept { return entries_.data() + entries_.size(); }
  const Entry* place_of(std::uint32_t id) const noexcept {
    return std::lower_bound(
        entries_.data() + first_, end(), id,
        [](const Entry& entry, std::uint32_t wanted) { return entry.id < wanted; });
  }
  void close_gaps() noexcept {
    std::erase_if(entries_, [](const Entry& entry) { return entry.stream == nullptr; });
    first_ = 0;
  }

  Entries entries_;
  std::size_t first_ = 0;  // before it are only gaps
  std::size_t count_ = 0;
};

}  // namespace pingora::h2
