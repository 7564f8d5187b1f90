// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/bytes.h"

#include <algorithm>
#include <new>

#include "base/address_sanitizer.h"
#include "base/pool.h"
#include "pingora/base/assert.h"

namespace pingora {
namespace {

// What follows the link in a free block may not be touched: AddressSanitizer is told, because it
// can not know about blocks that never go back to the heap.
void poison(void* block) noexcept {
  internal::poison(static_cast<char*>(block) + sizeof(void*), Block::kStandardSize - sizeof(void*));
}
void unpoison(void* block) noexcept { internal::unpoison(block, Block::kStandardSize); }

// The free list of one thread. Trivially destructible, because blocks are released until the very
// end of a thread, by thread-local objects that die after everything here; FreeBlocksCloser gives
// back what it holds, and what is released after that goes straight to the heap.
struct FreeBlocks {
  static constexpr std::size_t kKeptMax = 256;
  enum class State : unsigned char { Untouched, Open, Closed };

  void* take() noexcept {
    if (head == nullptr) return nullptr;
    void* block = head;
    std::memcpy(&head, block, sizeof(head));
    --count;
    unpoison(block);
    return block;
  }
  bool put(void* block) noexcept {
    if (state != State::Open && !open()) return false;
    if (count >= kKeptMax) return false;
    std::memcpy(block, &head, sizeof(head));
    head = block;
    ++count;
    poison(block);
    return true;
  }
  bool open() noexcept;
  void close() noexcept {
    state = State::Closed;
    while (void* block = take()) ::operator delete(block);
  }

  void* head = nullptr;
  std::size_t count = 0;
  State state = State::Untouched;
};

constinit thread_local FreeBlocks free_blocks;

struct FreeBlocksCloser {
  ~FreeBlocksCloser() { free_blocks.close(); }
};

bool FreeBlocks::open() noexcept {
  if (state == State::Closed) return false;
  thread_local FreeBlocksCloser closer;
  state = State::Open;
  return true;
}

}  // namespace

Block* Block::allocate(std::size_t capacity_min) {
  std::size_t capacity = capacity_min;
  void* memory = nullptr;
  if (capacity_min <= kStandardCapacity && capacity_min > kStandardCapacity / 4) {
    capacity = kStandardCapacity;
    memory = free_blocks.take();
  } else if (capacity_min + kHeaderSize <= internal::kPooledSizeMax) {
    std::size_t size = internal::pooled_size(capacity_min + kHeaderSize);
    capacity = size - kHeaderSize;
    memory = internal::pool_take(size);
    if (memory == nullptr) throw std::bad_alloc();
  }
  if (memory == nullptr) memory = ::operator new(capacity + kHeaderSize);
  return new (memory) Block(capacity);
}

void Block::deallocate(Block* block) noexcept {
  bool standard = block->capacity_ == kStandardCapacity;
  std::size_t size = block->capacity_ + kHeaderSize;
  block->~Block();
  if (size <= internal::kPooledSizeMax) return internal::pool_give(block, size);
  if (!standard || !free_blocks.put(block)) ::operator delete(block);
}

std::size_t Block::free_blocks_of_this_thread() noexcept { return free_blocks.count; }

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
