// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/load_balancing/tls_health_check.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pingora/load_balancing/load_balancer.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/timer.h"
#include "pingora/tls/handshake.h"
#include "unit/upstream/scripted_origin.h"
#include "unit/upstream/test_certificates.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

// Far more than a handshake takes where nobody stalls.
constexpr auto kPlenty = 30'000ms;

TlsSettings origin_settings() {
  auto certificate = Certificate::from_pem(kOriginCertificate, kOriginKey);
  REQUIRE(certificate);
  auto store = std::make_shared<CertificateStore>();
  store->add(*certificate);
  return TlsSettings::intermediate(std::move(store));
}

ScriptedOrigin::Wrap accept_with(TlsSettings settings) {
  auto context = TlsServerContext::create(std::move(settings));
  REQUIRE(context);
  return [context = *context](std::unique_ptr<Stream> stream) -> Task<std::unique_ptr<Stream>> {
    co_return co_await tls_accept(std::move(stream), Buffer(), *context);
  };
}

// Until the other side goes.
Task<> read_to_end(Stream& stream) {
  Buffer input;
  while (co_await stream.read(input) != 0) input.consume(input.size());
}
ScriptedOrigin::Script read_all() {
  return [](Stream& stream, int) -> Task<> { co_await read_to_end(stream); };
}

// What trusts the issuer of the origin's certificate, which is for origin.test.
TlsHealthCheck::Options trusting_options(std::string sni = "origin.test") {
  TlsHealthCheck::Options options{.sni = std::move(sni), .connect_timeout = kPlenty};
  options.peer.connection_timeout = kPlenty;
  options.peer.edit_rare().ca = std::make_shared<const std::string>(kTestCa);
  return options;
}

Task<> pause(Duration duration) { co_await sleep_for(duration); }

struct Fixture {
  Runtime runtime{RuntimeOptions{.threads = 2, .name = "test"}};
  Fixture() { runtime.start(); }

  // "healthy", or the error's type.
  std::string check(TlsHealthCheck::Options options, const SocketAddress& address) {
    TlsHealthCheck check(std::move(options));
    Backend backend(address);
    auto result = block_on(runtime, check.check(backend));
    return result ? "healthy" : std::string(result.error().type_name());
  }
};

}  // namespace

TEST_CASE("TlsHealthCheck: a backend is healthy whose certificate is for the name asked for",
          "[load_balancing][tls]") {
  Fixture fixture;
  ScriptedOrigin origin(fixture.runtime, read_all(), ScriptedOrigin::Over::Tcp,
                        accept_with(origin_settings()));
  CHECK(fixture.check(trusting_options(), origin.address()) == "healthy");
  CHECK(fixture.check(trusting_options("other.test"), origin.address()) == "InvalidCert");
  // It is for its address as well, which no name asks for.
  CHECK(fixture.check(trusting_options(""), origin.address()) == "healthy");
  TlsHealthCheck::Options of_backend = trusting_options("other.test");
  of_backend.sni_of = [](const Backend&) { return std::string("origin.test"); };
  CHECK(fixture.check(std::move(of_backend), origin.address()) == "healthy");
}

TEST_CASE("TlsHealthCheck: verification is as far as the options have it",
          "[load_balancing][tls]") {
  Fixture fixture;
  ScriptedOrigin origin(fixture.runtime, read_all(), ScriptedOrigin::Over::Tcp,
                        accept_with(origin_settings()));
  TlsHealthCheck::Options any_name = trusting_options("other.test");
  any_name.peer.verify_hostname = Toggle::Off;
  CHECK(fixture.check(any_name, origin.address()) == "healthy");
  // An issuer that nobody knows.
  TlsHealthCheck::Options stranger{.sni = "origin.test", .connect_timeout = kPlenty};
  stranger.peer.edit_rare().ca = std::make_shared<const std::string>(kClientCertificate);
  stranger.peer.edit_rare().tls_version_max = TlsVersion::Tls12;
  CHECK(fixture.check(stranger, origin.address()) == "InvalidCert");
  TlsHealthCheck::Options unverified = stranger;
  unverified.peer.verify_cert = Toggle::Off;
  CHECK(fixture.check(std::move(unverified), origin.address()) == "healthy");
  TlsHealthCheck::Options unreadable{.sni = "origin.test", .connect_timeout = kPlenty};
  unreadable.peer.edit_rare().ca_file = "/nowhere/ca.pem";
  CHECK(fixture.check(std::move(unreadable), origin.address()) == "InternalError");
}

