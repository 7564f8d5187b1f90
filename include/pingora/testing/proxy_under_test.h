// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "pingora/proxy/http_proxy_service.h"
#include "pingora/server/server.h"

namespace pingora {

/// How a ProxyUnderTest serves.
struct ProxyUnderTestOptions {
  HttpProxyOptions proxy{};
  EndpointOptions endpoint{};
  Configuration configuration{};
  /// Where it listens; port 0 is one that is free.
  std::string listen = "127.0.0.1:0";
};

/// A whole server in the test's process that runs a program's proxy on a port of its own.
///
///     OriginServer origin(OriginServer::answer_all(OriginServer::ok("hello")));
///     ProxyUnderTest proxy(Gateway(origin.address()));
///     TestClient client(proxy.address());
class ProxyUnderTest {
 public:
  /// Starts it. Throws std::runtime_error if it cannot.
  template <class P>
  explicit ProxyUnderTest(P program, ProxyUnderTestOptions options = {})
      : server_(std::move(options.configuration)), connector_(make_http_connector(server_)) {
    ListeningService service =
        http_proxy_service(server_, std::move(program), std::move(options.proxy), connector_);
    service.add_tcp_with_settings(options.listen, std::move(options.endpoint));
    auto handle = server_.add_service(std::move(service));
    if (auto started = server_.start(); !started) {
      throw std::runtime_error(started.error().to_string());
    }
    address_ = handle->local_addresses().front();
  }
  ProxyUnderTest(const ProxyUnderTest&) = delete;
  ProxyUnderTest& operator=(const ProxyUnderTest&) = delete;

  const SocketAddress& address() const noexcept { return address_; }
  Server& server() noexcept { return server_; }
  HttpConnector& connector() noexcept { return *connector_; }
  /// Lets requests finish, and ends; also done, without the patience, by the destructor.
  void stop() {
    server_.shutdown();
    server_.wait();
  }

 private:
  Server server_;
  std::shared_ptr<HttpConnector> connector_;
  SocketAddress address_;
};

}  // namespace pingora
