// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "pingora/base/bytes.h"

namespace pingora::internal {

/// The beginning of a request's body as the client sent it, kept to be sent again. Holds slices,
/// not copies.
class RetryBuffer {
 public:
  explicit RetryBuffer(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}

  /// Keeps `piece`, unless the body has become too long; then everything is dropped.
  void push(const Bytes& piece) {
    if (is_truncated_ || piece.empty()) return;
    if (piece.size() > bytes_max_ - bytes_) {
      is_truncated_ = true;
      pieces_ = {};
      return;
    }
    bytes_ += piece.size();
    pieces_.push_back(piece);
  }
  bool is_truncated() const noexcept { return is_truncated_; }
  const std::vector<Bytes>& pieces() const noexcept { return pieces_; }

 private:
  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  bool is_truncated_ = false;
  std::vector<Bytes> pieces_;
};

}  // namespace pingora::internal
