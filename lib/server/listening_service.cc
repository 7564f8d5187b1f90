// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/listening_service.h"

#include <utility>

#include "server/endpoint.h"

namespace pingora {

using internal::Endpoint;

struct ListeningService::State {
  internal::Serving serving;
  std::vector<std::unique_ptr<Endpoint>> endpoints;
};

ListeningService::ListeningService(std::string name, std::unique_ptr<HttpApp> app)
    : Service(std::move(name)), state_(std::make_unique<State>()) {
  state_->serving.service_name = this->name();
  state_->serving.http_app = std::move(app);
}

ListeningService::ListeningService(std::string name, std::unique_ptr<ServerApp> app)
    : Service(std::move(name)), state_(std::make_unique<State>()) {
  state_->serving.service_name = this->name();
  state_->serving.server_app = std::move(app);
}

ListeningService::ListeningService(ListeningService&&) noexcept = default;
ListeningService& ListeningService::operator=(ListeningService&&) noexcept = default;
ListeningService::~ListeningService() = default;

void ListeningService::add_tcp(std::string_view address) { add_tcp_with_settings(address, {}); }

void ListeningService::add_tcp_with_settings(std::string_view address, EndpointOptions options) {
  state_->endpoints.push_back(std::make_unique<Endpoint>(std::string(address), std::move(options)));
}

void ListeningService::add_uds(std::string_view path, mode_t permissions) {
  EndpointOptions options;
  options.listen.unix_permissions = permissions;
  add_uds_with_settings(path, std::move(options));
}

void ListeningService::add_uds_with_settings(std::string_view path, EndpointOptions options) {
  add_tcp_with_settings("unix:" + std::string(path), std::move(options));
}

void ListeningService::set_connection_filter(std::shared_ptr<ConnectionFilter> filter) {
  state_->serving.filter = std::move(filter);
}

std::vector<SocketAddress> ListeningService::local_addresses() const {
  std::vector<SocketAddress> addresses;
  for (const auto& endpoint : state_->endpoints) {
    if (endpoint->loops() != 0) addresses.push_back(endpoint->local_address());
  }
  return addresses;
}

ListeningStats ListeningService::stats() const {
  ListeningStats stats;
  for (const auto& endpoint : state_->endpoints) endpoint->add_stats(stats);
  return stats;
}

Result<void> ListeningService::validate() const {
  for (const auto& endpoint : state_->endpoints) {
    if (Result<SocketAddress> address = endpoint->parse(); !address) {
      return fail(std::move(address.error()));
    }
  }
  return {};
}

Result<void> ListeningService::prepare(ServiceContext& context) {
  for (const auto& endpoint : state_->endpoints) {
    Result<void> bound = endpoint->bind(context, state_->serving);
    if (!bound) return bound;
  }
  return {};
}

Task<> ListeningService::start(ServiceContext& context, ReadyNotifier ready) {
  for (const auto& endpoint : state_->endpoints) {
    for (std::size_t loop = 0; loop < endpoint->loops(); ++loop) {
      context.connections.spawn(endpoint->accept_until_shutdown(loop));
    }
  }
  ready.notify_ready();
  return {};
}

}  // namespace pingora
