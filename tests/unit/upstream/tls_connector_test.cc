// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "upstream/tls_connector.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "connector_fixture.h"
#include "pingora/runtime/combinators.h"
#include "pingora/tls/handshake.h"
#include "test_certificates.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::shared_ptr<const std::string> pem(const char* text) {
  return std::make_shared<const std::string>(text);
}

Certificate::Ptr certificate(const char* chain, const char* key) {
  auto read = Certificate::from_pem(chain, key);
  REQUIRE(read);
  return *read;
}

TlsSettings server_settings() {
  auto certificates = std::make_shared<CertificateStore>();
  certificates->add(certificate(kOriginCertificate, kOriginKey));
  return TlsSettings::intermediate(std::move(certificates));
}

struct TlsFixture : ConnectorFixture {
  TlsServerContext::Ptr context(TlsSettings settings = server_settings()) {
    auto made = TlsServerContext::create(std::move(settings));
    REQUIRE(made);
    return *made;
  }
  static ScriptedOrigin::Wrap accept_with(TlsServerContext::Ptr context) {
    return [context](std::unique_ptr<Stream> stream) -> Task<std::unique_ptr<Stream>> {
      co_return co_await tls_accept(std::move(stream), Buffer(), *context);
    };
  }
  // A peer at `address` that trusts the issuer of the test's certificates.
  static HttpPeer peer_at(const SocketAddress& address, std::string sni = "origin.test") {
    HttpPeer peer(address, Tls::Yes, std::move(sni));
    peer.options.edit_rare().ca = pem(kTestCa);
    return peer;
  }
  // A peer whose connections are used once.
  static HttpPeer one_time_peer_at(const SocketAddress& address, std::string sni = "origin.test") {
    HttpPeer peer = peer_at(address, std::move(sni));
    peer.options.idle_timeout = 0ms;
    return peer;
  }
  // One exchange: "full TLSv1.3 BODY", "resumed ..." or "reused ...".
  Task<std::string> exchange_over_tls(const HttpPeer& peer) {
    UpstreamSession upstream = co_await connector.get_http_session(peer);
    const SslDigest ssl = *upstream.session->digest().ssl;
    std::string body = co_await exchange(*upstream.session);
    connector.release(std::move(upstream.session), peer);
    std::string how = upstream.reused ? "reused" : ssl.is_resumed ? "resumed" : "full";
    co_return how + " " + ssl.version + " " + body;
  }
  std::string get(const HttpPeer& peer) { return run(exchange_over_tls(peer)); }
  Error failure(const HttpPeer& peer) {
    auto result = block_on(runtime, exchange_over_tls(peer));
    REQUIRE_FALSE(result);
    return std::move(result.error());
  }
  internal::TlsConnector& tls() { return connector.transport().tls(); }
};

