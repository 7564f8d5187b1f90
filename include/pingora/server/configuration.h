// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pingora/base/error.h"

namespace pingora {

struct Opt;
class ProgramOptions;

/// The processors that this process may run on (its affinity mask): at least 1.
unsigned usable_cores() noexcept;

/// What a server is run with. The members are the keys of the YAML file, with Pingora's names and,
/// unless said here, its defaults.
///
/// Limits and deadlines of listeners and peers are not here: they are members of those objects'
/// own options.
struct Configuration {
  /// The version of this format: 1 is the only one.
  unsigned version = 1;

  /// Threads that run everything, for the whole process. Default: `usable_cores()` (Pingora: 1 for
  /// each service). 1 to 1024.
  unsigned threads = usable_cores();
  /// Whether a thread that is stuck in one handler has its other work done by a helper.
  bool work_stealing = true;
  /// Accept loops for each listening socket. 1 to 1024.
  unsigned listener_tasks_per_fd = 1;
  /// Threads at most for `offload` (Pingora: 512). 1 to 4096.
  unsigned max_blocking_threads = 64;
  /// How long one of those waits for more work before it ends. 0 to 86,400.
  std::chrono::seconds blocking_threads_ttl_seconds{10};

  /// How often one request may be tried again, on another connection or peer. 0 to 255; 16 tries
  /// of Pingora are 15 retries.
  unsigned max_retries = 15;
  /// Idle upstream connections that each connector keeps, over all threads (Pingora: 128 for each
  /// thread). Each `http_proxy_service` has a connector of its own, unless it is given one that is
  /// shared. Clients of HTTP/2 have many requests end at once, whose connections are then idle at
  /// once. 0 to 1,000,000; 0 keeps none.
  std::size_t upstream_keepalive_pool_size = 1024;
  /// Source addresses of upstream connections: one of them at random for each. Default: what the
  /// system chooses.
  std::vector<std::string> client_bind_to_ipv4;
  std::vector<std::string> client_bind_to_ipv6;
  /// Certificates (PEM) that peers are verified with. Default: the system's.
  std::optional<std::string> ca_file;
  /// Whether keys of TLS sessions to upstreams are written to the file that the environment
  /// variable SSLKEYLOGFILE names, for debugging.
  bool upstream_debug_ssl_keylog = false;

  /// How long a server that is asked to end lets requests run that are under way. It ends sooner
  /// when the last is done. 0 to 86,400.
  std::chrono::seconds grace_period_seconds{300};
  /// How long it then waits for what was cut short. 0 to 86,400.
  std::chrono::seconds graceful_shutdown_timeout_seconds{5};

  /// Whether to go into the background.
  bool daemon = false;
  /// Where the process id is written to while the server runs. Default: nowhere, and for a daemon
  /// (always, in Pingora) /tmp/pingora.pid.
  std::optional<std::string> pid_file;
  /// Where a daemon's standard error goes. Default: it stays what it is.
  std::optional<std::string> error_log;
  /// Whom a daemon runs as. Default: whoever starts it.
  std::optional<std::string> user;
  std::optional<std::string> group;
  /// Where a daemon goes. Default: the root directory.
  std::optional<std::string> working_directory;
  /// Whether the process that starts a daemon waits until that serves, how long, and how long the
  /// daemon tries to tell it. 1 to 86,400.
  bool daemon_wait_for_ready = false;
  std::chrono::seconds daemon_ready_timeout_seconds{600};
  std::chrono::seconds daemon_notify_timeout_seconds{60};

  /// The Unix socket over which an old process hands its listening sockets to the new one, and how
  /// often each tries to reach the other. 1 to 1000.
  std::string upgrade_sock = "/tmp/pingora_upgrade.sock";
  unsigned upgrade_sock_connect_accept_max_retries = 5;

  /// Reads YAML. Keys that are not there keep their defaults; an empty text is all defaults. What
  /// is unknown, doubled, of the wrong type or out of range is a `ConfigError` whose `context()` is
  /// one line to show to a person: "conf.yaml:7: unknown key 'thraeds'". `name` is what the text is
  /// called there. Truth values are `true` and `false`; integers are decimal.
  static Result<Configuration> from_yaml(std::string_view text, std::string_view name);
  /// As `from_yaml` of what is in the file `path`, at most 1 MiB. Gives `FileOpenError` and
  /// `FileReadError` too, with the same kind of `context()`.
  static Result<Configuration> from_file(const std::string& path);
  /// What a server runs with: the file that the command line names, or else the defaults; what
  /// else the command line says; all of it checked by `validate`.
  static Result<Configuration> load(const Opt& opt);
  /// So, for a program with options of its own: they are keys of the file too, see ProgramOptions,
  /// and their variables are set by this. `opt` is what was parsed with `program`. A key that the
  /// server has itself is the server's.
  static Result<Configuration> load(const Opt& opt, const ProgramOptions& program);

  /// Checks what `from_yaml` can not: values that a program has set, and values that must fit
  /// together. A `ConfigError`, whose `context()` is one line that begins with the member's name.
  Result<void> validate() const;
};

}  // namespace pingora
