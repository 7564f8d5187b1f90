// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "pingora/base/error.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/shutdown_watch.h"
#include "pingora/runtime/task.h"
#include "pingora/runtime/task_group.h"
#include "pingora/server/configuration.h"
#include "pingora/server/reload_hooks.h"
#include "pingora/server/shed_hooks.h"

namespace pingora {

/// Says, once, that a service is ready, so that those that depend on it start. Dropping it says so
/// too. Answers to Pingora's `ServiceReadyNotifier`.
class ReadyNotifier {
 public:
  /// Sets `event`, which outlives this.
  explicit ReadyNotifier(Event& event) noexcept : event_(&event) {}
  ReadyNotifier(ReadyNotifier&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  ReadyNotifier& operator=(ReadyNotifier&& other) noexcept {
    std::swap(event_, other.event_);
    return *this;
  }
  ~ReadyNotifier() { notify_ready(); }

  void notify_ready() {
    if (Event* event = std::exchange(event_, nullptr)) event->set();
  }

 private:
  Event* event_;
};

/// What a server gives to its services. All of it outlives them.
struct ServiceContext {
  const Configuration& configuration;
  Runtime& runtime;
  /// Set once the server is going away.
  ShutdownWatch& shutdown;
  /// Owns the connections and whatever accepts them. A server that is going away waits for them as
  /// long as its grace period lasts, and cancels those that are left.
  TaskGroup& connections;
  /// Who gives up something when descriptors run out.
  ShedHooks& shed_hooks;
  /// Who reads something again when the server is told to.
  ReloadHooks& reload_hooks;
};

/// Something that a server runs: a listening service, or one in the background.
class Service {
 public:
  explicit Service(std::string name) : name_(std::move(name)) {}
  Service(Service&&) = default;
  Service& operator=(Service&&) = default;
  virtual ~Service() = default;

  /// For logs and messages.
  const std::string& name() const noexcept { return name_; }

  /// Checks what can be checked without taking anything (for `-t`). An error's `context()` is one
  /// line to show to a person.
  virtual Result<void> validate() const { return {}; }
  /// Takes what may not be there, such as ports, before anything runs; called once, on the thread
  /// that starts the server. Errors as of `validate`.
  virtual Result<void> prepare(ServiceContext& context) {
    (void)context;
    return {};
  }
  /// Runs, once those that it depends on are ready. Returns when it has nothing left to do, at the
  /// latest soon after the shutdown begins; is cancelled if it does not. An error is logged.
  virtual Task<> start(ServiceContext& context, ReadyNotifier ready) = 0;

 private:
  std::string name_;
};

}  // namespace pingora
