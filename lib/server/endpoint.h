// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pingora/base/log_limiter.h"
#include "pingora/server/listening_service.h"
#include "server/connection_set.h"
#include "server/open_connections.h"
#include "server/parking_lot.h"
#include "server/server_metrics.h"
#include "server/tls_front.h"

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
/// Life: made, `bind`, `accept_until_shutdown` (once for each accept loop); destroyed when all
/// connections have ended.
class Endpoint final : ParkingLot::Owner {
 public:
  Endpoint(std::string address, EndpointOptions options, std::optional<TlsSettings> tls = {})
      : address_(std::move(address)),
        options_(std::move(options)),
        tls_settings_(std::move(tls)),
        open_(options_.connections_max),
        parked_(*this) {}

  const std::string& address() const noexcept { return address_; }

  /// The certificates that it shows; null without TLS.
  std::shared_ptr<CertificateStore> certificates() const noexcept {
    return tls_settings_ ? tls_settings_->certificates : nullptr;
  }

  /// Whether `address` is one.
  Result<SocketAddress> parse() const;
  /// Whether TLS can be spoken as it is set.
  Result<void> check_tls() const;
  /// Listens. Both outlive this.
  Result<void> bind(ServiceContext& context, Serving& serving);
  SocketAddress local_address() const { return *local_address_; }
  /// Accept loops, as many as the configuration says; 0 before `bind`.
  std::size_t loops() const noexcept { return listeners_.size(); }

  /// Accepts connections and has them served until the shutdown; then stops listening, and ends the
  /// connections that are idle. `loop` is the index of the accept loop.
  Task<> accept_until_shutdown(std::size_t loop);

  void add_stats(ListeningStats& stats) const;

 private:
  using Token = OpenConnections::Token;
  class IdleCloser;
  class Http2Acceptor;
  Task<> accept_all(Listener& listener);
  Task<> pause(const Error& error);
  Task<> look_after_connections(std::size_t loop);
  void publish();
  void hand_over(Accepted accepted);
  void resume(std::unique_ptr<ParkedConnection> connection) override;
  Task<> serve(std::unique_ptr<Stream> stream, Worker& worker);
  Task<> admit(std::unique_ptr<Stream> stream, Worker& worker, Token open,
               std::unique_ptr<TlsFront::Place> place);
  Task<bool> is_filtered(const Digest& digest);
  Task<> serve_protocol(std::unique_ptr<Stream> stream, Worker& worker, Token open);
  Task<> serve_http(std::unique_ptr<Stream> stream, Worker& worker, Token open);
  Task<> serve_resumed(std::unique_ptr<ParkedConnection> connection);
  void start_http2(std::unique_ptr<Stream> stream, Buffer received, Worker& worker, Token open);
  Task<> serve_http2(std::unique_ptr<Stream> stream, Buffer received, Worker& worker, Token open);
  Task<> serve_request(std::unique_ptr<ServerSession> session);
  Task<> serve_raw(std::unique_ptr<Stream> stream, Token open);

  const std::string address_;
  const EndpointOptions options_;
  const std::optional<TlsSettings> tls_settings_;
  std::unique_ptr<TlsFront> tls_;      // since `bind`; null without TLS
  ServiceContext* context_ = nullptr;  // these two since `bind`
  Serving* serving_ = nullptr;
  std::vector<std::optional<Listener>> listeners_;  // emptied one by one as the loops end
  std::optional<SocketAddress> local_address_;
  OpenConnections open_;
  ConnectionSet connections_;
  ParkingLot parked_;
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> filtered_{0};
  std::atomic<std::uint64_t> limit_pauses_{0};
  std::atomic<std::uint64_t> handshake_pauses_{0};
  std::atomic<std::uint64_t> descriptor_pauses_{0};
  ServerMetrics metrics_;  // of the first accept loop
  LogLimiter pause_log_{std::chrono::seconds(10)};
  LogLimiter drop_log_{std::chrono::seconds(1)};
};

}  // namespace pingora::internal
