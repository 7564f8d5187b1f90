// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Knows clients by their certificates: who one is, is found out once in the handshake, and kept
// with the connection for all its requests.
//
//   $ openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out cert.pem
//   $ openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=alice -keyout alice.key -out alice.pem
//   $ curl -si --cacert cert.pem --cert alice.pem --key alice.key https://localhost:6188/
//   => X-User: alice
//   => hello from one: GET /
//   $ curl -s -o /dev/null -w '%{http_code}' --cacert cert.pem https://localhost:6188/
//   => 403
#include "pingora/pingora.h"

namespace {

struct User {
  std::string name;
};

class Users : public pingora::TlsAccept {
 public:
  // It may wait, to ask a data base, say.
  pingora::Task<> handshake_complete(pingora::SslDigest& digest) override {
    constexpr std::string_view kCommonName = "CN=";
    std::string_view subject = digest.subject;
    if (subject.starts_with(kCommonName)) {
      digest.extension = User{std::string(subject.substr(kCommonName.size()))};
    }
    return {};
  }
};

class Proxy : public pingora::ProxyHttp<> {
 public:
  pingora::Task<bool> request_filter(pingora::Session& session, Context&) override {
    if (user_of(session) != nullptr) co_return false;
    co_await session.respond_error(403);
    co_return true;
  }
  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, Context&) override {
    return pingora::HttpPeer("127.0.0.1:6190");
  }
  pingora::Task<> response_filter(pingora::Session& session, pingora::ResponseHeader& response,
                                  Context&) override {
    auto inserted = response.insert_header("X-User", user_of(session)->name);
    if (!inserted) return std::move(inserted.error());
    return {};
  }

 private:
  static const User* user_of(const pingora::Session& session) {
    return std::any_cast<User>(&session.digest().ssl->extension);
  }
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  auto settings = pingora::TlsSettings::intermediate("cert.pem", "key.pem");
  if (!settings) pingora::exit_with_error(settings.error());
  settings->client_certificates = pingora::ClientCertificates::Optional;
  settings->client_ca_file = "alice.pem";
  settings->callbacks = std::make_shared<Users>();
  auto proxy = pingora::http_proxy_service(server, Proxy());
  proxy.add_tls("0.0.0.0:6188", std::move(*settings));
  server.add_service(std::move(proxy));
  server.run_forever();
}
