// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace pingora {

/// A reference-counted piece of memory that Bytes and Buffer share. Blocks of the standard size
/// come from a free list of the calling thread and go back to one when the last reference goes, on
/// whichever thread that is; so do smaller ones, by their size. Larger ones come from the heap.
class Block {
 public:
  /// What a standard block takes, header included: room for a response head and 16 KiB of body, so
  /// that the commonest large response takes one read.
  static constexpr std::size_t kStandardSize = 18 * 1024;
  static constexpr std::size_t kHeaderSize = 16;
  static constexpr std::size_t kStandardCapacity = kStandardSize - kHeaderSize;

  /// A block with one reference and at least `capacity_min` bytes.
  static Block* allocate(std::size_t capacity_min = kStandardCapacity);

  void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (refs_.load(std::memory_order_acquire) == 1 ||
        refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      deallocate(this);
    }
  }
  /// Whether the caller's reference is the only one.
  bool is_unshared() const noexcept { return refs_.load(std::memory_order_acquire) == 1; }

  char* data() noexcept { return reinterpret_cast<char*>(this) + kHeaderSize; }
  std::size_t capacity() const noexcept { return capacity_; }

  /// Blocks of the standard size now held in the calling thread's free list.
  static std::size_t free_blocks_of_this_thread() noexcept;

 private:
  explicit Block(std::uint64_t capacity) noexcept : capacity_(capacity) {}
  static void deallocate(Block* block) noexcept;

  std::atomic<std::uint32_t> refs_{1};
  std::uint64_t capacity_;
};
static_assert(sizeof(Block) == Block::kHeaderSize);

/// An immutable slice of shared memory: copying it copies a pointer, never the bytes.
///
/// The bytes live as long as any Bytes that refers to their block. One Bytes object belongs to one
/// thread at a time; copies of it may be used on other threads.
class Bytes {
 public:
  Bytes() noexcept = default;
  /// Takes over one reference to `block`; `view` must lie in it.
  Bytes(Block* block, std::string_view view) noexcept : block_(block), view_(view) {}

  /// Copies `text` into a block of its own.
  static Bytes copy_of(std::string_view text);
  /// Refers to memory that lives for ever, such as a string literal; nothing is copied.
  static Bytes from_static(std::string_view text) noexcept { return Bytes(nullptr, text); }

  Bytes(const Bytes& other) noexcept : block_(other.block_), view_(other.view_) {
    if (block_ != nullptr) block_->retain();
  }
  Bytes(Bytes&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), view_(std::exchange(other.view_, {})) {}
  Bytes& operator=(Bytes other) noexcept {
    std::swap(block_, other.block_);
    std::swap(view_, other.view_);
    return *this;
  }
  ~Bytes() {
    if (block_ != nullptr) block_->release();
  }

  const char* data() const noexcept { return view_.data(); }
  std::size_t size() const noexcept { return view_.size(); }
  bool empty() const noexcept { return view_.empty(); }
  std::string_view view() const noexcept { return view_; }
  explicit operator std::string_view() const noexcept { return view_; }
  std::string to_string() const { return std::string(view_); }

  /// The `size` bytes from `offset` on, cut to what is there; shares the block.
  Bytes slice(std::size_t offset, std::size_t size = std::string_view::npos) const;
  /// The first `size` bytes, which are removed from this object.
  Bytes split_to(std::size_t size);
  void remove_prefix(std::size_t size) noexcept { view_.remove_prefix(size); }
  /// Lets the slice reach `size` bytes further; they must lie in its block.
  void extend(std::size_t size) noexcept { view_ = {view_.data(), view_.size() + size}; }

  /// The block behind it, or null for static memory. For code that keeps other slices of it.
  Block* block() const noexcept { return block_; }

  friend bool operator==(const Bytes& a, const Bytes& b) noexcept { return a.view_ == b.view_; }
  friend bool operator==(const Bytes& a, std::string_view b) noexcept { return a.view_ == b; }

 private:
  Block* block_ = nullptr;
  std::string_view view_;
};

}  // namespace pingora
