// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "pingora/base/assert.h"
#include "pingora/base/bytes.h"

namespace pingora {

/// Bytes that arrived and are not consumed yet, in one contiguous piece: what a stream reads into
/// and a parser reads from. Holds no memory while it is empty.
///
/// `view()`, and pointers into it, stay valid until the next `prepare`, `consume` or `take`; what
/// `take` and `share` return stays valid on its own. Belongs to one strand.
class Buffer {
 public:
  Buffer() noexcept = default;
  Buffer(Buffer&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { reset(); }

  std::string_view view() const noexcept { return {data_, size_}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  /// At least `size_min` writable bytes behind the unread ones; moves the unread bytes to a larger
  /// block if they do not fit. `size_min` 0 asks for what is left of the block, or a fresh block.
  std::span<char> prepare(std::size_t size_min = 0) {
    if (block_ != nullptr) {
      std::size_t left = room();
      if (left >= size_min && left != 0) return {data_ + size_, left};
    }
    return prepare_slowly(size_min);
  }
  /// Makes the first `size` bytes of the prepared ones readable.
  void commit(std::size_t size) noexcept {
    PINGORA_ASSERT(block_ != nullptr && size <= room());
    size_ += size;
  }
  /// Appends a copy of `bytes`.
  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
    size_ += bytes.size();
  }

  /// Drops the first `size` bytes. When none are left, the memory goes back.
  void consume(std::size_t size) noexcept {
    PINGORA_ASSERT(size <= size_);
    size_ -= size;
    data_ += size;
    if (size_ == 0) reset();
  }
  /// Cuts the first `size` bytes off as a slice that shares the memory.
  Bytes take(std::size_t size);
  /// A slice of the first `size` bytes, which stay in the buffer.
  Bytes share(std::size_t size) const;

  /// Gives memory back that was prepared and never filled, if the buffer is empty.
  void release_if_empty() noexcept {
    if (size_ == 0) reset();
  }
  /// Drops everything.
  void reset() noexcept {
    if (block_ != nullptr) block_->release();
    block_ = nullptr;
    data_ = nullptr;
    size_ = 0;
  }

 private:
  // Bytes of the block behind the unread ones.
  std::size_t room() const noexcept {
    return static_cast<std::size_t>(block_->data() + block_->capacity() - (data_ + size_));
  }
  std::span<char> prepare_slowly(std::size_t size_min);

  Block* block_ = nullptr;
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace pingora
