// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/load_balancing/selection.h"

#include <algorithm>
#include <compare>
#include <numeric>

namespace pingora {
namespace {

constexpr std::uint64_t kOrderSizeMax = 65'536;

}  // namespace

std::vector<std::uint32_t> weighted_order(std::span<const Backend> backends) {
  std::uint64_t common = 0;
  std::uint64_t sum = 0;
  for (const Backend& backend : backends) common = std::gcd(common, backend.weight());
  if (common == 0) return {};
  for (const Backend& backend : backends) sum += backend.weight() / common;
  // The k-th of a backend's n places is at (k + 1/2) / n of the way; all places in that order.
  struct Place {
    double position;
    std::uint32_t index;
    auto operator<=>(const Place&) const = default;
  };
  std::vector<Place> places;
  for (std::uint32_t index = 0; index < backends.size(); ++index) {
    std::uint64_t count = backends[index].weight() / common;
    if (count != 0 && sum > kOrderSizeMax) count = std::max(count * kOrderSizeMax / sum, 1UL);
    for (std::uint64_t k = 0; k < count; ++k) {
      places.push_back({(static_cast<double>(k) + 0.5) / static_cast<double>(count), index});
    }
  }
  std::ranges::sort(places);
  std::vector<std::uint32_t> order;
  order.reserve(places.size());
  for (const Place& place : places) order.push_back(place.index);
  return order;
}

RoundRobin::RoundRobin(std::span<const Backend> backends) : order_(weighted_order(backends)) {
  for (std::uint32_t index = 0; index < backends.size(); ++index) {
    if (backends[index].weight() != 0) candidates_.push_back(index);
  }
}

}  // namespace pingora
