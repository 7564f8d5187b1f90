// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "pingora/load_balancing/backend.h"
#include "pingora/load_balancing/discovery.h"
#include "pingora/load_balancing/health_check.h"

namespace pingora {

namespace internal {

/// What is known of a backend's health; any thread. Shared by the sets that it is in, one after the
/// other.
struct BackendHealth {
  std::atomic<bool> is_healthy{true};
  std::atomic<bool> is_enabled{true};
  unsigned streak = 0;  // results in a row that speak against `is_healthy`; of the checks alone
};

/// Backends, and the health of each at the same index.
struct BackendSet {
  std::vector<Backend> backends;
  std::vector<std::shared_ptr<BackendHealth>> health;

  bool is_ready(std::size_t index) const noexcept {
    const BackendHealth& known = *health[index];
    return known.is_enabled.load(std::memory_order_relaxed) &&
           known.is_healthy.load(std::memory_order_relaxed);
  }
};

}  // namespace internal

/// The backends of a load balancer: where they come from, and which of them work. A backend is
/// healthy until a check says otherwise, and keeps its state from one discovery to the next.
/// Answers to Pingora's `Backends`.
class Backends {
 public:
  explicit Backends(std::unique_ptr<ServiceDiscovery> discovery);

  /// Without one, every backend is healthy. To be set before anything runs.
  void set_health_check(std::unique_ptr<HealthCheck> check) { check_ = std::move(check); }
  bool has_health_check() const noexcept { return check_ != nullptr; }

  /// Discovers. Gives whether the set is another one now; errors are those of the discovery. One at
  /// a time.
  Task<bool> update();
  /// As an update that has found these.
  bool set_now(DiscoveredBackends found);
  /// Checks all backends once: `parallel_max` at a time, at least 1 and at the most
  /// `kParallelMax`. One at a time.
  Task<> run_health_check(unsigned parallel_max);
  static constexpr unsigned kParallelMax = 16;

  /// The set as it was discovered last. Any thread.
  std::shared_ptr<const internal::BackendSet> set() const;

 private:
  struct Round;
  Task<> check_side_by_side(Round& round, unsigned count);
  Task<> check_from(Round& round);
  void note(const Backend& backend, internal::BackendHealth& health, bool is_good);

  std::unique_ptr<ServiceDiscovery> discovery_;
  std::unique_ptr<HealthCheck> check_;
  mutable std::mutex mutex_;                         // guards set_
  std::shared_ptr<const internal::BackendSet> set_;  // shared with a round of checks
};

}  // namespace pingora
