// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pingora/net/listener.h"
#include "pingora/net/socket_address.h"
#include "pingora/server/connection_filter.h"
#include "pingora/server/http_app.h"
#include "pingora/server/server_app.h"
#include "pingora/server/service.h"
#include "pingora/session/server_session_options.h"
#include "pingora/tls/tls_settings.h"

namespace pingora {

/// How a service serves what comes in at one address.
struct EndpointOptions {
  ListenOptions listen{};
  /// Limits and deadlines of HTTP sessions.
  ServerSessionOptions session{};
  /// Open connections at most. At the limit, new ones wait in the kernel's queue. The default
  /// bounds what idle ones cost to 100 MB. 0: no limit.
  std::size_t connections_max = 100'000;
  /// Whether a client may speak HTTP/2 without TLS, by prior knowledge (RFC 9113 §3.3), beside
  /// those that speak HTTP/1: its first 24 bytes say which. Answers to Pingora's `h2c`.
  bool enable_h2c = false;
  /// How long an HTTP connection waits for a request before it is parked, which makes it cost less
  /// than half the memory, until something arrives; a microsecond or two is the price then. Longer
  /// than a busy client takes from a response to its next request; 64 times as long for a
  /// connection that has served 16 requests. 0: never parked.
  std::chrono::milliseconds park_after{8};
};

/// What came of the handshakes of a listening service's TLS endpoints since it started.
struct TlsListeningStats {
  /// Complete, and how many of them went on with an earlier session.
  std::uint64_t handshakes = 0;
  std::uint64_t resumed = 0;
  /// Not complete, and how many of them because their deadline came.
  std::uint64_t failed = 0;
  std::uint64_t timed_out = 0;
  /// Not complete, because there were too many at once (`TlsSettings::handshakes_max`).
  std::uint64_t given_up = 0;
  /// Connections of clients that spoke HTTP without TLS.
  std::uint64_t plain_http = 0;
  /// Under way now.
  std::size_t handshaking = 0;
};

/// What happened to connections of a listening service since it started.
struct ListeningStats {
  std::uint64_t accepted = 0;
  /// Closed by the connection filter.
  std::uint64_t filtered = 0;
  /// How often accepting was paused because `connections_max` were open.
  std::uint64_t limit_pauses = 0;
  /// How often because `TlsSettings::handshakes_max` handshakes were under way.
  std::uint64_t handshake_pauses = 0;
  /// How often accepting was paused because the process or the system was out of descriptors.
  std::uint64_t descriptor_pauses = 0;
  /// Open now, and how many of them are parked.
  std::size_t open = 0;
  std::size_t parked = 0;
  TlsListeningStats tls{};
};

/// A service that accepts connections on any number of addresses and has an app serve them. New
/// connections go to the least loaded worker. Answers to Pingora's listening `Service`.
///
/// Set up before it is added to a server; moves until then. Once the server is going away it stops
/// accepting, connections that are idle end at once, and the others with their current request.
class ListeningService final : public Service {
 public:
  ListeningService(std::string name, std::unique_ptr<HttpApp> app);
  ListeningService(std::string name, std::unique_ptr<ServerApp> app);
  ListeningService(ListeningService&&) noexcept;
  ListeningService& operator=(ListeningService&&) noexcept;
  ~ListeningService() override;

  /// Listens on a TCP address: "0.0.0.0:6188", "[::]:6188". Port 0 is any that is free. An address
  /// that is none, or in use, is an error of `Server::start`.
  void add_tcp(std::string_view address);
  void add_tcp_with_settings(std::string_view address, EndpointOptions options);
  /// Listens on a TCP address ("0.0.0.0:443") and speaks TLS there. Settings that cannot be used
  /// are an error of `Server::start`. Certificates that are in files are read again when the files
  /// change, and when the server is told to reload.
  void add_tls(std::string_view address, TlsSettings settings);
  void add_tls_with_settings(std::string_view address, TlsSettings settings,
                             EndpointOptions options);
  /// Listens on a Unix socket. The file gets these permissions.
  void add_uds(std::string_view path, mode_t permissions = 0666);
  void add_uds_with_settings(std::string_view path, EndpointOptions options);

  /// Holds for all endpoints, also those added before.
  void set_connection_filter(std::shared_ptr<ConnectionFilter> filter);

  /// Where it listens, in the order in which the addresses were added, with the ports that the
  /// system chose; empty until the server has started. Any thread, from then on.
  std::vector<SocketAddress> local_addresses() const;
  /// Any thread.
  ListeningStats stats() const;

  Result<void> validate() const override;
  Result<void> prepare(ServiceContext& context) override;
  Task<> start(ServiceContext& context, ReadyNotifier ready) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pingora
