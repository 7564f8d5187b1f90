// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pingora/tls/ticket_keys.h"
#include "pingora/tls/tls_session.h"
#include "tls_fixture.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

struct KeptSessions final : TlsSessionSink {
  void store(TlsSession::Ptr session) noexcept override { all.push_back(std::move(session)); }
  std::vector<TlsSession::Ptr> all;
};

std::string key_of(char fill) { return std::string(TicketKeys::kNameSize + 32, fill); }

struct ResumptionFixture : TlsFixture {
  std::shared_ptr<TicketKeys> keys = std::make_shared<TicketKeys>();
  std::shared_ptr<KeptSessions> sessions = std::make_shared<KeptSessions>();
  TlsClientOptions options = client_options();

  TlsSettings settings_with_keys() const {
    TlsSettings settings = server_settings();
    settings.ticket_keys = keys;
    return settings;
  }
  /// A connection that is used once each way, so that tickets arrive.
  TlsPair connect(const TlsServerContext& server, TlsSession::Ptr session = nullptr,
                  std::string name = "a.example") {
    TlsPair pair = handshake(
        server, *client_context(options),
        {.server_name = std::move(name), .session = std::move(session), .sessions = sessions});
    require_success(pair);
    auto used = block_on(
        runtime, when_all(write_bytes(pair.client->get(), "q"), read_bytes(pair.server->get(), 1),
                          write_bytes(pair.server->get(), "r"), read_bytes(pair.client->get(), 1)));
    REQUIRE(used);
    return pair;
  }
  TlsSession::Ptr new_session(const TlsServerContext& server) {
    connect(server);
    REQUIRE_FALSE(sessions->all.empty());
    return sessions->all.back();
  }
  bool resumes(const TlsServerContext& server, TlsSession::Ptr session,
               const std::string& name = "a.example") {
    TlsPair pair = connect(server, std::move(session), name);
    CHECK(pair.client->get()->digest().ssl->is_resumed ==
          pair.server->get()->digest().ssl->is_resumed);
    return pair.server->get()->digest().ssl->is_resumed;
  }
};

}  // namespace

TEST_CASE_METHOD(ResumptionFixture, "TLS resumption: a session is resumed and counted", "[tls]") {
  options.version_max = GENERATE(TlsVersion::Tls12, TlsVersion::Tls13);
  auto server = server_context(settings_with_keys());
  TlsSession::Ptr session = new_session(*server);
  CHECK(session->is_single_use() == (options.version_max == TlsVersion::Tls13));
  CHECK_FALSE(session->is_expired());
  CHECK(resumes(*server, session));
  CHECK(server->counters().handshakes == 2);
  CHECK(server->counters().resumed == 1);
  CHECK(server->counters().tickets_opened == 1);
  // The certificate that the server showed at first is known all the same.
  TlsPair pair = connect(*server, sessions->all.back());
  CHECK(pair.client->get()->digest().ssl->certificate_sha256 ==
        certificate_of(TestPki::instance().server)->sha256());
}

TEST_CASE_METHOD(ResumptionFixture,
                 "TLS resumption: a connection of TLS 1.3 gets as many tickets as it shall, "
                 "each of them good",
                 "[tls]") {
  TlsSettings settings = settings_with_keys();
  CHECK(settings.tickets_per_connection == 1);
  unsigned tickets = GENERATE(1U, 3U);
  settings.tickets_per_connection = tickets;
  auto server = server_context(std::move(settings));
  connect(*server);
  auto given = std::exchange(sessions->all, {});
  REQUIRE(given.size() == tickets);
  for (const auto& session : given) CHECK(resumes(*server, session));
}

TEST_CASE_METHOD(ResumptionFixture,
                 "TLS resumption: another process takes a session that was "
                 "written down",
                 "[tls]") {
  auto server = server_context(settings_with_keys());
  std::string written = new_session(*server)->serialize();
  auto read = TlsSession::deserialize(written);
  REQUIRE(read);
  CHECK(resumes(*server, *read));
  CHECK_FALSE(TlsSession::deserialize(written.substr(0, written.size() / 2)));
  CHECK_FALSE(TlsSession::deserialize(""));
}

TEST_CASE_METHOD(ResumptionFixture, "TLS resumption: tickets are good as long as their key is kept",
                 "[tls]") {
  options.version_max = GENERATE(TlsVersion::Tls12, TlsVersion::Tls13);
  keys = std::make_shared<TicketKeys>(TicketKeys::Options{.kept = 2});
  auto server = server_context(settings_with_keys());
  TlsSession::Ptr session = new_session(*server);
  keys->rotate();
  CHECK(resumes(*server, session));
  keys->rotate();
  CHECK_FALSE(resumes(*server, session));
  CHECK(server->counters().tickets_refused == 1);
}

TEST_CASE_METHOD(ResumptionFixture, "TLS resumption: keys are rotated when it is time", "[tls]") {
  keys = std::make_shared<TicketKeys>(TicketKeys::Options{.rotate_after = 1h, .kept = 1});
  auto server = server_context(settings_with_keys());
  TlsSession::Ptr session = new_session(*server);
  TimePoint now = Clock::now();
  keys->rotate_if_due(now + 59min);
  CHECK(resumes(*server, session));
  keys->rotate_if_due(now + 61min);
  CHECK_FALSE(resumes(*server, session));
}

