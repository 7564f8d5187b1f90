// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pingora/base/assert.h"

namespace pingora {

Buffer::Buffer(Buffer&& other) noexcept
    : block_(std::exchange(other.block_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    reset();
    block_ = std::exchange(other.block_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

std::span<char> Buffer::prepare(std::size_t size_min) {
  if (block_ == nullptr) {
    block_ = Block::allocate(std::max(size_min, Block::kStandardCapacity));
    data_ = block_->data();
  }
  char* end = block_->data() + block_->capacity();
  std::size_t room = static_cast<std::size_t>(end - (data_ + size_));
  std::size_t wanted = std::max<std::size_t>(size_min, 1);
  if (room < wanted) {
    // Unread bytes at the end of the block: to the front of it if nobody else reads from it, else
    // to a block of their own, with room to grow when they fill a whole one.
    std::size_t needed = size_ + wanted;
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
    room = block_->capacity() - static_cast<std::size_t>(data_ - block_->data()) - size_;
  }
  return {data_ + size_, room};
}

void Buffer::commit(std::size_t size) noexcept {
  PINGORA_ASSERT(block_ != nullptr && data_ + size_ + size <= block_->data() + block_->capacity());
  size_ += size;
}

void Buffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::span<char> room = prepare(bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  commit(bytes.size());
}

void Buffer::consume(std::size_t size) noexcept {
  PINGORA_ASSERT(size <= size_);
  size_ -= size;
  data_ += size;
  if (size_ == 0) reset();
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

void Buffer::reset() noexcept {
  if (block_ != nullptr) block_->release();
  block_ = nullptr;
  data_ = nullptr;
  size_ = 0;
}

}  // namespace pingora
