// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/metrics/histogram.h"

#include <algorithm>
#include <cmath>

namespace pingora {

std::uint64_t HistogramSnapshot::quantile(double q) const noexcept {
  if (count == 0) return 0;
  double share = std::clamp(std::isnan(q) ? 0.0 : q, 0.0, 1.0);
  auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count)));
  rank = std::clamp<std::uint64_t>(rank, 1, count);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    seen += buckets[i];
    if (seen >= rank) return HistogramBuckets::upper_bound(i);
  }
  return UINT64_MAX;
}

std::uint64_t HistogramSnapshot::count_up_to(std::uint64_t bound) const noexcept {
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets.size() && HistogramBuckets::upper_bound(i) <= bound; ++i) {
    seen += buckets[i];
  }
  return seen;
}

HistogramSnapshot Histogram::snapshot() const noexcept {
  HistogramSnapshot now;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    now.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
    now.count += now.buckets[i];
  }
  now.sum = sum_.value();
  return now;
}

}  // namespace pingora
