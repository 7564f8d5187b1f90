// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/load_balancing/backends.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "pingora/base/log.h"
#include "pingora/runtime/combinators.h"

namespace pingora {

using internal::BackendHealth;
using internal::BackendSet;

Backends::Backends(std::unique_ptr<ServiceDiscovery> discovery)
    : discovery_(std::move(discovery)), set_(std::make_shared<BackendSet>()) {}

std::shared_ptr<const BackendSet> Backends::set() const {
  std::lock_guard lock(mutex_);
  return set_;
}

Task<bool> Backends::update() { co_return set_now(co_await discovery_->discover()); }

bool Backends::set_now(DiscoveredBackends found) {
  std::shared_ptr<const BackendSet> before = set();
  std::unordered_map<Backend, std::shared_ptr<BackendHealth>> known;
  for (std::size_t i = 0; i < before->backends.size(); ++i) {
    known.emplace(before->backends[i], before->health[i]);
  }
  auto next = std::make_shared<BackendSet>();
  std::unordered_set<Backend> seen;
  bool is_other = false;
  for (Backend& backend : found.backends) {
    if (!seen.insert(backend).second) continue;
    std::shared_ptr<BackendHealth>& health = known[backend];
    if (!health) {
      health = std::make_shared<BackendHealth>();
      is_other = true;
    }
    health->is_enabled.store(std::ranges::find(found.disabled, backend.address()) ==
                             found.disabled.end());
    next->health.push_back(health);
    next->backends.push_back(std::move(backend));
  }
  is_other |= next->backends.size() != before->backends.size();
  if (is_other) {
    std::lock_guard lock(mutex_);
    set_ = std::move(next);
  }
  return is_other;
}

// One round of checks, which several coroutines of one strand take backends from.
struct Backends::Round {
  std::shared_ptr<const BackendSet> set;
  std::size_t next = 0;
};

Task<> Backends::run_health_check(unsigned parallel_max) {
  if (!check_) co_return;
  Round round{set()};
  co_await check_side_by_side(round, std::clamp(parallel_max, 1U, kParallelMax));
}

Task<> Backends::check_side_by_side(Round& round, unsigned count) {
  if (count == 1) {
    co_await check_from(round);
  } else {
    co_await when_all(check_side_by_side(round, count / 2),
                      check_side_by_side(round, count - count / 2));
  }
}

Task<> Backends::check_from(Round& round) {
  while (round.next < round.set->backends.size()) {
    std::size_t index = round.next++;
    const Backend& backend = round.set->backends[index];
    Result<void> result = co_await check_->check(backend).as_result();
    if (!result) {
      log_debug("health check of {}: {}", backend.address().to_string(),
                result.error().to_string());
    }
    note(backend, *round.set->health[index], result.has_value());
  }
}

void Backends::note(const Backend& backend, BackendHealth& health, bool is_good) {
  if (is_good == health.is_healthy.load()) {
    health.streak = 0;
    return;
  }
  Health now = is_good ? Health::Healthy : Health::Unhealthy;
  if (++health.streak < check_->threshold(now)) return;
  health.streak = 0;
  health.is_healthy.store(is_good);
  log_warn("backend {} is {}", backend.address().to_string(), is_good ? "healthy" : "unhealthy");
  check_->on_health_change(backend, now);
}

}  // namespace pingora
