// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "pingora/base/buffer.h"
#include "pingora/base/bytes.h"

namespace pingora::internal {

/// The beginning of a request's body as the client sent it, kept to be sent again. Large pieces are
/// kept as slices of what was read; small ones are copied together, for a slice holds on to the
/// whole block that it was read into.
class RetryBuffer {
 public:
  explicit RetryBuffer(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}

  /// Keeps `piece`, unless the body has become too long; then everything is dropped.
  void push(const Bytes& piece) {
    if (is_truncated_ || piece.empty()) return;
    if (piece.size() > bytes_max_ - bytes_) {
      is_truncated_ = true;
      pieces_ = {};
      small_.reset();
      return;
    }
    bytes_ += piece.size();
    if (piece.size() < kSmall) {
      small_.append(piece.view());
    } else {
      gather();
      pieces_.push_back(piece);
    }
  }
  bool is_truncated() const noexcept { return is_truncated_; }
  /// What was kept, in order; valid until the next `push`.
  const std::vector<Bytes>& pieces() {
    gather();
    return pieces_;
  }

 private:
  static constexpr std::size_t kSmall = 4 * 1024;

  void gather() {
    if (!small_.empty()) pieces_.push_back(small_.take(small_.size()));
  }

  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  bool is_truncated_ = false;
  std::vector<Bytes> pieces_;
  Buffer small_;  // small pieces behind pieces_
};

}  // namespace pingora::internal
