// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include "pingora/load_balancing/backend.h"
#include "pingora/net/connect.h"
#include "pingora/runtime/task.h"

namespace pingora {

enum class Health : bool { Unhealthy, Healthy };

/// Finds out which backends work. Answers to Pingora's `HealthCheck`.
class HealthCheck {
 public:
  virtual ~HealthCheck() = default;

  /// An error says that `backend` does not work. Several checks run side by side, of different
  /// backends; `backend` stays until this ends.
  virtual Task<> check(const Backend& backend) = 0;
  /// How many results of this kind in a row it takes to change a backend's state; at least 1.
  virtual unsigned threshold(Health health) const noexcept {
    (void)health;
    return 1;
  }
  /// A backend's state has changed.
  virtual void on_health_change(const Backend& backend, Health health) {
    (void)backend;
    (void)health;
  }
};

/// Tries to connect. Answers to Pingora's `TcpHealthCheck`.
class TcpHealthCheck final : public HealthCheck {
 public:
  struct Options {
    std::chrono::milliseconds connect_timeout{1000};
    unsigned consecutive_success = 1;
    unsigned consecutive_failure = 1;
    /// Told of each change, on any thread.
    std::function<void(const Backend&, Health)> on_change{};
    ConnectOptions connect{};
  };
  TcpHealthCheck() = default;
  explicit TcpHealthCheck(Options options) : options_(std::move(options)) {}

  Task<> check(const Backend& backend) override;
  unsigned threshold(Health health) const noexcept override {
    return health == Health::Healthy ? options_.consecutive_success : options_.consecutive_failure;
  }
  void on_health_change(const Backend& backend, Health health) override {
    if (options_.on_change) options_.on_change(backend, health);
  }

 private:
  Options options_;
};

}  // namespace pingora
