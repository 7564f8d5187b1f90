// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "pingora/base/snapshot.h"
#include "pingora/load_balancing/backends.h"
#include "pingora/load_balancing/selection.h"
#include "pingora/server/background_service.h"

namespace pingora {

/// How a load balancer looks after its backends, as a background service.
struct LoadBalancerOptions {
  /// How often it discovers; unset: once.
  std::optional<std::chrono::milliseconds> update_frequency{};
  /// How often it checks their health; unset: once, if there is a check at all.
  std::optional<std::chrono::milliseconds> health_check_frequency{};
  /// How many backends are checked at the same time, `Backends::kParallelMax` at the most.
  unsigned parallel_health_checks = 1;
};

namespace internal {

/// Backend addresses as texts; ConfigError, one line, for what is no address.
Result<std::vector<Backend>> parse_backends(std::span<const std::string_view> addresses);

/// What of a load balancer does not depend on the selection: the work in the background.
class LoadBalancerBase : public BackgroundService {
 public:
  explicit LoadBalancerBase(Backends& backends) noexcept : backends_(backends) {}
  Task<> start(ShutdownWatch& shutdown, ReadyNotifier ready) override;

  /// Set before the server starts.
  LoadBalancerOptions options;

 protected:
  virtual void rebuild() = 0;
  Task<> update_backends();

 private:
  Task<> look_after(ReadyNotifier ready);
  Backends& backends_;
};

}  // namespace internal

/// Chooses backends for requests. Every function but those that set it up may be called from any
/// thread, and choosing neither locks nor allocates. Usually shared by a proxy, which selects, and
/// the server, which runs it as a background service for discovery and health checks; a balancer
/// without either needs no service. Answers to Pingora's `LoadBalancer`.
///
///     auto upstreams = LoadBalancer<RoundRobin>::from_addresses({"127.0.0.1:9001"});
///     (*upstreams)->set_health_check(std::make_unique<TcpHealthCheck>());
///     (*upstreams)->options.health_check_frequency = 1s;
///     server.add_service(background_service("health checks", *upstreams));
template <Selection S>
class LoadBalancer final : public internal::LoadBalancerBase {
 public:
  static constexpr std::size_t kIterationsMax = 256;

  /// With the backends of `discovery`, none until `update` or the background service has run.
  explicit LoadBalancer(std::unique_ptr<ServiceDiscovery> discovery)
      : LoadBalancerBase(backends_),
        backends_(std::move(discovery)),
        current_(std::make_unique<const Current>(backends_.set())) {}

  /// With these addresses ("192.0.2.1:80", "[2001:db8::1]:80", "unix:/path") of weight 1, at once.
  /// ConfigError, whose `context()` is one line, for what is no address.
  static Result<std::shared_ptr<LoadBalancer>> from_addresses(
      std::initializer_list<std::string_view> addresses) {
    return from_addresses(std::span(addresses.begin(), addresses.size()));
  }
  static Result<std::shared_ptr<LoadBalancer>> from_addresses(
      std::span<const std::string_view> addresses) {
    Result<std::vector<Backend>> backends = internal::parse_backends(addresses);
    if (!backends) return fail(std::move(backends.error()));
    return from_backends(std::move(*backends));
  }
  static std::shared_ptr<LoadBalancer> from_backends(std::vector<Backend> backends) {
    auto balancer = std::make_shared<LoadBalancer>(std::make_unique<StaticDiscovery>(backends));
    balancer->backends_.set_now({std::move(backends)});
    balancer->rebuild();
    return balancer;
  }

  /// Before the server starts.
  void set_health_check(std::unique_ptr<HealthCheck> check) {
    backends_.set_health_check(std::move(check));
  }
  const Backends& backends() const noexcept { return backends_; }

  /// Discovers now; for programs that do not run the background service. One at a time.
  Task<> update() { return update_backends(); }
  /// As `update`: one round of health checks.
  Task<> run_health_check() { return backends_.run_health_check(options.parallel_health_checks); }

  /// The backend for `key` that is ready (healthy, and enabled); nothing if none is among the first
  /// `iterations_max` that the selection gives. Round robin has no use for a key.
  std::optional<Backend> select(std::string_view key = {},
                                std::size_t iterations_max = kIterationsMax) const {
    return select_with(key, iterations_max, [](const Backend&, bool is_ready) { return is_ready; });
  }
  /// The first that `accept(const Backend&, bool is_ready)` accepts. `accept` is called on this
  /// thread, and must not be slow.
  template <class Accept>
  std::optional<Backend> select_with(std::string_view key, std::size_t iterations_max,
                                     Accept&& accept) const {
    typename internal::Snapshot<Current>::Reading current(current_);
    if (current->is_empty) return std::nullopt;
    const internal::BackendSet& set = *current->set;
    auto iterator = current->selection.iterate(key);
    for (std::size_t i = 0; i < iterations_max; ++i) {
      std::size_t index = iterator.next();
      if (accept(set.backends[index], set.is_ready(index))) return set.backends[index];
    }
    return std::nullopt;
  }

 private:
  struct Current {
    explicit Current(std::shared_ptr<const internal::BackendSet> made_of)
        : set(std::move(made_of)),
          selection(std::span<const Backend>(set->backends)),
          is_empty(std::ranges::none_of(set->backends, &Backend::weight)) {}
    std::shared_ptr<const internal::BackendSet> set;  // shared with Backends
    S selection;
    bool is_empty;  // nothing to select
  };
  void rebuild() override { current_.replace(std::make_unique<const Current>(backends_.set())); }

  Backends backends_;
  internal::Snapshot<Current> current_;
};

}  // namespace pingora
