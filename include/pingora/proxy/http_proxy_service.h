// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "pingora/proxy/http_proxy.h"
#include "pingora/server/listening_service.h"
#include "pingora/server/server.h"

namespace pingora {

/// The connector of a server's proxies, with what the server's configuration says of pooling and
/// binding. When descriptors run out, its idle connections go. Share it between services whose
/// upstream connections should be shared.
std::shared_ptr<HttpConnector> make_http_connector(Server& server);

/// A service that proxies as `program` says: add endpoints, then add it to the server.
/// `program` is moved in; all connections use the one object. Without a `connector` the service
/// gets one of its own.
template <class P>
ListeningService http_proxy_service(Server& server, P program, HttpProxyOptions options = {},
                                    std::shared_ptr<HttpConnector> connector = nullptr) {
  if (!options.retries_max) options.retries_max = server.configuration().max_retries;
  if (connector == nullptr) connector = make_http_connector(server);
  return ListeningService(
      "HTTP proxy", make_http_proxy(std::move(program), std::move(connector), std::move(options)));
}

}  // namespace pingora
