// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "pingora/load_balancing/backend.h"

namespace pingora {

/// A way to choose among backends: made of them each time that the set changes, it gives, for a
/// key, an iterator over indices into that set, the preferred one first and then those to fall back
/// to. An iterator never ends, may repeat itself, and comes to every backend that may be chosen.
///
/// `iterate` may be called from any thread.
template <class S>
concept Selection =
    requires(std::span<const Backend> backends, const S& selection, std::string_view key) {
      S(backends);
      { selection.iterate(key).next() } -> std::same_as<std::size_t>;
    };

/// Indices of backends, each as often as its weight says, spread evenly: with weights 3 and 1,
/// 0 0 1 0. Weights are divided by what they have in common; of those whose sum exceeds 65,536 the
/// proportions are rounded, each of at least 1. Empty if no backend has a weight.
std::vector<std::uint32_t> weighted_order(std::span<const Backend> backends);

/// Each backend in turn, as often as its weight says. What falls back from one that is not healthy
/// is spread over the others. Answers to Pingora's `RoundRobin`.
class RoundRobin {
 public:
  explicit RoundRobin(std::span<const Backend> backends);

  class Iterator {
   public:
    std::size_t next() noexcept {
      if (is_first_) {
        is_first_ = false;
        return owner_.order_[turn_ % owner_.order_.size()];
      }
      return owner_.candidates_[fallback_++ % owner_.candidates_.size()];
    }

   private:
    friend class RoundRobin;
    Iterator(const RoundRobin& owner, std::uint64_t turn) noexcept
        : owner_(owner), turn_(turn), fallback_((turn * 0x9e3779b97f4a7c15U) >> 32U) {}
    const RoundRobin& owner_;
    std::uint64_t turn_;
    std::uint64_t fallback_;
    bool is_first_ = true;
  };
  Iterator iterate(std::string_view /*key*/) const noexcept {
    return {*this, turn_.fetch_add(1, std::memory_order_relaxed)};
  }

 private:
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> candidates_;  // each that has a weight, once
  alignas(64) mutable std::atomic<std::uint64_t> turn_{0};
};

}  // namespace pingora
