// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "pingora/server/service.h"

namespace pingora {

/// Work beside the requests: health checks, refreshing, reports. Answers to Pingora's
/// `BackgroundService`.
class BackgroundService {
 public:
  virtual ~BackgroundService() = default;

  /// Runs until it has nothing left to do or `shutdown` is set, and says through `ready` when those
  /// that depend on it may start. One that does not end is cancelled.
  virtual Task<> start(ShutdownWatch& shutdown, ReadyNotifier ready) = 0;
};

/// Runs a BackgroundService as a service of a server.
class BackgroundServiceRunner final : public Service {
 public:
  /// `work` is shared with those who use what it does, such as a load balancer's proxies.
  BackgroundServiceRunner(std::string name, std::shared_ptr<BackgroundService> work)
      : Service(std::move(name)), work_(std::move(work)) {}

  Task<> start(ServiceContext& context, ReadyNotifier ready) override {
    return work_->start(context.shutdown, std::move(ready));
  }

 private:
  std::shared_ptr<BackgroundService> work_;
};

/// `server.add_service(background_service("health checks", load_balancer));`
inline BackgroundServiceRunner background_service(std::string name,
                                                  std::shared_ptr<BackgroundService> work) {
  return {std::move(name), std::move(work)};
}

}  // namespace pingora