bool says(const Error& error, const std::string& words) {
  return error.to_string().find(words) != std::string::npos;
}

}  // namespace

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: a request, and its connection reused", "[tls]") {
  ScriptedOrigin origin(runtime, answer_with(kOk), {}, accept_with(context()));
  HttpPeer peer = peer_at(origin.address());
  CHECK(get(peer) == "full TLSv1.3 ok");
  CHECK(get(peer) == "reused TLSv1.3 ok");
  CHECK(origin.connections() == 1);
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: the digest says what was agreed on", "[tls]") {
  ScriptedOrigin origin(runtime, answer_with(kOk), {}, accept_with(context()));
  HttpPeer peer = peer_at(origin.address());
  auto digest = [](HttpConnector* connector, HttpPeer peer) -> Task<SslDigest> {
    auto connected = co_await connector->connect_stream(peer);
    co_return *connected.stream->digest().ssl;
  };
  SslDigest ssl = run(digest(&connector, peer));
  CHECK(ssl.version == "TLSv1.3");
  CHECK(ssl.alpn == "http/1.1");
  CHECK(ssl.server_name == "origin.test");
  CHECK_FALSE(ssl.is_resumed);
  CHECK(ssl.subject.find("origin.test") != std::string::npos);
  CHECK(ssl.organization == "Pingora tests");
  CHECK(ssl.certificate_sha256 == certificate(kOriginCertificate, kOriginKey)->sha256());
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: a new connection resumes the session of an old one",
                 "[tls]") {
  TlsSettings settings = server_settings();
  const bool is_tls12 = GENERATE(false, true);
  if (is_tls12) settings.version_max = TlsVersion::Tls12;
  const std::string version = is_tls12 ? " TLSv1.2 ok" : " TLSv1.3 ok";
  auto server = context(std::move(settings));
  ScriptedOrigin origin(runtime, answer_with(kOk), {}, accept_with(server));
  HttpPeer peer = one_time_peer_at(origin.address());
  CHECK(get(peer) == "full" + version);
  for (int i = 0; i < 20; ++i) CHECK(get(peer) == "resumed" + version);
  CHECK(server->counters().resumed == 20);

  SECTION("a peer that differs in its identity resumes none of them") {
    HttpPeer other = peer;
    other.group_key = 1;
    CHECK(get(other) == "full" + version);
    other = peer;
    other.options.verify_hostname = Toggle::Off;
    CHECK(get(other) == "full" + version);
    other = one_time_peer_at(origin.address(), "alternative.test");
    CHECK(get(other) == "full" + version);
  }
  SECTION("what differs in timeouts only is the same peer") {
    peer.options.read_timeout = 7s;
    CHECK(get(peer) == "resumed" + version);
  }
  SECTION("a server that has forgotten its keys") {
    tls().sessions().forget(PeerKey(peer));
    CHECK(get(peer) == "full" + version);
  }
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: a ticket of TLS 1.3 is used once", "[tls]") {
  ScriptedOrigin origin(runtime, answer_with(kOk), {}, accept_with(context()));
  HttpPeer peer = one_time_peer_at(origin.address());
  CHECK(get(peer) == "full TLSv1.3 ok");
  int sessions = 0;
  while (tls().sessions().take(PeerKey(peer)) != nullptr) ++sessions;
  CHECK(sessions >= 1);
  CHECK(sessions <= static_cast<int>(internal::TlsSessionCache::kSessionsMax));
  CHECK(tls().sessions().size() == 0);
  CHECK(get(peer) == "full TLSv1.3 ok");
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: sessions are kept for so many peers", "[tls]") {
  ScriptedOrigin origin(runtime, answer_with(kOk), {}, accept_with(context()));
  internal::TlsSessionCache cache(2);
  auto session_of = [&](std::uint64_t group) {
    HttpPeer peer = one_time_peer_at(origin.address());
    peer.group_key = group;
    get(peer);
    return std::make_pair(std::make_shared<const HttpPeer>(peer),
                          tls().sessions().take(PeerKey(peer)));
  };
  auto [a, session_a] = session_of(1);
  auto [b, session_b] = session_of(2);
  auto [c, session_c] = session_of(3);
  cache.store(a, session_a);
  cache.store(b, session_b);
  CHECK(cache.size() == 2);
  CHECK(cache.take(PeerKey(*a)) == session_a);
  cache.store(a, session_a);  // b is the one that was not used for the longest
  cache.store(c, session_c);
  CHECK(cache.size() == 2);
  CHECK(cache.stats().evicted == 1);
  CHECK(cache.take(PeerKey(*b)) == nullptr);
  CHECK(cache.take(PeerKey(*a)) == session_a);
  CHECK(cache.take(PeerKey(*c)) == session_c);
  CHECK(cache.take(PeerKey(*c)) == nullptr);
  CHECK(cache.size() == 0);

  for (std::size_t i = 0; i <= internal::TlsSessionCache::kSessionsMax; ++i) {
    cache.store(a, i == 0 ? session_b : session_a);
  }
  // The oldest made room.
  for (std::size_t i = 0; i < internal::TlsSessionCache::kSessionsMax; ++i) {
    CHECK(cache.take(PeerKey(*a)) == session_a);
  }
  CHECK(cache.take(PeerKey(*a)) == nullptr);

  internal::TlsSessionCache none(0);
  none.store(a, session_a);
  CHECK(none.take(PeerKey(*a)) == nullptr);
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: which name the certificate must be for", "[tls]") {
  ScriptedOrigin origin(runtime, answer_with(kOk), {}, accept_with(context()));
  HttpPeer peer = peer_at(origin.address(), "other.test");
  SECTION("another one: refused, with both names") {
    Error error = failure(peer);
    CHECK(error.type() == ErrorType::InvalidCert);
    CHECK(error.source() == ErrorSource::Upstream);
    CHECK_FALSE(error.retry());
    CHECK(says(error, "other.test"));
    CHECK(says(error, "origin.test"));
    CHECK(says(error, origin.address().to_string()));
  }
  SECTION("an alternative name") {
    peer.options.edit_rare().alternative_names = {"third.test", "alternative.test"};
    CHECK(get(peer) == "full TLSv1.3 ok");
  }
  SECTION("no alternative name either") {
    peer.options.edit_rare().alternative_names = {"third.test"};
    CHECK(failure(peer).type() == ErrorType::InvalidCert);
  }
  SECTION("any, if the name is not verified") {
    peer.options.verify_hostname = Toggle::Off;
    CHECK(get(peer) == "full TLSv1.3 ok");
  }
  SECTION("the address, if there is no name") {
    peer.sni.clear();
    CHECK(get(peer) == "full TLSv1.3 ok");
  }
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: who is trusted", "[tls]") {
  ScriptedOrigin origin(runtime, answer_with(kOk), {}, accept_with(context()));
  HttpPeer peer(origin.address(), Tls::Yes, "origin.test");
  SECTION("the system does not know the issuer") {
    Error error = failure(peer);
    CHECK(error.type() == ErrorType::InvalidCert);
    CHECK(says(error, "issuer"));
  }
  SECTION("another issuer") {
    peer.options.edit_rare().ca = pem(kClientCertificate);
    CHECK(failure(peer).type() == ErrorType::InvalidCert);
  }
  SECTION("anybody, if certificates are not verified") {
    peer.options.verify_cert = Toggle::Off;
    peer.sni = "whatever.test";
    CHECK(get(peer) == "full TLSv1.3 ok");
  }
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: what connectors say where peers do not", "[tls]") {
  const std::string base = "/tmp/pingora-upstream-tls-" + std::to_string(::getpid());
  const std::string ca_file = base + ".pem";
  const std::string key_file = base + ".keys";
  std::ofstream(ca_file) << kTestCa;
  auto key_log = KeyLog::open(key_file);
  REQUIRE(key_log);
  TransportConnectorOptions options;
  options.ca_file = ca_file;
  options.key_log = *key_log;
  TransportConnector connector(std::move(options));
  ScriptedOrigin origin(runtime, answer_with(kOk), {}, accept_with(context()));
  HttpPeer peer(origin.address(), Tls::Yes, "origin.test");
  CHECK(block_on(runtime, connector.connect(peer)));
  peer.options.edit_rare().ca = pem(kClientCertificate);
  CHECK_FALSE(block_on(runtime, connector.connect(peer)));
  std::ifstream keys(key_file);
  std::string line;
  CHECK(std::getline(keys, line));
  CHECK(line.find("TRAFFIC_SECRET") != std::string::npos);
  ::unlink(ca_file.c_str());
  ::unlink(key_file.c_str());
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: a client certificate is asked for", "[tls]") {
  TlsSettings settings = server_settings();
  settings.client_certificates = ClientCertificates::Required;
  settings.client_ca_pem = kTestCa;
  ScriptedOrigin origin(runtime, answer_with(kOk), {}, accept_with(context(std::move(settings))));
  HttpPeer peer = peer_at(origin.address());
  SECTION("and there") {
    peer.options.edit_rare().client_cert_key = certificate(kClientCertificate, kClientKey);
    CHECK(get(peer) == "full TLSv1.3 ok");
  }
  SECTION("and not there") {
    // With TLS 1.3 the server's refusal comes behind the handshake.
    Error error = failure(peer);
    CHECK(error.source() == ErrorSource::Upstream);
    CHECK(says(error, "certificate"));
  }
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: versions", "[tls]") {
  TlsSettings settings = server_settings();
  settings.version_max = TlsVersion::Tls12;
  ScriptedOrigin origin(runtime, answer_with(kOk), {}, accept_with(context(std::move(settings))));
  HttpPeer peer = peer_at(origin.address());
  SECTION("1.2 is enough unless said otherwise") { CHECK(get(peer) == "full TLSv1.2 ok"); }
  SECTION("1.3 is asked for") {
    peer.options.edit_rare().tls_version_min = TlsVersion::Tls13;
    Error error = failure(peer);
    CHECK(error.type() == ErrorType::TlsHandshakeFailure);
    CHECK(error.source() == ErrorSource::Upstream);
    CHECK(error.retry());
  }
  SECTION("1.2 at most is asked for") {
    peer.options.edit_rare().tls_version_max = TlsVersion::Tls12;
    CHECK(get(peer) == "full TLSv1.2 ok");
  }
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: an origin that says nothing, within either timeout",
                 "[tls]") {
  ScriptedOrigin origin(runtime, [](Stream& stream, int) -> Task<> {
    Buffer input;
    while (co_await stream.read(input) != 0) input.reset();
  });
  HttpPeer peer = peer_at(origin.address());
  const bool total = GENERATE(false, true);
  (total ? peer.options.total_connection_timeout : peer.options.connection_timeout) = 30ms;
  Error error = failure(peer);
  CHECK(error.type() == ErrorType::TlsHandshakeTimedout);
  CHECK(error.source() == ErrorSource::Upstream);
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: an origin that does not speak it", "[tls]") {
  ScriptedOrigin origin(runtime, [](Stream& stream, int) -> Task<> {
    co_await stream.write({"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"});
    Buffer input;
    co_await stream.read(input);
  });
  Error error = failure(peer_at(origin.address()));
  CHECK(error.type() == ErrorType::TlsHandshakeFailure);
  CHECK(says(error, origin.address().to_string()));
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: through an upstream proxy", "[tls]") {
  auto server = context();
  // The tunnel's other end is the origin: TLS begins behind the answer.
  auto open_tunnel = [server](std::unique_ptr<Stream> stream) -> Task<std::unique_ptr<Stream>> {
    Buffer input;
    co_await read_request_head(*stream, input);
    co_await stream->write({"HTTP/1.1 200 OK\r\n\r\n"});
    co_return co_await tls_accept(std::move(stream), std::move(input), *server);
  };
  ScriptedOrigin proxy(runtime, answer_with(kOk), {}, open_tunnel);
  HttpPeer peer("192.0.2.1:443", Tls::Yes, "origin.test");
  peer.options.edit_rare().ca = pem(kTestCa);
  peer.options.edit_rare().proxy = UpstreamProxy{proxy.address(), {}};
  CHECK(get(peer) == "full TLSv1.3 ok");
  CHECK(get(peer) == "reused TLSv1.3 ok");
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: bytes behind the answer of an upstream proxy",
                 "[tls]") {
  ScriptedOrigin proxy(runtime, [](Stream& stream, int) -> Task<> {
    Buffer input;
    co_await read_request_head(stream, input);
    co_await stream.write({"HTTP/1.1 200 OK\r\n\r\nHello"});
    co_await stream.read(input);
  });
  HttpPeer peer("192.0.2.1:443", Tls::Yes, "origin.test");
  peer.options.edit_rare().proxy = UpstreamProxy{proxy.address(), {}};
  CHECK(failure(peer).type() == ErrorType::TlsHandshakeFailure);
}

