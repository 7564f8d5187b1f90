// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace pingora::h2 {

/// What the peer may send, on a stream or on the connection (RFC 9113 §5.2): `size` bytes, of which
/// it has `used` some; they are given back once the reader has taken them, in halves of the window,
/// because each costs a frame.
class ReceiveWindow {
 public:
  explicit ReceiveWindow(std::uint32_t size) noexcept : size_(size) {}

  std::uint32_t size() const noexcept { return size_; }
  std::int64_t used() const noexcept { return used_; }
  /// Bytes that the peer may send now. Less than 0 where the window was made smaller meanwhile.
  std::int64_t available() const noexcept { return std::int64_t{size_} - used_; }

  /// The peer has sent `bytes`. False if they are more than it may.
  [[nodiscard]] bool receive(std::uint32_t bytes) noexcept {
    used_ += bytes;
    return used_ <= std::int64_t{size_};
  }
  /// The reader has taken `bytes`. What is to be given back to the peer now, often 0.
  [[nodiscard]] std::uint32_t consume(std::uint64_t bytes) noexcept {
    consumed_ = std::min<std::int64_t>(used_, consumed_ + static_cast<std::int64_t>(bytes));
    if (consumed_ == 0 || consumed_ < std::int64_t{size_} / 2) return 0;
    auto given_back = static_cast<std::uint32_t>(consumed_);
    used_ -= consumed_;
    consumed_ = 0;
    return given_back;
  }
  /// Makes it larger. By how much the peer is to be told that it has grown: what the reader has
  /// taken goes with it.
  [[nodiscard]] std::uint32_t grow(std::uint32_t size) noexcept {
    auto increment = static_cast<std::uint32_t>(size - size_ + consumed_);
    size_ = size;
    used_ -= std::exchange(consumed_, 0);
    return increment;
  }
  /// It is of another size from now on, as the peer knows.
  void resize(std::uint32_t size) noexcept { size_ = size; }

 private:
  std::uint32_t size_;
  std::int64_t used_ = 0;
  std::int64_t consumed_ = 0;  // of what is used
};

}  // namespace pingora::h2
