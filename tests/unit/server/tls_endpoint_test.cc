// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>

#include "pingora/base/clock.h"
#include "pingora/server/listening_service.h"
#include "pingora/server/serve_http.h"
#include "pingora/server/server.h"
#include "unit/server/blocking_client.h"
#include "unit/tls/made_certificate.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

class Hello : public ServeHttp {
 public:
  Task<Response> response(ServerSession&) override { return Response::text(200, "hello"); }
};

TlsSettings settings() {
  static const MadeCertificate made = make_certificate({.names = {"a.test"}});
  auto store = std::make_shared<CertificateStore>();
  store->add(*Certificate::from_pem(made.certificate, made.key));
  return TlsSettings::intermediate(std::move(store));
}

// A server with one endpoint that speaks TLS.
struct Fixture {
  explicit Fixture(TlsSettings tls, std::shared_ptr<ConnectionFilter> filter = nullptr) {
    Configuration configuration;
    configuration.threads = 2;
    server.emplace(configuration);
    ListeningService service("hello", std::make_unique<Hello>());
    service.add_tls("127.0.0.1:0", std::move(tls));
    service.set_connection_filter(std::move(filter));
    auto handle = server->add_service(std::move(service));
    listening = &*handle;
    REQUIRE(server->start());
    address = handle->local_addresses()[0];
  }
  template <class Condition>
  void wait_until(Condition condition) const {
    TimePoint end = Clock::now() + 20s;
    while (!condition(listening->stats())) {
      REQUIRE(Clock::now() < end);
      std::this_thread::yield();
    }
  }
  std::optional<Server> server;
  ListeningService* listening = nullptr;
  SocketAddress address;
};

// What any client without TLS is told.
bool is_told(BlockingClient& client) {
  client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  std::string answer = client.receive_until("not TLS\n");
  return answer.starts_with("HTTP/1.1 400 Bad Request\r\n") && client.is_closed_by_peer();
}

}  // namespace

TEST_CASE("TLS endpoint: plain HTTP is told so in plain text, then closed", "[server]") {
  Fixture test(settings());
  BlockingClient client(test.address);
  CHECK(is_told(client));
  ListeningStats stats = test.listening->stats();
  CHECK(stats.tls.plain_http == 1);
  CHECK(stats.tls.handshakes == 0);
  client.close();
  test.wait_until([](const ListeningStats& now) { return now.open == 0; });
}

