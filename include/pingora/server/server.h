// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "pingora/base/error.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/shutdown_watch.h"
#include "pingora/server/configuration.h"
#include "pingora/server/opt.h"
#include "pingora/server/reload_hooks.h"
#include "pingora/server/service.h"
#include "pingora/server/shed_hooks.h"

namespace pingora {

namespace internal {

/// A service in its server.
struct ServiceEntry {
  explicit ServiceEntry(std::unique_ptr<Service> owned) : service(std::move(owned)) {}
  std::unique_ptr<Service> service;
  std::vector<ServiceEntry*> dependencies;
  Event ready;
};

}  // namespace internal

/// A service that was added to a server, which outlives this.
template <class S = Service>
class ServiceHandle {
 public:
  explicit ServiceHandle(internal::ServiceEntry& entry) noexcept : entry_(&entry) {}

  /// Starts this service only when `other` is ready; before the server starts. Services that wait
  /// for each other in a circle are an error of `Server::start`.
  template <class Other>
  void add_dependency(const ServiceHandle<Other>& other) {
    entry_->dependencies.push_back(other.entry_);
  }
  S* operator->() const noexcept { return static_cast<S*>(entry_->service.get()); }
  S& operator*() const noexcept { return static_cast<S&>(*entry_->service); }

 private:
  template <class Other>
  friend class ServiceHandle;
  internal::ServiceEntry* entry_;
};

/// Prints one line on standard error, the program's name and the error's context, and exits with 1:
/// for mistakes in what a program is started with.
[[noreturn]] void exit_with_error(const Error& error);

/// How a server ends.
enum class Shutdown : std::uint8_t {
  /// Accepts nothing new, finishes the requests that run, and leaves when the last connection is
  /// gone or the grace period ends (SIGTERM, SIGQUIT).
  Graceful,
  /// Cuts everything off (SIGINT).
  Fast,
};

/// Runs services. Answers to Pingora's `Server`.
///
/// Set up (`add_service`), run, and destroyed on one thread; neither copies nor moves.
class Server {
 public:
  /// With what `Configuration::load(opt)` gives. A mistake there prints one line on standard error
  /// and exits with 1: for the beginning of `main`.
  explicit Server(const Opt& opt);
  explicit Server(Configuration configuration = {});
  /// With what a program made of `opt` and more; of `opt`, only `test` and `upgrade` count.
  Server(Configuration configuration, const Opt& opt);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// As `shutdown(Shutdown::Fast)` and `wait`.
  ~Server();

  const Configuration& configuration() const noexcept;
  /// What everything runs on. Its threads run while the server does.
  Runtime& runtime() noexcept;
  ShutdownWatch& shutdown_watch() noexcept;
  /// Called when descriptors run out.
  ShedHooks& shed_hooks() noexcept;
  /// Called by `reload`; a program may add its own.
  ReloadHooks& reload_hooks() noexcept;

  /// Takes over a service, before the server starts.
  template <std::derived_from<Service> S>
  ServiceHandle<S> add_service(S service) {
    return ServiceHandle<S>(add(std::make_unique<S>(std::move(service))));
  }
  template <std::derived_from<Service> S>
  ServiceHandle<S> add_service(std::unique_ptr<S> service) {
    return ServiceHandle<S>(add(std::move(service)));
  }

  /// Runs until a signal ends it (see Shutdown), and exits: with 0, or, after one line on standard
  /// error that says what is wrong, with 1. A second signal ends the waiting for requests. With
  /// `-t`, checks the configuration and the addresses, and exits.
  [[noreturn]] void run_forever();

  /// For programs that are more than a server, and tests: `start`, `shutdown` from any thread,
  /// `wait`. Installs no signal handlers. Runs once.

  /// Listens on all addresses and starts the services; returns when they are started, which those
  /// that others wait for may take a while to be. Raises the limit of open files as far as it goes,
  /// and ignores SIGPIPE. Errors: ConfigError, BindError and others, whose `context()` is one line;
  /// nothing runs then.
  Result<void> start();
  /// Begins the end; at once if it is called a second time. Any thread, once started.
  void shutdown(Shutdown how = Shutdown::Graceful);
  /// Has the thread in `wait` run the reload hooks: certificates are read again. As SIGHUP under
  /// `run_forever`. Any thread; returns at once.
  void reload();
  /// Waits for the end, which `shutdown` begins. Destroys the services.
  void wait();
  /// `start` and `wait`.
  Result<void> run();

 private:
  struct State;
  internal::ServiceEntry& add(std::unique_ptr<Service> service);
  Result<void> check() const;

  std::unique_ptr<State> state_;
};

}  // namespace pingora
