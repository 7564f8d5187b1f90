// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/proxy/http_proxy_service.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pingora/base/log.h"
#include "pingora/runtime/combinators.h"
#include "pingora/server/background_service.h"
#include "pingora/tls/key_log.h"

namespace pingora {
namespace {

// The configuration has been validated: what does not parse here cannot be.
std::vector<SocketAddress> addresses(const std::vector<std::string>& texts) {
  std::vector<SocketAddress> parsed;
  for (const std::string& text : texts) {
    if (auto address = SocketAddress::parse(text, 0)) parsed.push_back(std::move(*address));
  }
  return parsed;
}

// Where the environment says, as other programs do.
std::shared_ptr<KeyLog> open_key_log() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment of a running proxy
  const char* file = std::getenv("SSLKEYLOGFILE");
  if (file == nullptr || *file == '\0') {
    log_warn("upstream_debug_ssl_keylog is on, and SSLKEYLOGFILE is not set");
    return nullptr;
  }
  auto log = KeyLog::open(file);
  if (!log) {
    log_error("SSLKEYLOGFILE: {}", log.error().to_string());
    return nullptr;
  }
  log_warn("the keys of TLS connections to upstreams are written to {}", file);
  return std::move(*log);
}

class IdleExpiry : public BackgroundService {
 public:
  explicit IdleExpiry(std::shared_ptr<HttpConnector> connector)
      : connector_(std::move(connector)) {}
  // With the services, while the runtime still runs: the tasks of HTTP/2 connections end in it.
  ~IdleExpiry() override { connector_->close(); }
  Task<> start(ShutdownWatch& shutdown, ReadyNotifier ready) override {
    ready.notify_ready();
    auto shutting_down = [](ShutdownWatch* watch) -> Task<> { co_await watch->wait(); };
    co_await when_any(connector_->expire_idle_connections(), shutting_down(&shutdown));
  }

 private:
  std::shared_ptr<HttpConnector> connector_;
};

}  // namespace

std::shared_ptr<HttpConnector> make_http_connector(Server& server) {
  const Configuration& configuration = server.configuration();
  ConnectorOptions options;
  options.keepalive_pool_size = configuration.upstream_keepalive_pool_size;
  options.workers = configuration.threads;
  TransportConnectorOptions& transport = options.transport;
  transport.client_bind_to_ipv4 = addresses(configuration.client_bind_to_ipv4);
  transport.client_bind_to_ipv6 = addresses(configuration.client_bind_to_ipv6);
  transport.ca_file = configuration.ca_file.value_or(std::string());
  if (configuration.upstream_debug_ssl_keylog) transport.key_log = open_key_log();
  transport.shed_descriptors = [&hooks = server.shed_hooks()](std::size_t count) {
    return hooks.shed(count);
  };
  auto connector = std::make_shared<HttpConnector>(std::move(options));
  // The server's hooks outlive its runtime, which idle connections must not.
  server.shed_hooks().add([weak = std::weak_ptr(connector)](std::size_t count) {
    auto alive = weak.lock();
    return alive != nullptr ? alive->shed(count) : 0;
  });
  server.add_service(
      background_service("idle upstream connections", std::make_shared<IdleExpiry>(connector)));
  return connector;
}

}  // namespace pingora
