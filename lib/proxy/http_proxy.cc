// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/proxy/http_proxy.h"

#include <utility>

#include "exchange.h"
#include "pingora/server/configuration.h"

namespace pingora {

HttpProxy::HttpProxy(std::unique_ptr<internal::Phases> phases,
                     std::shared_ptr<HttpConnector> connector, HttpProxyOptions options)
    : phases_(std::move(phases)), connector_(std::move(connector)), options_(std::move(options)) {
  if (!options_.retries_max) options_.retries_max = Configuration().max_retries;
  phases_->init_downstream_modules(downstream_modules_);
}

HttpProxy::~HttpProxy() = default;

Task<> HttpProxy::process_request(ServerSession& session, HttpConnection& connection) {
  return internal::Exchange::serve(*this, session, connection, std::nullopt);
}

Task<> HttpProxy::process_refused(ServerSession& session, HttpConnection& connection, Error error) {
  return internal::Exchange::serve(*this, session, connection, std::move(error));
}

}  // namespace pingora
