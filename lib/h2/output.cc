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
    char* place = block_->data() + used_;
    std::memcpy(place, bytes.data(), size);
    used_ += size;
    size_ += size;
    bytes.remove_prefix(size);
    if (is_last_open_) {
      Bytes& last = pieces_.back();
      std::string_view grown(last.data(), last.size() + size);
      // The reference that it holds is taken over.
      last.block()->retain();
      last = Bytes(last.block(), grown);
    } else {
      block_->retain();
      pieces_.emplace_back(block_, std::string_view(place, size));
      is_last_open_ = true;
    }
  }
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
