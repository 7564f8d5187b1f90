// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// A module: a filter that is written once and added to any proxy. This one asks for a password.
//
//   $ curl -s -u pingora:secret http://127.0.0.1:6188/
//   => hello from one
//   $ curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:6188/
//   => 401
#include "pingora/pingora.h"

namespace {

// One for each request.
class BasicAuth : public pingora::HttpModule {
 public:
  explicit BasicAuth(std::string_view credentials) : credentials_(credentials) {}

  pingora::Task<> request_header_filter(pingora::RequestHeader& request) override {
    if (request.get_header("Authorization") == credentials_) return {};
    return pingora::Error::http_status(401, "no credentials, or wrong ones");
  }

 private:
  std::string_view credentials_;
};

// Makes them; one for the service.
class BasicAuthBuilder : public pingora::HttpModuleBuilder {
 public:
  explicit BasicAuthBuilder(std::string credentials) : credentials_(std::move(credentials)) {}
  std::unique_ptr<pingora::HttpModule> make() const override {
    return std::make_unique<BasicAuth>(credentials_);
  }

 private:
  std::string credentials_;
};

class Proxy : public pingora::ProxyHttp<> {
 public:
  void init_downstream_modules(pingora::HttpModules& modules) override {
    // "pingora:secret" in base64.
    auto added = modules.add_module<BasicAuth>(
        std::make_unique<BasicAuthBuilder>("Basic cGluZ29yYTpzZWNyZXQ="));
    if (!added) pingora::exit_with_error(added.error());
  }

  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, Context&) override {
    return pingora::HttpPeer("127.0.0.1:6190");
  }
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  auto proxy = pingora::http_proxy_service(server, Proxy());
  proxy.add_tcp("0.0.0.0:6188");
  server.add_service(std::move(proxy));
  server.run_forever();
}
