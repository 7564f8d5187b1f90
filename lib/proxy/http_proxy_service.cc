// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/proxy/http_proxy_service.h"

#include <utility>
#include <vector>

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

}  // namespace

std::shared_ptr<HttpConnector> make_http_connector(Server& server) {
  const Configuration& configuration = server.configuration();
  ConnectorOptions options;
  options.keepalive_pool_size = configuration.upstream_keepalive_pool_size;
  options.workers = configuration.threads;
  options.client_bind_to_ipv4 = addresses(configuration.client_bind_to_ipv4);
  options.client_bind_to_ipv6 = addresses(configuration.client_bind_to_ipv6);
  auto connector = std::make_shared<HttpConnector>(std::move(options));
  server.shed_hooks().add([connector](std::size_t count) { return connector->pool().shed(count); });
  return connector;
}

}  // namespace pingora
