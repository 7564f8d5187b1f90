// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h2/output.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pingora/base/assert.h"

namespace pingora::h2 {

void Output::append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (block_ == nullptr || used_ == block_->capacity()) start_block();
    std::size_t size = std::min(bytes.size(), block_->capacity() - used_);
    std::memcpy(block_->data() + used_, bytes.data(), size);
    commit(size);
    bytes.remove_prefix(size);
  }
}

char* Output::prepare(std::size_t size) {
  PINGORA_ASSERT(size <= kRoomMax);
  if (block_ == nullptr || block_->capacity() - used_ < size) start_block();
  return block_->data() + used_;
}

void Output::commit(std::size_t size) {
  if (size == 0) return;
  if (is_last_open_) {
    pieces_.back().extend(size);
  } else {
    block_->retain();
    pieces_.emplace_back(block_, std::string_view(block_->data() + used_, size));
    is_last_open_ = true;
  }
  used_ += size;
  size_ += size;
}

void Output::take(Output& other, std::size_t bytes_max) {
  std::size_t left = std::min(bytes_max, other.size_);
  bool takes_all = left == other.size_;
  size_ += left;
  other.size_ -= left;
  while (left != 0) {
    Bytes& piece = other.pieces_[other.first_];
    if (left < piece.size()) {
      pieces_.push_back(piece.split_to(left));
      break;
    }
    left -= piece.size();
    pieces_.push_back(std::move(piece));
    ++other.first_;
  }
  is_last_open_ = false;
  if (!takes_all) return;
  // What comes next goes on where the other has left off.
  if (other.block_ != nullptr) {
    std::swap(block_, other.block_);
    used_ = other.used_;
    is_last_open_ = other.is_last_open_ && !pieces_.empty();
  }
  other.clear();
}

void Output::append(Bytes bytes) {
  if (bytes.size() < kSharedBytesMin) return append(bytes.view());
  size_ += bytes.size();
  pieces_.push_back(std::move(bytes));
  is_last_open_ = false;
}

void Output::start_block() {
  if (block_ != nullptr) block_->release();
  block_ = Block::allocate();
  used_ = 0;
  is_last_open_ = false;
}

void Output::consume(std::size_t bytes) noexcept {
  PINGORA_ASSERT(bytes <= size_);
  size_ -= bytes;
  if (size_ == 0) return clear();
  while (bytes != 0) {
    Bytes& piece = pieces_[first_];
    if (bytes < piece.size()) return piece.remove_prefix(bytes);
    bytes -= piece.size();
    piece = Bytes();
    ++first_;
  }
}

void Output::clear() noexcept {
  pieces_.clear();
  first_ = 0;
  size_ = 0;
  used_ = 0;
  is_last_open_ = false;
  if (block_ != nullptr) block_->release();
  block_ = nullptr;
  if (pieces_.capacity() > kPiecesKept) std::vector<Bytes>().swap(pieces_);
}

}  // namespace pingora::h2
