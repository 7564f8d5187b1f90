// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "pingora/base/log_limiter.h"
#include "pingora/net/ip_prefix.h"
#include "pingora/proxy/phases.h"
#include "pingora/server/http_app.h"
#include "pingora/upstream/http_connector.h"

namespace pingora {

/// What the proxy says to the upstream about the client.
enum class ForwardedPolicy : std::uint8_t {
  /// X-Forwarded-For and X-Forwarded-Proto are set; what the client sent under these names, and
  /// Forwarded, is dropped, unless the client is a trusted proxy: then the client's address is
  /// added to X-Forwarded-For, and the others are passed on.
  Set,
  /// Nothing is set. What the client sent is passed on.
  PassOn,
  /// Nothing is set, and what the client sent is dropped.
  Drop,
};

struct HttpProxyOptions {
  /// Retries of one request, beyond its first try. Default: the configuration's `max_retries`, 15.
  std::optional<unsigned> retries_max{};
  /// Bytes of a request's body that are kept to be sent again. A longer body is not retried.
  std::size_t retry_buffer_bytes_max = 64 * 1024;
  /// Whether CONNECT opens a tunnel to what `upstream_peer` chooses; without, it is answered 405.
  bool allow_connect_method_proxying = false;
  ForwardedPolicy forwarded = ForwardedPolicy::Set;
  /// Whose X-Forwarded-* and Forwarded fields are believed.
  std::vector<IpPrefix> trusted_proxies{};
};

/// A program's proxy as an application: what a service calls for each request. Also for programs
/// that have an accept loop of their own: `process_request` takes any ServerSession.
class HttpProxy final : public HttpApp {
 public:
  /// `connector` is shared by all services that should share connections.
  HttpProxy(std::unique_ptr<internal::Phases> phases, std::shared_ptr<HttpConnector> connector,
            HttpProxyOptions options);
  ~HttpProxy() override;

  Task<> process_request(ServerSession& session, HttpConnection& connection) override;
  Task<> process_refused(ServerSession& session, HttpConnection& connection, Error error) override;

  HttpConnector& connector() noexcept { return *connector_; }

 private:
  friend class internal::Exchange;

  std::unique_ptr<internal::Phases> phases_;
  std::shared_ptr<HttpConnector> connector_;
  HttpProxyOptions options_;
  HttpModules downstream_modules_;
  // One line a second says that requests are tried again; and one for each kind of error, so that
  // none hides behind another, that they failed.
  static constexpr std::size_t kErrorTypes = static_cast<std::size_t>(ErrorType::Custom) + 1;
  LogLimiter retry_log_;
  std::array<LogLimiter, kErrorTypes> failure_logs_;
};

/// An HttpProxy around `program`, which must be movable.
template <class P>
std::unique_ptr<HttpProxy> make_http_proxy(P program, std::shared_ptr<HttpConnector> connector,
                                           HttpProxyOptions options = {}) {
  return std::make_unique<HttpProxy>(std::make_unique<internal::PhasesOf<P>>(std::move(program)),
                                     std::move(connector), std::move(options));
}

}  // namespace pingora