TEST_CASE("TlsHealthCheck: a certificate is shown to backends that ask for one",
          "[load_balancing][tls]") {
  Fixture fixture;
  TlsSettings settings = origin_settings();
  settings.client_certificates = ClientCertificates::Required;
  settings.client_ca_pem = kTestCa;
  // With TLS 1.3, a client is done before the server has looked at its certificate.
  settings.version_max = TlsVersion::Tls12;
  ScriptedOrigin origin(fixture.runtime, read_all(), ScriptedOrigin::Over::Tcp,
                        accept_with(std::move(settings)));
  CHECK(fixture.check(trusting_options(), origin.address()) != "healthy");
  auto certificate = Certificate::from_pem(kClientCertificate, kClientKey);
  REQUIRE(certificate);
  TlsHealthCheck::Options with = trusting_options();
  with.peer.edit_rare().client_cert_key = *certificate;
  CHECK(fixture.check(std::move(with), origin.address()) == "healthy");
}

TEST_CASE("TlsHealthCheck: a backend that takes connections, and no more, is unhealthy",
          "[load_balancing][tls]") {
  Fixture fixture;
  ScriptedOrigin silent(fixture.runtime, read_all());
  TlsHealthCheck::Options options = trusting_options();
  options.connect_timeout = 50ms;
  // The machine may be so slow that there is no connection by then.
  CHECK_THAT(fixture.check(std::move(options), silent.address()),
             Catch::Matchers::EndsWith("Timedout"));
  ScriptedOrigin plain(fixture.runtime, [](Stream& stream, int) -> Task<> {
    co_await stream.write({std::string_view("HTTP/1.1 400 Bad Request\r\n\r\n")});
    co_await read_to_end(stream);
  });
  CHECK(fixture.check(trusting_options(), plain.address()) == "TlsHandshakeFailure");
  SocketAddress nobody;
  {
    auto closed = Listener::bind(*SocketAddress::parse("127.0.0.1:0"));
    REQUIRE(closed);
    nobody = closed->local_address();
  }
  CHECK(fixture.check(trusting_options(), nobody) == "ConnectRefused");
}

TEST_CASE("TlsHealthCheck: no check resumes the session of another", "[load_balancing][tls]") {
  Fixture fixture;
  TlsSettings settings = origin_settings();
  auto context = TlsServerContext::create(std::move(settings));
  REQUIRE(context);
  ScriptedOrigin origin(
      fixture.runtime, read_all(), ScriptedOrigin::Over::Tcp,
      [context = *context](std::unique_ptr<Stream> stream) -> Task<std::unique_ptr<Stream>> {
        co_return co_await tls_accept(std::move(stream), Buffer(), *context);
      });
  // With TLS 1.2, tickets come within the handshake.
  TlsHealthCheck::Options options = trusting_options();
  options.peer.edit_rare().tls_version_max = TlsVersion::Tls12;
  TlsHealthCheck check(std::move(options));
  Backend backend(origin.address());
  for (int i = 0; i < 3; ++i) CHECK(block_on(fixture.runtime, check.check(backend)));
  CHECK((*context)->counters().tickets_opened == 0);
  CHECK((*context)->counters().tickets_refused == 0);
}

TEST_CASE("TlsHealthCheck: can be cancelled while the backend is silent", "[load_balancing][tls]") {
  Fixture fixture;
  ScriptedOrigin silent(fixture.runtime, read_all());
  TlsHealthCheck check(trusting_options());
  Backend backend(silent.address());
  auto first = block_on(fixture.runtime, when_any(check.check(backend), pause(5ms)));
  REQUIRE(first);
  CHECK(first->index() == 1);
}

TEST_CASE("TlsHealthCheck: takes a backend out of the selection, and says so",
          "[load_balancing][tls]") {
  Fixture fixture;
  ScriptedOrigin good(fixture.runtime, read_all(), ScriptedOrigin::Over::Tcp,
                      accept_with(origin_settings()));
  ScriptedOrigin bad(fixture.runtime, [](Stream&, int) -> Task<> { return {}; });
  auto balancer = LoadBalancer<RoundRobin>::from_addresses(
      {good.address().to_string(), bad.address().to_string()});
  REQUIRE(balancer);
  // Checks of one round run in one strand.
  std::vector<std::string> changes;
  TlsHealthCheck::Options options = trusting_options();
  options.consecutive_failure = 2;
  options.on_change = [&changes](const Backend& backend, Health health) {
    changes.push_back(backend.address().to_string() +
                      (health == Health::Healthy ? " up" : " down"));
  };
  (*balancer)->set_health_check(std::make_unique<TlsHealthCheck>(std::move(options)));
  REQUIRE(block_on(fixture.runtime, (*balancer)->update()));
  REQUIRE(block_on(fixture.runtime, (*balancer)->run_health_check()));
  CHECK(changes.empty());
  REQUIRE(block_on(fixture.runtime, (*balancer)->run_health_check()));
  CHECK(changes == std::vector<std::string>{bad.address().to_string() + " down"});
  for (int i = 0; i < 4; ++i) {
    auto selected = (*balancer)->select();
    REQUIRE(selected);
    CHECK(selected->address() == good.address());
  }
}
