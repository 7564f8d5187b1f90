// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Life of a server; the thread in `wait` goes from one to the next:
//
//          start         request               connections gone,          tasks gone, or their
//   made --------> runs ----------> drains ----------------------> winds up ---------------+
//                    |                 |     grace period over,     |    time is over      |
//                    |  fast request   |     another request        |                      v
//                    +-----------------+----------------------------+-----------------> cancels
//                                                                                          |
//                                                             all tasks gone --> ended <---+
//
// `connections_` are tasks of endpoints and connections; `tasks_` are the services' own, which are
// given less time: a background service that does not look at the shutdown is no reason to stay.
//
// Invariant [joined]: before the runtime stops, both groups and `waiters_` are empty.
#include "pingora/server/server.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "pingora/base/assert.h"
#include "pingora/base/log.h"
#include "server/control_events.h"
#include "server/process.h"
#include "server/service_order.h"

namespace pingora {

using internal::ServiceEntry;

namespace {

RuntimeOptions runtime_options(const Configuration& configuration) {
  return {.threads = configuration.threads,
          .work_stealing = configuration.work_stealing,
          .blocking_threads_max = configuration.max_blocking_threads};
}

Configuration load_or_exit(const Opt& opt) {
  Result<Configuration> configuration = Configuration::load(opt);
  if (!configuration) exit_with_error(configuration.error());
  return std::move(*configuration);
}

// What the configuration has a key for, and this version nothing behind it: better refused than
// passed over in silence.
Result<void> check_supported(const Configuration& configuration) {
  const Configuration defaults;
  auto differs = [&](auto member) { return configuration.*member != defaults.*member; };
  using C = Configuration;
  const std::pair<std::string_view, bool> unsupported[] = {
      {"daemon", configuration.daemon},
      {"daemon_wait_for_ready", configuration.daemon_wait_for_ready},
      {"user", configuration.user.has_value()},
      {"group", configuration.group.has_value()},
      {"error_log", configuration.error_log.has_value()},
      {"working_directory", configuration.working_directory.has_value()},
      {"upgrade_sock", differs(&C::upgrade_sock)},
      {"blocking_threads_ttl_seconds", differs(&C::blocking_threads_ttl_seconds)},
  };
  for (const auto& [name, is_set] : unsupported) {
    if (is_set) return fail(ErrorType::ConfigError, fmt::format("{}: not supported yet", name));
  }
  return {};
}

Task<> run_service(ServiceEntry& entry, ServiceContext& context) {
  ReadyNotifier ready(entry.ready);
  for (ServiceEntry* dependency : entry.dependencies) co_await dependency->ready.wait();
  Result<void> result = co_await entry.service->start(context, std::move(ready)).as_result();
  if (!result) {
    log_error("service '{}' failed: {}", entry.service->name(), result.error().to_string());
  }
}

Task<> notify_when_gone(TaskGroup& group, std::shared_ptr<std::atomic<bool>> is_gone,
                        internal::ControlEvents& events) {
  co_await group.join();
  is_gone->store(true);
  events.notify();
}

}  // namespace

void exit_with_error(const Error& error) {
  std::string line = fmt::format("{}: {}\n", internal::program_name(), error.context());
  std::fputs(line.c_str(), stderr);
  std::exit(1);
}

struct Server::State {
  explicit State(Configuration loaded, Opt opt)
      : configuration(std::move(loaded)),
        opt(std::move(opt)),
        runtime(runtime_options(configuration)),
        connections(runtime),
        tasks(runtime),
        waiters(runtime) {}

  Configuration configuration;
  Opt opt;
  internal::ControlEvents events;
  ShutdownWatch shutdown;
  ShedHooks shed_hooks;
  ReloadHooks reload_hooks;
  Runtime runtime;
  std::vector<std::unique_ptr<ServiceEntry>> services;  // gone before the runtime
  TaskGroup connections;
  TaskGroup tasks;
  TaskGroup waiters;
  ServiceContext context{configuration, runtime, shutdown, connections, shed_hooks, reload_hooks};
  internal::PidFile pid_file;
  bool is_started = false;
  bool is_running = false;
  bool exits_when_stuck = false;

