// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/upstream/http_connector.h"

#include <functional>
#include <typeinfo>
#include <utility>

#include "h2_connector.h"
#include "pingora/base/assert.h"
#include "pingora/runtime/strand.h"
#include "pingora/runtime/timer.h"
#include "pool_metrics.h"
#include "pooled_h1_session.h"

namespace pingora {

using internal::GotH2;
using internal::H2Connector;
using internal::PooledH1Session;
using internal::PooledH2Connection;

namespace {

// Sessions know "no deadline" as 0.
std::chrono::milliseconds session_timeout(std::chrono::milliseconds timeout) {
  return timeout == kNoTimeout ? std::chrono::milliseconds::zero() : timeout;
}

void set_timeouts(ClientSession& session, const PeerOptions& options) {
  session.set_read_timeout(session_timeout(options.read_timeout));
  session.set_write_timeout(session_timeout(options.write_timeout));
}

std::size_t leniency_bits(const PeerOptions& options) {
  auto bit = [](Toggle toggle, unsigned position) {
    return static_cast<std::size_t>(toggle == Toggle::On) << position;
  };
  return bit(options.allow_h1_response_invalid_content_length, 0) |
         bit(options.allow_h1_response_bare_lf, 1) |
         bit(options.allow_h1_response_spaces_after_header_name, 2) |
         bit(options.allow_h1_response_obs_fold, 3);
}

// Puts the leniencies of the bits over what the options allow already.
void allow(ClientSessionOptions& options, std::size_t bits) {
  auto set = [bits](h1::Leniency& leniency, unsigned position) {
    if ((bits >> position & 1) != 0) leniency = h1::Leniency::Allow;
  };
  set(options.parser.allow_invalid_response_content_length, 0);
  set(options.parser.allow_bare_lf, 1);
  set(options.parser.allow_spaces_after_response_header_name, 2);
  set(options.parser.allow_obs_fold_in_responses, 3);
}

Strand& calling_strand() {
  Strand* strand = Strand::current();
  PINGORA_ASSERT(strand != nullptr);
  return *strand;
}

TransportConnectorOptions sheds_by_default(TransportConnectorOptions options,
                                           std::function<std::size_t(std::size_t count)> shed) {
  if (!options.shed_descriptors) options.shed_descriptors = std::move(shed);
  return options;
}

}  // namespace

HttpConnector::HttpConnector(ConnectorOptions options)
    : transport_(sheds_by_default(std::move(options.transport),
                                  [this](std::size_t count) { return shed(count); })),
      pool_({.capacity = options.keepalive_pool_size, .shards = options.workers}),
      h2_(std::make_unique<H2Connector>(transport_, options.keepalive_pool_size,
                                        options.h2_fallback_time)) {
  for (std::size_t bits = 0; bits < kLeniencySets; ++bits) {
    session_options_[bits] = options.session;
    allow(session_options_[bits], bits);
  }
}

HttpConnector::~HttpConnector() = default;

const ClientSessionOptions& HttpConnector::session_options(
    const PeerOptions& options) const noexcept {
  return session_options_[leniency_bits(options)];
}

Task<UpstreamSession> HttpConnector::get_http_session(const HttpPeer& peer) {
  return H2Connector::is_for(peer) ? get_h2_session(peer) : get_h1_session(peer);
}

// ---- HTTP/1.

Task<UpstreamSession> HttpConnector::get_h1_session(const HttpPeer& peer) {
  auto pooled = pool_.get(PeerKey(peer), calling_strand().worker());
  if (pooled == nullptr) return new_h1_session(peer);
  // Nothing else is ever put into the pool.
  std::unique_ptr<PooledH1Session> session(static_cast<PooledH1Session*>(pooled.release()));
  session->begin_reuse(session_options(peer.options));
  set_timeouts(*session, peer.options);
  return UpstreamSession{std::move(session), true};
}

Task<UpstreamSession> HttpConnector::new_h1_session(const HttpPeer& peer) {
  co_return h1_session_on(co_await transport_.connect(peer), peer);
}

Result<UpstreamSession> HttpConnector::h1_session_on(ConnectedStream connected,
                                                     const HttpPeer& peer) {
  if (!connected.received.empty()) {
    // RFC 9112 §9.2: nothing may come before a request that it could be the answer to.
    Error error = Error::explain(ErrorType::ConnectProxyFailure,
                                 peer.to_string() + " sent something before any request");
    return fail(std::move(error).into_up());
  }
  auto session = std::make_unique<PooledH1Session>(
      std::move(connected.stream), peer, calling_strand().worker(), session_options(peer.options));
  set_timeouts(*session, peer.options);
  return UpstreamSession{std::move(session), false};
}

// ---- HTTP/2.

Task<UpstreamSession> HttpConnector::get_h2_session(const HttpPeer& peer) {
  Task<GotH2> getting = h2_->get(peer);
  if (!getting.is_ready()) return wait_for_h2_session(peer, std::move(getting));
  const GotH2& got = *getting.ready();  // an error is never ready
  return got.connection != nullptr ? h2_session_on(*got.connection, peer)
                                   : get_h1_session_instead(peer, std::nullopt);
}

Task<UpstreamSession> HttpConnector::wait_for_h2_session(const HttpPeer& peer,
                                                         Task<GotH2> getting) {
  GotH2 got = co_await std::move(getting);
  if (got.connection != nullptr) co_return h2_session_on(*got.connection, peer);
  co_return co_await get_h1_session_instead(peer, std::move(got.h1));
}

// For the peer as one that is not even offered HTTP/2: it might choose that, and the pool must not
// mix them.
Task<UpstreamSession> HttpConnector::get_h1_session_instead(
    HttpPeer peer, std::optional<ConnectedStream> connected) {
  peer.options.alpn = Alpn::H1;
  if (connected) co_return h1_session_on(std::move(*connected), peer);
  co_return co_await get_h1_session(peer);
}

UpstreamSession HttpConnector::h2_session_on(PooledH2Connection& connection, const HttpPeer& peer) {
  connection.set_idle_timeout(peer.options.idle_timeout);
  bool reused = connection.connection().is_used();
  auto session = connection.connection().new_session(session_options(peer.options));
  set_timeouts(*session, peer.options);
  return {std::move(session), reused};
}

void HttpConnector::note_downgrade(const HttpPeer& peer, Error& error) {
  bool may_speak_h1 = peer.options.alpn == Alpn::H2H1;
  if (may_speak_h1) h2_->store().note_h1_only(peer);
  if (!may_speak_h1) error.set_retry_type(RetryType::No);
}

std::size_t HttpConnector::shed(std::size_t count) {
  std::size_t done = pool_.shed(count);
  return done + h2_->store().shed(count - done);
}

void HttpConnector::close() { h2_->close(); }

std::size_t HttpConnector::h2_connections() const { return h2_->store().size().connections; }

// ---- Between two exchanges.

void HttpConnector::release(std::unique_ptr<ClientSession> session, const HttpPeer& peer) {
  if (session == nullptr || !session->is_reusable()) return;
  const ClientSession& object = *session;
  if (typeid(object) != typeid(PooledH1Session)) return;
  std::unique_ptr<PooledH1Session> pooled(static_cast<PooledH1Session*>(session.release()));
  pooled->end_exchange();
  pool_.put(std::move(pooled), peer.options.idle_timeout, calling_strand().worker());
}

Task<> HttpConnector::expire_idle_connections() {
  internal::PoolMetrics metrics;
  for (;;) {
    co_await sleep_for(std::chrono::seconds(1));
    pool_.expire(Clock::now());
    h2_->store().expire(coarse_now());
    metrics.publish(pool_);
    metrics.publish(h2_->store());
  }
}

}  // namespace pingora