TEST_CASE("TLS endpoint: plain HTTP whose body is still coming can read the answer", "[server]") {
  Fixture test(settings());
  BlockingClient client(test.address);
  client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\n");
  client.send(std::string(100'000, 'x'));
  CHECK(client.receive_until("not TLS\n").ends_with("not TLS\n"));
  client.close();
  test.wait_until([](const ListeningStats& now) { return now.open == 0; });
}

TEST_CASE("TLS endpoint: a client that stops in its handshake has a deadline", "[server]") {
  TlsSettings tls = settings();
  tls.handshake_timeout = 100ms;
  Fixture test(std::move(tls));
  BlockingClient silent(test.address);
  BlockingClient stopped(test.address);
  // A record of a ClientHello, of which five bytes in a hundred have come.
  stopped.send(std::string_view("\x16\x03\x01\x00\x64\x01\x00\x00\x60\x03", 10));
  CHECK(silent.is_closed_by_peer());
  CHECK(stopped.is_closed_by_peer());
  test.wait_until([](const ListeningStats& now) { return now.open == 0; });
  ListeningStats stats = test.listening->stats();
  CHECK(stats.tls.timed_out == 2);
  CHECK(stats.tls.failed == 2);
  CHECK(stats.tls.handshaking == 0);
}

TEST_CASE("TLS endpoint: garbage and clients that leave end quietly", "[server]") {
  Fixture test(settings());
  BlockingClient garbage(test.address);
  garbage.send(std::string_view("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09", 10));
  garbage.receive_until("never");  // an alert, perhaps
  {
    BlockingClient leaves(test.address);
    BlockingClient leaves_later(test.address);
    leaves_later.send(std::string_view("\x16\x03\x01", 3));
  }
  test.wait_until([](const ListeningStats& now) {
    return now.accepted == 3 && now.tls.failed == 3 && now.tls.handshaking == 0;
  });
}

TEST_CASE("TLS endpoint: below the limit of handshakes nobody waits", "[server]") {
  TlsSettings tls = settings();
  tls.handshakes_max = 2;
  Fixture test(std::move(tls));
  BlockingClient silent(test.address);
  test.wait_until([](const ListeningStats& now) { return now.tls.handshaking == 1; });
  BlockingClient other(test.address);
  CHECK(is_told(other));
  CHECK(test.listening->stats().tls.given_up == 0);
}

TEST_CASE("TLS endpoint: at the limit of handshakes the oldest makes room", "[server]") {
  TlsSettings tls = settings();
  tls.handshakes_max = 2;
  Fixture test(std::move(tls));
  BlockingClient oldest(test.address);
  test.wait_until([](const ListeningStats& now) { return now.tls.handshaking == 1; });
  BlockingClient second(test.address);
  test.wait_until([](const ListeningStats& now) { return now.handshake_pauses == 1; });
  BlockingClient third(test.address);
  CHECK(is_told(third));
  CHECK(oldest.is_closed_by_peer());
  ListeningStats stats = test.listening->stats();
  CHECK(stats.tls.given_up >= 1);
  CHECK(stats.tls.failed == 0);
}

TEST_CASE("TLS endpoint: a handshake that ends lets the next one in at once", "[server]") {
  TlsSettings tls = settings();
  tls.handshakes_max = 1;
  Fixture test(std::move(tls));
  for (int i = 0; i < 20; ++i) {
    BlockingClient client(test.address);
    CHECK(is_told(client));
  }
  CHECK(test.listening->stats().tls.given_up == 0);
}

TEST_CASE("TLS endpoint: the filter comes before the handshake", "[server]") {
  class Nobody : public ConnectionFilter {
   public:
    Task<bool> should_accept(const Digest&) override { return false; }
  };
  Fixture test(settings(), std::make_shared<Nobody>());
  BlockingClient client(test.address);
  CHECK(client.is_closed_by_peer());
  test.wait_until([](const ListeningStats& now) { return now.open == 0; });
  CHECK(test.listening->stats().filtered == 1);
  CHECK(test.listening->stats().tls.failed == 0);
}

TEST_CASE("TLS endpoint: settings that cannot be used are an error of the start", "[server]") {
  TlsSettings tls = settings();
  tls.certificates = std::make_shared<CertificateStore>();
  Server server(Configuration{});
  ListeningService service("hello", std::make_unique<Hello>());
  service.add_tls("127.0.0.1:0", std::move(tls));
  server.add_service(std::move(service));
  Result<void> started = server.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().context() == "127.0.0.1:0: TLS: no certificate in the store");
}

TEST_CASE("TLS endpoint: a shutdown waits for handshakes no longer than they may take",
          "[server]") {
  TlsSettings tls = settings();
  tls.handshake_timeout = 200ms;
  Fixture test(std::move(tls));
  BlockingClient silent(test.address);
  test.wait_until([](const ListeningStats& now) { return now.tls.handshaking == 1; });
  TimePoint before = Clock::now();
  test.server->shutdown();
  test.server->wait();
  CHECK(Clock::now() - before < 20s);  // far from the grace period
  CHECK(silent.is_closed_by_peer());
}

TEST_CASE("Server: told to reload, it runs the hooks, one that throws among them", "[server]") {
  std::atomic<int> runs{0};
  Server server(Configuration{});
  server.reload_hooks().add([] { throw std::runtime_error("this failure is part of the test"); });
  server.reload_hooks().add([&runs] { ++runs; });
  REQUIRE(server.start());
  std::thread waiting([&server] { server.wait(); });
  server.reload();
  while (runs.load() == 0) std::this_thread::yield();
  server.reload();
  while (runs.load() == 1) std::this_thread::yield();
  server.shutdown();
  waiting.join();
}
