// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// A gateway: the path says which origin gets a request, and some get none.
//
//   $ curl -s http://127.0.0.1:6188/one/cats
//   => hello from one: GET /one/cats
//   $ curl -s http://127.0.0.1:6188/two/dogs
//   => hello from two: GET /two/dogs
//   $ curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:6188/admin
//   => 403
//   $ curl -s -H 'Authorization: secret' http://127.0.0.1:6188/admin
//   => hello from one: GET /admin
#include "pingora/pingora.h"

namespace {

class Gateway : public pingora::ProxyHttp<> {
 public:
  // True: the request was answered here and goes nowhere.
  pingora::Task<bool> request_filter(pingora::Session& session, Context&) override {
    if (session.req_header().path().starts_with("/admin") &&
        session.get_header("Authorization") != "secret") {
      co_await session.respond_error(403);
      co_return true;
    }
    co_return false;
  }

  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session& session, Context&) override {
    bool is_two = session.req_header().path().starts_with("/two/");
    return pingora::HttpPeer(is_two ? "127.0.0.1:6191" : "127.0.0.1:6190");
  }

  pingora::Task<> response_filter(pingora::Session&, pingora::ResponseHeader& response,
                                  Context&) override {
    response.remove_header("Server");
    return response.insert_header("Server", "Gateway");
  }
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  auto proxy = pingora::http_proxy_service(server, Gateway());
  proxy.add_tcp("0.0.0.0:6188");
  server.add_service(std::move(proxy));
  server.run_forever();
}
