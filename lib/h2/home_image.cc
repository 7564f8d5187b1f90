// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/home_image.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/pool.h"

namespace pingora::h2 {
namespace {

constexpr std::size_t kWordSize = sizeof(std::uint64_t);
constexpr std::size_t kGroupWords = 64;
constexpr std::size_t kGroupSize = kGroupWords * kWordSize;

std::uint64_t word_at(const char* place) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, place, sizeof(word));
  return word;
}

std::uint64_t mask_of(const char* begin, std::size_t words) noexcept {
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < words; ++i) {
    mask |= std::uint64_t{word_at(begin + i * kWordSize) != 0} << i;
  }
  return mask;
}

// Calls `f(group, its mask)`.
template <class F>
void for_each_group(const char* begin, std::size_t size, F&& f) {
  for (std::size_t at = 0; at < size; at += kGroupSize) {
    std::size_t words = std::min(kGroupSize, size - at) / kWordSize;
    f(begin + at, mask_of(begin + at, words));
  }
}

}  // namespace

void HomeImage::Free::operator()(std::uint64_t* words) const noexcept {
  pingora::internal::pool_give(words, size);
}

HomeImage HomeImage::of(const char* begin, std::size_t size) noexcept {
  HomeImage image;
  std::size_t words = 0;
  for_each_group(begin, size, [&](const char*, std::uint64_t mask) {
    ++image.groups_;
    words += 1 + static_cast<std::size_t>(std::popcount(mask));
  });
  image.size_ = pingora::internal::pooled_size(words * kWordSize);
  auto* next = static_cast<std::uint64_t*>(pingora::internal::pool_take(image.size_));
  if (next == nullptr) return {};
  image.words_ = decltype(image.words_)(next, Free{image.size_});
  for_each_group(begin, size, [&](const char* group, std::uint64_t mask) {
    *next++ = mask;
    for (; mask != 0; mask &= mask - 1) {
      *next++ = word_at(group + static_cast<std::size_t>(std::countr_zero(mask)) * kWordSize);
    }
  });
  return image;
}

void HomeImage::restore(char* begin) const noexcept {
  const std::uint64_t* next = words_.get();
  for (std::size_t i = 0; i < groups_; ++i, begin += kGroupSize) {
    for (std::uint64_t mask = *next++; mask != 0; mask &= mask - 1) {
      char* place = begin + static_cast<std::size_t>(std::countr_zero(mask)) * kWordSize;
      std::memcpy(place, next++, kWordSize);
    }
  }
}

}  // namespace pingora::h2
