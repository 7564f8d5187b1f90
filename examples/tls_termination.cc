// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Speaks TLS to clients, with a certificate from files, which it reads again when they change.
//
//   $ openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out cert.pem
//   $ curl -si --cacert cert.pem https://localhost:6188/
//   => X-TLS: TLSv1.3
//   => hello from one: GET /
//   $ curl -s http://localhost:6188/
//   => This port speaks HTTPS
#include "pingora/pingora.h"

namespace {

class Proxy : public pingora::ProxyHttp<> {
 public:
  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, Context&) override {
    return pingora::HttpPeer("127.0.0.1:6190");
  }

  // What the handshake has agreed on is in the connection's digest.
  pingora::Task<> response_filter(pingora::Session& session, pingora::ResponseHeader& response,
                                  Context&) override {
    auto inserted = response.insert_header("X-TLS", session.digest().ssl->version);
    if (!inserted) return std::move(inserted.error());
    return {};
  }
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  auto settings = pingora::TlsSettings::intermediate("cert.pem", "key.pem");
  if (!settings) pingora::exit_with_error(settings.error());
  auto proxy = pingora::http_proxy_service(server, Proxy());
  proxy.add_tls("0.0.0.0:6188", std::move(*settings));
  server.add_service(std::move(proxy));
  server.run_forever();
}