TEST_CASE_METHOD(ResumptionFixture,
                 "TLS resumption: machines with the same keys take each other's "
                 "tickets",
                 "[tls]") {
  auto first = server_context(settings_with_keys());
  REQUIRE(keys->set(std::vector<std::string>{key_of('a'), key_of('b')}));
  TlsSession::Ptr session = new_session(*first);
  keys = std::make_shared<TicketKeys>();
  auto second = server_context(settings_with_keys());
  CHECK_FALSE(resumes(*second, session));
  REQUIRE(keys->set(std::vector<std::string>{key_of('c'), key_of('a')}));
  CHECK(resumes(*second, session));
  // Keys that were set are not rotated by time.
  keys->rotate_if_due(Clock::now() + 1000h);
  CHECK(resumes(*second, session));
}

TEST_CASE("TLS ticket keys: only keys of the right size and with different names are taken",
          "[tls]") {
  TicketKeys keys;
  using Keys = std::vector<std::string>;
  CHECK_FALSE(keys.set(Keys{}));
  CHECK_FALSE(keys.set(Keys{std::string(47, 'x')}));
  CHECK_FALSE(keys.set(Keys{std::string(49, 'x')}));
  CHECK_FALSE(keys.set(Keys{key_of('a'), key_of('a')}));
  Keys many;
  for (char c = 'a'; c < 'a' + 8; ++c) many.push_back(key_of(c));
  CHECK(keys.set(many));
  many.push_back(key_of('z'));
  CHECK_FALSE(keys.set(many));
  CHECK_FALSE(keys.load("/nonexistent/keys"));
}

TEST_CASE_METHOD(ResumptionFixture, "TLS resumption: a session is good for its name alone",
                 "[tls]") {
  options.verify = VerifyServer::ChainOnly;
  auto server = server_context(settings_with_keys());
  TlsSession::Ptr session = new_session(*server);
  CHECK_FALSE(resumes(*server, session, "b.example"));
  CHECK(resumes(*server, session, "a.example"));
}

TEST_CASE_METHOD(ResumptionFixture,
                 "TLS resumption: a listener that demands client certificates "
                 "takes no sessions of one that does not",
                 "[tls]") {
  auto lenient = server_context(settings_with_keys());
  TlsSession::Ptr session = new_session(*lenient);
  TlsSettings settings = settings_with_keys();
  settings.client_certificates = ClientCertificates::Required;
  settings.client_ca_pem = TestPki::instance().issuer.certificate;
  auto strict = server_context(settings);
  TlsPair refused = handshake(*strict, *client_context(options),
                              {.server_name = "a.example", .session = session});
  CHECK_FALSE(refused.server);
  options.certificate = certificate_of(TestPki::instance().client);
  CHECK_FALSE(resumes(*strict, session));
  // Its own are taken, and say who the client was.
  TlsPair pair = connect(*strict, sessions->all.back());
  CHECK(pair.server->get()->digest().ssl->is_resumed);
  CHECK(pair.server->get()->digest().ssl->subject == "CN=client,O=Pingora tests");
}

TEST_CASE_METHOD(ResumptionFixture, "TLS resumption: without tickets nothing is resumed", "[tls]") {
  options.version_max = GENERATE(TlsVersion::Tls12, TlsVersion::Tls13);
  auto other = server_context(settings_with_keys());
  TlsSession::Ptr session = new_session(*other);
  TlsSettings settings = settings_with_keys();
  settings.session_tickets = SessionTickets::Off;
  auto server = server_context(settings);
  sessions->all.clear();
  CHECK_FALSE(resumes(*server, session));
  CHECK(sessions->all.empty());
}

TEST_CASE_METHOD(ResumptionFixture,
                 "TLS resumption: tickets stay good while keys are rotated under "
                 "load",
                 "[tls]") {
  auto server = server_context(settings_with_keys());
  auto client = client_context(options);
  TlsSession::Ptr session = new_session(*server);
  std::atomic<int> resumed{0};
  auto one = [](const TlsServerContext* server, const TlsClientContext* client,
                TlsSession::Ptr session, std::atomic<int>* resumed) -> Task<> {
    for (int i = 0; i < 20; ++i) {
      auto [near, far] = MemoryStream::make_pair();
      TlsPair pair = co_await shake_hands(std::move(near), std::move(far), server, client,
                                          {.server_name = "a.example", .session = session});
      if (pair.server && pair.server->get()->digest().ssl->is_resumed) ++*resumed;
    }
  };
  for (int i = 0; i < 4; ++i) {
    group.spawn(one(server.get(), client.get(), session, &resumed));
  }
  keys->rotate();
  keys->rotate();
  group.join_blocking();
  CHECK(resumed == 80);
}

// Early data.

TEST_CASE_METHOD(ResumptionFixture, "TLS early data: is off unless it is asked for", "[tls]") {
  TlsSettings settings = settings_with_keys();
  auto is_on = GENERATE(false, true);
  settings.early_data = is_on ? EarlyData::On : EarlyData::Off;
  auto server = server_context(settings);
  TlsSession::Ptr session = new_session(*server);
  CHECK(session->allows_early_data() == is_on);
}
