// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Closes connections from unwelcome addresses before anything is read from them.
//
//   $ curl -s http://127.0.0.1:6188/
//   => hello from one
//   $ curl -s --interface 127.0.0.2 http://127.0.0.1:6188/ || echo turned away
//   => turned away
#include "pingora/pingora.h"

namespace {

class Blocklist : public pingora::ConnectionFilter {
 public:
  explicit Blocklist(std::vector<std::string> hosts) : hosts_(std::move(hosts)) {}

  // Could wait for an answer from elsewhere too: other connections are accepted meanwhile.
  pingora::Task<bool> should_accept(const pingora::Digest& digest) override {
    return std::ranges::find(hosts_, digest.peer_address.host()) == hosts_.end();
  }

 private:
  std::vector<std::string> hosts_;
};

class Proxy : public pingora::ProxyHttp<> {
 public:
  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, Context&) override {
    return pingora::HttpPeer("127.0.0.1:6190");
  }
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  auto proxy = pingora::http_proxy_service(server, Proxy());
  proxy.add_tcp("0.0.0.0:6188");
  proxy.set_connection_filter(std::make_shared<Blocklist>(std::vector<std::string>{"127.0.0.2"}));
  server.add_service(std::move(proxy));
  server.run_forever();
}
