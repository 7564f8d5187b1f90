// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The deadlines of an HTTP/2 connection: one timer, set to the earliest of them after each turn.
#include <algorithm>
#include <utility>

#include "session/h2_connection.h"

namespace pingora::internal {
namespace {

// Waking up from a trim costs some page faults: a connection that has to do so soon each time is
// trimmed later.
constexpr std::chrono::seconds kTrimAfterMax{3};
constexpr int kSoon = 8;  // times as long as it waited for the trim

bool is_on(std::chrono::milliseconds timeout) { return timeout.count() > 0; }

}  // namespace

void H2Connection::set_deadline() {
  std::unique_lock lock(mutex_);
  TimePoint next = is_lost_ || is_given_up_ ? kNever : next_deadline();
  lock.unlock();
  timer_.set(*strand_, next);
}

TimePoint H2Connection::next_deadline() const {
  TimePoint next = std::min(engine_.head_deadline(), linger_deadline_);
  if (!engine_.peer_settings().are_known) next = std::min(next, settings_deadline_);
  if (engine_.is_shutting_down()) next = std::min(next, shutdown_deadline_);
  if (is_on(idle_timeout_) && idle_since_ != kNever && !engine_.is_shutting_down()) {
    next = std::min(next, idle_since_ + idle_timeout_);
  }
  next = std::min(next, trim_at_);
  if (ping_sent_ != kNever) {
    if (is_on(options_.ping_timeout)) next = std::min(next, ping_sent_ + options_.ping_timeout);
  } else if (is_on(options_.ping_interval)) {
    next = std::min(next, last_received_ + options_.ping_interval);
  }
  return next;
}

void H2Connection::on_deadline() {
  TimePoint now = Clock::now();
  {
    std::lock_guard lock(mutex_);
    if (!engine_.peer_settings().are_known && settings_deadline_ <= now) {
      give_up("settings_timeout", h2::ErrorCode::SettingsTimeout, now);
    }
    if (engine_.head_deadline() <= now) {
      give_up("head_timeout", h2::ErrorCode::EnhanceYourCalm, now);
    }
    if (engine_.is_shutting_down() && shutdown_deadline_ <= now) {
      shutdown_deadline_ = kNever;
      engine_.finish_shutdown();
    }
    check_trim(now);
    check_idle(now);
    check_ping(now);
    check_lingering(now);
    request_flush();
  }
  set_deadline();
}

void H2Connection::give_up(std::string_view limit, h2::ErrorCode code, TimePoint now) {
  if (std::exchange(is_given_up_, true)) return;
  on_limit(limit);
  engine_.terminate(code, now);
}

void H2Connection::check_trim(TimePoint now) {
  if (trim_at_ > now) return;
  trim_at_ = kNever;
  engine_.trim();
}

void H2Connection::begin_idle() {
  idle_since_ = coarse_now();
  trim_later(idle_since_);
}

void H2Connection::end_idle() {
  if (idle_since_ == kNever) return;
  Duration idle = coarse_now() - idle_since_;
  if (idle > kSoon * trim_after_) {
    trim_after_ = kTrimAfterMin;
  } else if (trim_at_ == kNever) {
    trim_after_ = std::min<Duration>(2 * trim_after_, kTrimAfterMax);
  }
  idle_since_ = trim_at_ = kNever;
}

void H2Connection::check_idle(TimePoint now) {
  if (!is_on(idle_timeout_) || idle_since_ == kNever || engine_.is_shutting_down()) return;
  if (idle_since_ + idle_timeout_ > now) return;
  on_limit("idle_timeout");
  engine_.finish_shutdown();
}

void H2Connection::check_ping(TimePoint now) {
  if (ping_sent_ != kNever) {
    if (!is_on(options_.ping_timeout) || ping_sent_ + options_.ping_timeout > now) return;
    ping_sent_ = kNever;
    give_up("ping_timeout", h2::ErrorCode::NoError, now);
  } else if (is_on(options_.ping_interval) && last_received_ + options_.ping_interval <= now) {
    ping_sent_ = now;
    engine_.submit_ping(0);
  }
}

void H2Connection::probe() {
  if (ping_sent_ != kNever) return;
  ping_sent_ = coarse_now();
  engine_.submit_ping(0);
  request_flush();
}

void H2Connection::check_lingering(TimePoint now) {
  if (linger_deadline_ > now) return;
  linger_deadline_ = kNever;
  H2Stream* next = lingering_.front();
  while (next != nullptr) {
    H2Stream* each = std::exchange(next, lingering_.next(*next));
    if (each->linger_until_ <= now) {
      on_limit("write_timeout");
      engine_.reset(each->engine_stream_, h2::ErrorCode::Cancel);
      release(*each);
    } else {
      linger_deadline_ = std::min(linger_deadline_, each->linger_until_);
    }
  }
}

}  // namespace pingora::internal
