// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/load_balancing/load_balancer.h"

#include <algorithm>
#include <string>

#include "pingora/base/log.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/timer.h"

namespace pingora::internal {
namespace {

Task<> wait_for_shutdown(ShutdownWatch& shutdown) { co_await shutdown.wait(); }

TimePoint after(std::optional<std::chrono::milliseconds> period) {
  return period ? Clock::now() + *period : kNever;
}

}  // namespace

Result<std::vector<Backend>> parse_backends(std::span<const std::string_view> addresses) {
  std::vector<Backend> backends;
  for (std::string_view text : addresses) {
    Result<SocketAddress> address = SocketAddress::parse(text);
    if (!address) {
      std::string shown;
      append_escaped(shown, text, 200);
      return fail(ErrorType::ConfigError,
                  "backend '" + shown + "' is no address (such as 127.0.0.1:80, [::1]:80)");
    }
    backends.emplace_back(std::move(*address));
  }
  return backends;
}

Task<> LoadBalancerBase::update_backends() {
  if (co_await backends_.update()) rebuild();
}

Task<> LoadBalancerBase::start(ShutdownWatch& shutdown, ReadyNotifier ready) {
  co_await when_any(look_after(std::move(ready)), wait_for_shutdown(shutdown));
}

// Ready once each backend was checked, so that no request goes to one that is known to be dead.
Task<> LoadBalancerBase::look_after(ReadyNotifier ready) {
  TimePoint next_update = TimePoint::min();
  TimePoint next_check = TimePoint::min();
  for (;;) {
    if (next_update <= Clock::now()) {
      Result<void> updated = co_await update_backends().as_result();
      if (!updated) log_warn("discovery of backends: {}", updated.error().to_string());
      next_update = after(options.update_frequency);
    }
    if (next_check <= Clock::now()) {
      co_await backends_.run_health_check(options.parallel_health_checks);
      next_check = backends_.has_health_check() ? after(options.health_check_frequency) : kNever;
    }
    ready.notify_ready();
    TimePoint next = std::min(next_update, next_check);
    if (next == kNever) co_return;
    co_await sleep_for(next - Clock::now());
  }
}

}  // namespace pingora::internal
