// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/session/server_session.h"

#include "pingora/runtime/event.h"
#include "pingora/runtime/timer.h"
#include "session/session_metrics.h"

namespace pingora {

void ServerSession::start_tunnel_clock(std::chrono::milliseconds timeout) noexcept {
  tunnel_idle_timeout_ = timeout;
  note_tunnel_bytes();
}

TimePoint ServerSession::tunnel_idle_at() const noexcept {
  return tunnel_idle_timeout_.count() <= 0 ? kNever : tunnel_active_at_ + tunnel_idle_timeout_;
}

Error ServerSession::tunnel_timed_out() {
  internal::SessionMetrics::get().downstream.tunnel_timeout.add();
  return Error::explain(ErrorType::ReadTimedout, "the tunnel was idle").into_down();
}

Task<> ServerSession::wait_until_tunnel_idle() {
  while (tunnel_idle_at() != kNever) {
    TimePoint now = coarse_now();
    if (now >= tunnel_idle_at()) co_await tunnel_timed_out();
    co_await sleep_for(tunnel_idle_at() - now);
  }
  Event never;
  co_await never.wait();
}

}  // namespace pingora
