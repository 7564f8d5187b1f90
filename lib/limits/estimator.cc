// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/limits/estimator.h"

#include <algorithm>
#include <limits>

#include "limits/mix.h"

namespace pingora {
namespace {

// A seed for each sketch, so that keys which meet in one do not meet in another.
std::uint64_t next_seed() noexcept {
  static constinit std::atomic<std::uint64_t> count{0};
  return internal::mix(internal::process_secret(), count.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace

Estimator::Estimator(SketchSize size)
    : size_{std::max<std::size_t>(size.hashes, 1), std::max<std::size_t>(size.slots, 1)},
      seed_(next_seed()),
      slots_(std::make_unique<std::atomic<std::int64_t>[]>(size_.hashes * size_.slots)) {}

std::atomic<std::int64_t>& Estimator::slot(std::size_t row, LimitKey key) const noexcept {
  std::uint64_t hash = internal::mix(key.hash(), seed_ + row * 0x9e3779b97f4a7c15ULL);
  auto column =
      static_cast<std::size_t>((static_cast<unsigned __int128>(hash) * size_.slots) >> 64);
  return slots_[row * size_.slots + column];
}

std::int64_t Estimator::incr(LimitKey key, std::int64_t n) noexcept {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (std::size_t row = 0; row < size_.hashes; ++row) {
    least = std::min(least, slot(row, key).fetch_add(n, std::memory_order_relaxed) + n);
  }
  return least;
}

std::int64_t Estimator::get(LimitKey key) const noexcept {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (std::size_t row = 0; row < size_.hashes; ++row) {
    least = std::min(least, slot(row, key).load(std::memory_order_relaxed));
  }
  return least;
}

void Estimator::reset() noexcept {
  for (std::size_t i = 0; i < size_.hashes * size_.slots; ++i) {
    slots_[i].store(0, std::memory_order_relaxed);
  }
}

}  // namespace pingora
