// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/load_balancing/health_check.h"

namespace pingora {

Task<> TcpHealthCheck::check(const Backend& backend) {
  ConnectOptions options = options_.connect;
  options.deadline = Clock::now() + options_.connect_timeout;
  co_await connect(backend.address(), options);
}

}  // namespace pingora