  // Waits for `group` until `deadline`, or until more than `requests_max` requests to end have
  // come. Returns whether it is empty.
  bool wait_for(TaskGroup& group, TimePoint deadline, unsigned requests_max);
  void drain();
  void cancel_all();
};

Server::Server(const Opt& opt) : Server(load_or_exit(opt), opt) {}

Server::Server(Configuration configuration) : Server(std::move(configuration), Opt()) {}

Server::Server(Configuration configuration, const Opt& opt)
    : state_(std::make_unique<State>(std::move(configuration), opt)) {}

Server::~Server() {
  if (!state_->is_running) return;
  shutdown(Shutdown::Fast);
  wait();
}

const Configuration& Server::configuration() const noexcept { return state_->configuration; }
Runtime& Server::runtime() noexcept { return state_->runtime; }
ShutdownWatch& Server::shutdown_watch() noexcept { return state_->shutdown; }
ShedHooks& Server::shed_hooks() noexcept { return state_->shed_hooks; }
ReloadHooks& Server::reload_hooks() noexcept { return state_->reload_hooks; }

ServiceEntry& Server::add(std::unique_ptr<Service> service) {
  PINGORA_ASSERT(!state_->is_started);
  return *state_->services.emplace_back(std::make_unique<ServiceEntry>(std::move(service)));
}

Result<void> Server::check() const {
  if (Result<void> valid = state_->configuration.validate(); !valid) return valid;
  if (Result<void> valid = check_supported(state_->configuration); !valid) return valid;
  if (state_->opt.upgrade) return fail(ErrorType::ConfigError, "--upgrade: not supported yet");
  if (Result<void> valid = internal::check_dependencies(state_->services); !valid) return valid;
  for (const auto& entry : state_->services) {
    if (Result<void> valid = entry->service->validate(); !valid) return valid;
  }
  return {};
}

Result<void> Server::start() {
  State& state = *state_;
  PINGORA_ASSERT(!state.is_started);
  state.is_started = true;
  if (Result<void> valid = check(); !valid) return valid;
  internal::raise_open_files_limit();
  ::signal(SIGPIPE, SIG_IGN);
  for (const auto& entry : state.services) {
    if (Result<void> prepared = entry->service->prepare(state.context); !prepared) return prepared;
  }
  if (state.configuration.pid_file) {
    Result<internal::PidFile> written = internal::PidFile::write(*state.configuration.pid_file);
    if (!written) return fail(std::move(written.error()));
    state.pid_file = std::move(*written);
  }
  state.runtime.start();
  state.is_running = true;
  for (const auto& entry : state.services) {
    state.tasks.spawn(run_service(*entry, state.context));
  }
  return {};
}

void Server::shutdown(Shutdown how) {
  if (how == Shutdown::Fast) {
    state_->events.request_fast();
  } else {
    state_->events.request_graceful();
  }
}

void Server::reload() { state_->events.request_reload(); }

bool Server::State::wait_for(TaskGroup& group, TimePoint deadline, unsigned requests_max) {
  auto is_gone = std::make_shared<std::atomic<bool>>(false);  // with the task, which may be late
  waiters.spawn(notify_when_gone(group, is_gone, events));
  while (!is_gone->load() && Clock::now() < deadline && events.requests() <= requests_max) {
    events.wait_until(deadline);
  }
  return is_gone->load();
}

void Server::State::drain() {
  TimePoint grace_end = Clock::now() + configuration.grace_period_seconds;
  if (!wait_for(connections, grace_end, 1)) {
    // The last may have gone meanwhile.
    std::size_t left = connections.size();
    if (events.requests() > 1) {
      if (left != 0) log_warn("asked to end again: connections that are cut off: {}", left);
      return;
    }
    if (left != 0) {
      log_warn("connections that did not end within the grace period are cut off: {}", left);
      return;
    }
  }
  wait_for(tasks, Clock::now() + configuration.graceful_shutdown_timeout_seconds, 1);
}

// Tasks first: they may still be spawning into `connections`.
void Server::State::cancel_all() {
  connections.cancel();
  tasks.cancel();
  if (exits_when_stuck) {
    constexpr unsigned kAny = std::numeric_limits<unsigned>::max();
    TimePoint end = Clock::now() + configuration.graceful_shutdown_timeout_seconds;
    if (!wait_for(tasks, end, kAny) || !wait_for(connections, end, kAny)) {
      log_error("a handler does not return: exiting without it");
      std::_Exit(1);
    }
  }
  tasks.join_blocking();
  connections.join_blocking();
  waiters.join_blocking();
}

void Server::wait() {
  State& state = *state_;
  if (!state.is_running) return;
  while (state.events.requests() == 0) {
    state.events.wait_until(kNever);
    if (state.events.take_reload_request()) state.reload_hooks.run();
  }
  state.shutdown.begin_shutdown();
  if (!state.events.is_fast_requested()) state.drain();
  state.cancel_all();
  state.services.clear();
  state.runtime.stop();
  state.pid_file = internal::PidFile();
  state.is_running = false;
}

Result<void> Server::run() {
  if (Result<void> started = start(); !started) return started;
  wait();
  return {};
}

void Server::run_forever() {
  if (state_->opt.test) {
    if (Result<void> valid = check(); !valid) exit_with_error(valid.error());
    std::exit(0);
  }
  state_->exits_when_stuck = true;
  internal::ControlSignals signals(state_->events);
  if (Result<void> ended = run(); !ended) exit_with_error(ended.error());
  std::exit(0);
}

}  // namespace pingora
