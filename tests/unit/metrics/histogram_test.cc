// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/metrics/histogram.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <thread>
#include <vector>

using pingora::Histogram;
using pingora::HistogramBuckets;

TEST_CASE("HistogramBuckets: cover all values without gap or overlap", "[metrics]") {
  CHECK(HistogramBuckets::index_of(0) == 0);
  CHECK(HistogramBuckets::index_of(1) == 0);
  for (std::size_t i = 0; i + 1 < HistogramBuckets::kCount; ++i) {
    std::uint64_t upper = HistogramBuckets::upper_bound(i);
    INFO("bucket " << i);
    REQUIRE(HistogramBuckets::index_of(upper) == i);
    REQUIRE(HistogramBuckets::index_of(upper + 1) == i + 1);
  }
  CHECK(HistogramBuckets::index_of(UINT64_MAX) == HistogramBuckets::kCount - 1);
  CHECK(HistogramBuckets::upper_bound(HistogramBuckets::kCount - 1) == UINT64_MAX);
}

TEST_CASE("HistogramBuckets: powers of two are bounds", "[metrics]") {
  for (unsigned log2 = 0; log2 < 64; ++log2) {
    std::uint64_t power = std::uint64_t{1} << log2;
    CHECK(HistogramBuckets::upper_bound(HistogramBuckets::index_of(power)) == power);
  }
}

TEST_CASE("HistogramBuckets: none is wider than an eighth of its value", "[metrics]") {
  for (std::size_t i = 1; i + 1 < HistogramBuckets::kCount; ++i) {
    std::uint64_t lower = HistogramBuckets::upper_bound(i - 1);
    std::uint64_t upper = HistogramBuckets::upper_bound(i);
    CHECK((upper - lower == 1 || (upper - lower) <= lower / 8));
  }
}

TEST_CASE("Histogram: empty", "[metrics]") {
  Histogram histogram;
  CHECK(histogram.quantile(0.5) == 0);
  CHECK(histogram.snapshot().count == 0);
  CHECK(histogram.snapshot().mean() == 0.0);
  CHECK(histogram.snapshot().count_up_to(UINT64_MAX) == 0);
}

TEST_CASE("Histogram: small values are exact", "[metrics]") {
  Histogram histogram;
  for (std::uint64_t v = 1; v <= 8; ++v) histogram.record(v);
  auto now = histogram.snapshot();
  CHECK(now.count == 8);
  CHECK(now.sum == 36);
  CHECK(now.mean() == 4.5);
  CHECK(now.quantile(0.0) == 1);
  CHECK(now.quantile(0.5) == 4);
  CHECK(now.quantile(0.51) == 5);
  CHECK(now.quantile(1.0) == 8);
  CHECK(now.count_up_to(4) == 4);
}

TEST_CASE("Histogram: shares out of range are taken as the nearest", "[metrics]") {
  Histogram histogram;
  histogram.record(3);
  histogram.record(5);
  CHECK(histogram.quantile(-1) == 3);
  CHECK(histogram.quantile(2) == 5);
  CHECK(histogram.quantile(std::numeric_limits<double>::quiet_NaN()) == 3);
}

TEST_CASE("Histogram: the largest value fits", "[metrics]") {
  Histogram histogram;
  histogram.record(UINT64_MAX);
  histogram.record(0);
  CHECK(histogram.quantile(1.0) == UINT64_MAX);
  CHECK(histogram.quantile(0.5) == 1);
}

TEST_CASE("Histogram: quantiles are at most an eighth too high", "[metrics]") {
  auto histogram = std::make_unique<Histogram>();
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> distribution(6, 2);
  std::vector<std::uint64_t> values(20'000);
  for (std::uint64_t& value : values) {
    value = 1 + static_cast<std::uint64_t>(distribution(random));
    histogram->record(value);
  }
  std::ranges::sort(values);
  for (double q : {0.01, 0.1, 0.5, 0.9, 0.99, 0.999}) {
    auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
    std::uint64_t exact = values[rank - 1];
    std::uint64_t estimate = histogram->quantile(q);
    CHECK(estimate >= exact);
    CHECK(static_cast<double>(estimate) <= static_cast<double>(exact) * 1.125);
  }
}

TEST_CASE("Histogram: loses nothing to other threads", "[metrics]") {
  auto histogram = std::make_unique<Histogram>();
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&histogram, t] {
      for (std::uint64_t i = 0; i < 1000; ++i) histogram->record(t * 1000 + i);
    });
  }
  std::uint64_t before = 0;
  for (int i = 0; i < 20; ++i) {
    auto now = histogram->snapshot();
    CHECK(now.count >= before);
    before = now.count;
  }
  for (std::thread& thread : threads) thread.join();
  auto now = histogram->snapshot();
  CHECK(now.count == 4000);
  CHECK(now.sum == 3999ULL * 4000 / 2);
}
