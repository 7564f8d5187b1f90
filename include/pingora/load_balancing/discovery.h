// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "pingora/load_balancing/backend.h"
#include "pingora/runtime/task.h"

namespace pingora {

/// A set of backends, as it was discovered.
struct DiscoveredBackends {
  std::vector<Backend> backends;
  /// Those of them that are to get no requests for now, though they may be healthy.
  std::vector<SocketAddress> disabled{};
};

/// Where backends come from. Answers to Pingora's `ServiceDiscovery`.
class ServiceDiscovery {
 public:
  virtual ~ServiceDiscovery() = default;
  /// The current set. An error leaves the set that was discovered before. Called by one coroutine
  /// at a time, on any thread.
  virtual Task<DiscoveredBackends> discover() = 0;
};

/// A set that does not change.
class StaticDiscovery final : public ServiceDiscovery {
 public:
  explicit StaticDiscovery(std::vector<Backend> backends) : backends_(std::move(backends)) {}
  Task<DiscoveredBackends> discover() override { return DiscoveredBackends{backends_}; }

 private:
  std::vector<Backend> backends_;
};

}  // namespace pingora
