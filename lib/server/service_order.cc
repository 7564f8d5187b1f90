// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "server/service_order.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

namespace pingora::internal {
namespace {

// Depth first: `path` leads to `entry`; `cleared` are those known to lead to no circle.
Result<void> look(const ServiceEntry& entry, std::vector<const ServiceEntry*>& path,
                  std::unordered_set<const ServiceEntry*>& cleared) {
  if (cleared.contains(&entry)) return {};
  auto circle = std::ranges::find(path, &entry);
  if (circle != path.end()) {
    std::string names;
    for (; circle != path.end(); ++circle) names += "'" + (*circle)->service->name() + "' -> ";
    return fail(ErrorType::ConfigError, "services depend on each other in a circle: " + names +
                                            "'" + entry.service->name() + "'");
  }
  path.push_back(&entry);
  for (const ServiceEntry* dependency : entry.dependencies) {
    if (Result<void> looked = look(*dependency, path, cleared); !looked) return looked;
  }
  path.pop_back();
  cleared.insert(&entry);
  return {};
}

}  // namespace

Result<void> check_dependencies(std::span<const std::unique_ptr<ServiceEntry>> services) {
  std::unordered_set<const ServiceEntry*> cleared;
  for (const auto& entry : services) {
    std::vector<const ServiceEntry*> path;
    if (Result<void> looked = look(*entry, path, cleared); !looked) return looked;
  }
  return {};
}

}  // namespace pingora::internal
