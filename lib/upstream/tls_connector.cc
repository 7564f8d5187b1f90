// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls_connector.h"

#include <string>
#include <utility>

#include "pingora/metrics/registry.h"
#include "pingora/tls/handshake.h"
#include "within.h"

namespace pingora::internal {
namespace {

// Stores the sessions that come on one connection for the peer that it was made for.
class SessionsOfPeer final : public TlsSessionSink {
 public:
  SessionsOfPeer(std::shared_ptr<TlsSessionCache> cache, const HttpPeer& peer)
      : cache_(std::move(cache)), peer_(std::make_shared<const HttpPeer>(peer)) {}
  void store(TlsSession::Ptr session) noexcept override { cache_->store(peer_, session); }

 private:
  std::shared_ptr<TlsSessionCache> cache_;
  std::shared_ptr<const HttpPeer> peer_;
};

// What is asked for and verified.
std::string server_name(const HttpPeer& peer) {
  if (!peer.sni.empty()) return peer.sni;
  if (!peer.host_name().empty()) return peer.host_name();
  return peer.address().is_ip() ? peer.address().host() : std::string();
}

Counter& handshakes(const char* result) {
  return Registry::global().counter("pingora_upstream_tls_handshakes_total",
                                    "TLS handshakes with upstreams.", {{"result", result}});
}

void count(bool is_resumed) {
  static Counter& full = handshakes("full");
  static Counter& resumed = handshakes("resumed");
  (is_resumed ? resumed : full).add(1);
}

void count_failure() {
  static Counter& failed = handshakes("failed");
  failed.add(1);
}

}  // namespace

Task<std::unique_ptr<Stream>> TlsConnector::connect(std::unique_ptr<Stream> transport,
                                                    const HttpPeer& peer, TimePoint deadline) {
  auto context =
      co_await within(deadline, "TLS to " + peer.to_string(), contexts_.get(peer.options))
          .as_result();
  if (!context) {
    if (context.error().type() == ErrorType::ConnectTimedout) co_return std::move(context.error());
    co_return Error::because(ErrorType::InternalError, "TLS to " + peer.to_string(),
                             std::move(context.error()))
        .into_in();
  }
  TlsConnect connect;
  connect.server_name = server_name(peer);
  connect.alternative_names = peer.options.rare().alternative_names;
  connect.session = sessions_->take(PeerKey(peer));
  connect.sessions = std::make_shared<SessionsOfPeer>(sessions_, peer);
  const bool has_offered = connect.session != nullptr;
  auto stream = co_await tls_connect(std::move(transport), **context, std::move(connect), deadline)
                    .as_result();
  if (!stream) {
    count_failure();
    // Whatever the reason: the next attempt is to be made without what may have been it.
    if (has_offered) sessions_->forget(PeerKey(peer));
    stream.error().add_context("TLS to " + peer.to_string());
    co_return std::move(stream.error());
  }
  const std::shared_ptr<const SslDigest>& ssl = (*stream)->digest().ssl;
  count(ssl != nullptr && ssl->is_resumed);
  co_return std::move(*stream);
}

}  // namespace pingora::internal
