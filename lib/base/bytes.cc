// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/bytes.h"

#include <algorithm>
#include <new>

#include "pingora/base/assert.h"

namespace pingora {
namespace {

// The free list of one thread. Trivially destructible state would outlive its thread, so the
// destructor hands everything back; blocks released after that go straight to the heap.
class FreeBlocks {
 public:
  static constexpr std::size_t kKeptMax = 256;

  ~FreeBlocks() {
    closed_ = true;
    while (void* block = take()) ::operator delete(block);
  }
  void* take() noexcept {
    if (head_ == nullptr) return nullptr;
    void* block = head_;
    std::memcpy(&head_, block, sizeof(head_));
    --count_;
    return block;
  }
  bool put(void* block) noexcept {
    if (closed_ || count_ >= kKeptMax) return false;
    std::memcpy(block, &head_, sizeof(head_));
    head_ = block;
    ++count_;
    return true;
  }
  std::size_t count() const noexcept { return count_; }

 private:
  void* head_ = nullptr;
  std::size_t count_ = 0;
  bool closed_ = false;
};

thread_local FreeBlocks free_blocks;

}  // namespace

Block* Block::allocate(std::size_t capacity_min) {
  std::size_t capacity = capacity_min;
  void* memory = nullptr;
  if (capacity_min <= kStandardCapacity && capacity_min > kStandardCapacity / 4) {
    capacity = kStandardCapacity;
    memory = free_blocks.take();
  }
  if (memory == nullptr) memory = ::operator new(capacity + kHeaderSize);
  return new (memory) Block(capacity);
}

void Block::deallocate(Block* block) noexcept {
  bool standard = block->capacity_ == kStandardCapacity;
  block->~Block();
  if (!standard || !free_blocks.put(block)) ::operator delete(block);
}

std::size_t Block::free_blocks_of_this_thread() noexcept { return free_blocks.count(); }

Bytes Bytes::copy_of(std::string_view text) {
  if (text.empty()) return {};
  Block* block = Block::allocate(text.size());
  std::memcpy(block->data(), text.data(), text.size());
  return {block, std::string_view(block->data(), text.size())};
}

Bytes Bytes::slice(std::size_t offset, std::size_t size) const {
  Bytes part(*this);
  part.view_ = view_.substr(std::min(offset, view_.size()), size);
  return part;
}

Bytes Bytes::split_to(std::size_t size) {
  PINGORA_ASSERT(size <= view_.size());
  Bytes part = slice(0, size);
  view_.remove_prefix(size);
  return part;
}

}  // namespace pingora
