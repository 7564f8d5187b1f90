// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/listening_service.h"

#include <algorithm>
#include <utility>

#include "pingora/base/log.h"
#include "pingora/runtime/combinators.h"
#include "server/endpoint.h"

namespace pingora {

using internal::Endpoint;

namespace {

using Stores = std::vector<std::shared_ptr<CertificateStore>>;

Task<> watch(CertificateStore& store) {
  Result<void> ended = co_await store.watch().as_result();
  if (!ended) {
    log_warn("changes of certificate files are not noticed: {}", ended.error().to_string());
  }
}

Task<> when_both(Task<> one, Task<> other) { co_await when_all(std::move(one), std::move(other)); }

Task<> watch_all(const Stores& stores, std::size_t first) {
  if (first + 1 == stores.size()) return watch(*stores[first]);
  return when_both(watch(*stores[first]), watch_all(stores, first + 1));
}

Task<> wait_for_shutdown(ShutdownWatch& shutdown) { co_await shutdown.wait(); }

Task<> watch_until_shutdown(Stores stores, ShutdownWatch& shutdown) {
  // If nothing can be watched, there is nothing to wait for.
  co_await when_any(wait_for_shutdown(shutdown), watch_all(stores, 0));
}

}  // namespace

struct ListeningService::State {
  internal::Serving serving;
  std::vector<std::unique_ptr<Endpoint>> endpoints;

  // The certificates of all endpoints, each store once.
  std::vector<std::shared_ptr<CertificateStore>> stores() const {
    std::vector<std::shared_ptr<CertificateStore>> stores;
    for (const auto& endpoint : endpoints) {
      std::shared_ptr<CertificateStore> store = endpoint->certificates();
      if (store && std::ranges::find(stores, store) == stores.end()) stores.push_back(store);
    }
    return stores;
  }
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

void ListeningService::add_tls(std::string_view address, TlsSettings settings) {
  add_tls_with_settings(address, std::move(settings), {});
}

void ListeningService::add_tls_with_settings(std::string_view address, TlsSettings settings,
                                             EndpointOptions options) {
  state_->endpoints.push_back(
      std::make_unique<Endpoint>(std::string(address), std::move(options), std::move(settings)));
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
    if (Result<void> tls = endpoint->check_tls(); !tls) return tls;
  }
  return {};
}

Result<void> ListeningService::prepare(ServiceContext& context) {
  for (const auto& endpoint : state_->endpoints) {
    Result<void> bound = endpoint->bind(context, state_->serving);
    if (!bound) return bound;
  }
  for (const std::shared_ptr<CertificateStore>& store : state_->stores()) {
    // What a reload could not use is logged by the store.
    context.reload_hooks.add([store] { [[maybe_unused]] auto reloaded = store->reload(); });
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
  std::vector<std::shared_ptr<CertificateStore>> stores = state_->stores();
  if (stores.empty()) return {};
  return watch_until_shutdown(std::move(stores), context.shutdown);
}

}  // namespace pingora
