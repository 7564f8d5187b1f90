// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pingora/server/listening_service.h"
#include "server/connection_set.h"

namespace pingora::internal {

/// What the endpoints of a service share. Outlives all their connections.
struct Serving {
  std::string service_name;
  std::unique_ptr<HttpApp> http_app;  // exactly one of these two is set
  std::unique_ptr<ServerApp> server_app;
  std::shared_ptr<ConnectionFilter> filter;  // may be null; shared with the program
};

/// One address of a listening service: its socket, and the connections that came in there.
///
/// Life: made, `bind`, `accept_until_shutdown` (once for each of `listeners`); destroyed when all
/// connections have ended.
class Endpoint {
 public:
  Endpoint(std::string address, EndpointOptions options)
      : address_(std::move(address)), options_(std::move(options)) {}

  const std::string& address() const noexcept { return address_; }
  const EndpointOptions& options() const noexcept { return options_; }

  /// Whether `address` is one.
  Result<SocketAddress> parse() const;
  /// Listens, for `loops` accept loops.
  Result<void> bind(unsigned loops);
  SocketAddress local_address() const;
  std::size_t loops() const noexcept { return listeners_.size(); }

  /// Accepts connections and has them served until the shutdown; then stops listening, and ends the
  /// connections that are idle. `loop` is the index of the accept loop.
  Task<> accept_until_shutdown(std::size_t loop, ServiceContext& context, Serving& serving);

  void add_stats(ListeningStats& stats) const;

 private:
  class OpenConnection;
  Task<> accept_all(Listener& listener, ServiceContext& context, Serving& serving);
  Task<> wait_for_room();
  Task<> pause(const Error& error, ShedHooks& shed_hooks);
  void hand_over(Accepted accepted, ServiceContext& context, Serving& serving);
  Task<> serve(std::unique_ptr<Stream> stream, ShutdownWatch& shutdown, Serving& serving);
  Task<> serve_filtered(std::unique_ptr<Stream> stream, OpenConnection open,
                        ShutdownWatch& shutdown, Serving& serving);
  Task<> serve_http(std::unique_ptr<Stream> stream, OpenConnection open, ShutdownWatch& shutdown,
                    Serving& serving);
  Task<> serve_raw(std::unique_ptr<Stream> stream, OpenConnection open, ShutdownWatch& shutdown,
                   Serving& serving);

  const std::string address_;
  const EndpointOptions options_;
  std::vector<std::optional<Listener>> listeners_;  // emptied one by one as the loops end
  std::optional<SocketAddress> local_address_;
  ConnectionSet connections_;
  std::atomic<std::size_t> open_{0};
  Event has_room_;  // set when `open_` falls below the limit
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> filtered_{0};
  std::atomic<std::uint64_t> limit_pauses_{0};
  std::atomic<std::uint64_t> descriptor_pauses_{0};
  std::atomic<TimePoint> next_pause_log_{TimePoint::min()};
};

}  // namespace pingora::internal
