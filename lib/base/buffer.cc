// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pingora {

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    reset();
    block_ = std::exchange(other.block_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

// Where there is no block, or not enough left of it.
std::span<char> Buffer::prepare_slowly(std::size_t size_min) {
  if (block_ == nullptr) {
    block_ = Block::allocate(std::max(size_min, Block::kStandardCapacity));
    data_ = block_->data();
    return {data_, block_->capacity()};
  }
  // Unread bytes at the end of the block: to the front of it if nobody else reads from it, else to
  // a block of their own, with room to grow when they fill a whole one.
  std::size_t needed = size_ + std::max<std::size_t>(size_min, 1);
  if (block_->is_unshared() && needed <= block_->capacity() && size_ <= block_->capacity() / 2) {
    std::memmove(block_->data(), data_, size_);
    data_ = block_->data();
  } else {
    std::size_t capacity = Block::kStandardCapacity;
    while (capacity < needed + capacity / 4) capacity *= 2;
    Block* larger = Block::allocate(capacity);
    if (size_ != 0) std::memcpy(larger->data(), data_, size_);
    block_->release();
    block_ = larger;
    data_ = larger->data();
  }
  return {data_ + size_, room()};
}

Bytes Buffer::take(std::size_t size) {
  PINGORA_ASSERT(size <= size_);
  if (size == 0) return {};
  if (size == size_) {  // the reference goes along: no counting
    Bytes all(std::exchange(block_, nullptr), {data_, size});
    data_ = nullptr;
    size_ = 0;
    return all;
  }
  Bytes part = share(size);
  size_ -= size;
  data_ += size;
  return part;
}

Bytes Buffer::share(std::size_t size) const {
  PINGORA_ASSERT(size <= size_);
  if (size == 0) return {};
  block_->retain();
  return {block_, {data_, size}};
}

}  // namespace pingora
