// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

#include "pingora/limits/estimator.h"

namespace pingora {

/// How many things go on at once by key, such as requests of one client. In fixed memory, 256 KiB
/// with the default size; as of the Estimator, results are never too low. Answers to Pingora's
/// `Inflight`.
///
///     auto [guard, count] = inflight.incr(client_address);
///     if (count > 10) co_return co_await too_many_requests(session);
///
/// Any thread may call anything; nothing locks. Neither copies nor moves, and outlives its guards.
class Inflight {
 public:
  /// Takes off what was added when it dies. Moves, also to another thread.
  class [[nodiscard]] Guard {
   public:
    Guard(Guard&& other) noexcept
        : estimator_(std::exchange(other.estimator_, nullptr)), key_(other.key_), n_(other.n_) {}
    Guard& operator=(Guard&& other) noexcept {
      Guard moved(std::move(other));
      std::swap(estimator_, moved.estimator_);
      std::swap(key_, moved.key_);
      std::swap(n_, moved.n_);
      return *this;
    }
    ~Guard() {
      if (estimator_ != nullptr) estimator_->decr(key_, n_);
    }
    /// How many go on now, this one included. Not for a moved-from guard.
    std::int64_t get() const noexcept { return estimator_->get(key_); }

   private:
    friend class Inflight;
    Guard(Estimator& estimator, LimitKey key, std::int64_t n) noexcept
        : estimator_(&estimator), key_(key), n_(n) {}
    Estimator* estimator_;
    LimitKey key_;
    std::int64_t n_;
  };

  explicit Inflight(SketchSize size = {.hashes = 4, .slots = 8192}) : estimator_(size) {}

  /// Adds `n` to what goes on for `key`, until the guard dies; returns with it how many that makes.
  std::pair<Guard, std::int64_t> incr(LimitKey key, std::int64_t n = 1) noexcept {
    std::int64_t count = estimator_.incr(key, n);
    return {Guard(estimator_, key, n), count};
  }
  std::int64_t get(LimitKey key) const noexcept { return estimator_.get(key); }

 private:
  Estimator estimator_;
};

}  // namespace pingora