TEST_CASE_METHOD(TlsFixture, "TLS to upstreams: options that make no sense", "[tls]") {
  ScriptedOrigin origin(runtime, answer_with(kOk), {}, accept_with(context()));
  HttpPeer peer = peer_at(origin.address());
  SECTION("no certificates") { peer.options.edit_rare().ca = pem("nonsense"); }
  SECTION("no file") {
    peer.options.edit_rare().ca = nullptr;
    peer.options.edit_rare().ca_file = "/nowhere/ca.pem";
  }
  SECTION("no curves") { peer.options.edit_rare().curves = "square"; }
  SECTION("no versions") {
    peer.options.edit_rare().tls_version_min = TlsVersion::Tls13;
    peer.options.edit_rare().tls_version_max = TlsVersion::Tls12;
  }
  Error error = failure(peer);
  CHECK(error.type() == ErrorType::InternalError);
  CHECK(error.source() == ErrorSource::Internal);
  CHECK(error.root_cause().type() != ErrorType::InternalError);
  CHECK(tls().contexts().made() == 0);
}

TEST_CASE_METHOD(TlsFixture, "TLS contexts: one for all peers with the same options", "[tls]") {
  internal::TlsContextCache cache(2);
  auto get_context = [](internal::TlsContextCache* cache,
                        PeerOptions options) -> Task<TlsClientContext::Ptr> {
    co_return co_await cache->get(options);
  };
  auto with_ca = [](const char* ca) {
    PeerOptions options;
    options.edit_rare().ca = pem(ca);
    return options;
  };
  PeerOptions a = with_ca(kTestCa);
  auto first = run(get_context(&cache, a));
  // The content counts, and nothing that is not TLS's.
  PeerOptions same = with_ca(kTestCa);
  same.read_timeout = 3s;
  same.dscp = 8;
  same.edit_rare().alternative_names = {"b.example"};
  CHECK(run(get_context(&cache, same)) == first);
  CHECK(cache.made() == 1);

  SECTION("others get others") {
    std::vector<PeerOptions> others(6, a);
    others[0].verify_cert = Toggle::Off;
    others[1].verify_hostname = Toggle::Off;
    others[2].alpn = Alpn::H2H1;
    others[3].edit_rare().ca = pem(kClientCertificate);
    others[4].edit_rare().curves = "P-256";
    others[5].edit_rare().client_cert_key = certificate(kClientCertificate, kClientKey);
    for (const PeerOptions& other : others) {
      CHECK(run(get_context(&cache, other)) != first);
      CHECK(run(get_context(&cache, a)) == first);  // used all the time
      CHECK(cache.size() == 2);
    }
    CHECK(cache.made() == 7);
    CHECK(cache.evicted() == 5);
  }
  SECTION("many ask at once for one that is not there") {
    PeerOptions b = with_ca(kClientCertificate);
    auto [x, y, z] =
        run(when_all(get_context(&cache, b), get_context(&cache, b), get_context(&cache, b)));
    CHECK(x == y);
    CHECK(y == z);
    CHECK(cache.made() == 2);
  }
  SECTION("a failure is not kept") {
    PeerOptions bad = with_ca("nonsense");
    CHECK_FALSE(block_on(runtime, get_context(&cache, bad)));
    CHECK_FALSE(block_on(runtime, get_context(&cache, bad)));
    CHECK(cache.made() == 1);
  }
}
