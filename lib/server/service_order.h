// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "pingora/server/server.h"

namespace pingora::internal {

/// ConfigError, naming the services, if some wait for each other in a circle.
Result<void> check_dependencies(std::span<const std::unique_ptr<ServiceEntry>> services);

}  // namespace pingora::internal
