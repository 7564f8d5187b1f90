// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace pingora::h2 {

/// What memory held that is mostly zero: its words that are not, and where they were. Of the pages
/// that an idle session of nghttp2 lives in, that is a sixth.
class HomeImage {
 public:
  HomeImage() noexcept = default;

  /// Of the `size` bytes from `begin` on, a multiple of 8 both. Empty if there is no memory for it.
  static HomeImage of(const char* begin, std::size_t size) noexcept;
  /// Writes back what is not zero. The rest is to be zero already.
  void restore(char* begin) const noexcept;

  bool empty() const noexcept { return words_ == nullptr; }
  /// Bytes that it takes.
  std::size_t size() const noexcept { return size_; }

 private:
  struct Free {
    std::size_t size;
    void operator()(std::uint64_t* words) const noexcept;
  };

  // For each 64 words of memory, a mask of those that are not zero, and these.
  std::unique_ptr<std::uint64_t, Free> words_{nullptr, Free{0}};
  std::size_t size_ = 0;
  std::size_t groups_ = 0;
};

}  // namespace pingora::h2
