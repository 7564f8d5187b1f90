// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Certificates of servers and clients, and what programs have to say in a handshake.
#include <openssl/digest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <string>

#include "pingora/runtime/offload.h"
#include "pingora/runtime/timer.h"
#include "tls_fixture.h"

using namespace pingora;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

TlsSettings settings_with(const MadeCertificate& made) {
  auto store = std::make_shared<CertificateStore>();
  store->add(TlsFixture::certificate_of(made));
  return TlsSettings::intermediate(store);
}

TlsSettings settings_asking(ClientCertificates ask) {
  TlsSettings settings = TlsFixture::server_settings();
  settings.client_certificates = ask;
  settings.client_ca_pem = TestPki::instance().issuer.certificate;
  return settings;
}

/// Signs with a key of its own, after a while or at once.
class TestSigner final : public PrivateKeySigner {
 public:
  enum class Way { AtOnce, Later, Offloaded, Never, Fails, TooLarge };
  TestSigner(const MadeCertificate& made, Way way)
      : key_(made_certificate_detail::read_key(made.key)), way_(way) {}

  Task<Bytes> sign(SignatureScheme scheme, Bytes input) override {
    ++calls;
    switch (way_) {
      case Way::AtOnce: return sign_now(*key_, scheme, input);
      case Way::Later: return sign_later(scheme, std::move(input));
      case Way::Offloaded: return sign_elsewhere(scheme, std::move(input));
      case Way::Never: return wait_forever();
      case Way::Fails: return Error::explain(ErrorType::Custom, "the key is locked away");
      case Way::TooLarge: return Bytes::copy_of(std::string(5000, 's'));
    }
    return Bytes();
  }
  std::atomic<int> calls{0};

 private:
  static Bytes sign_now(EVP_PKEY& key, SignatureScheme scheme, const Bytes& input) {
    bssl::ScopedEVP_MD_CTX context;
    EVP_PKEY_CTX* parameters = nullptr;
    REQUIRE(EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, &key) == 1);
    if (scheme == SignatureScheme::RsaPssRsaeSha256) {
      REQUIRE(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
      REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, -1) == 1);
    }
    std::array<std::uint8_t, 512> out{};
    std::size_t size = out.size();
    REQUIRE(EVP_DigestSign(context.get(), out.data(), &size,
                           reinterpret_cast<const std::uint8_t*>(input.data()), input.size()) == 1);
    return Bytes::copy_of({reinterpret_cast<const char*>(out.data()), size});
  }
  Task<Bytes> sign_later(SignatureScheme scheme, Bytes input) {
    for (int i = 0; i < 3; ++i) co_await yield();
    co_return sign_now(*key_, scheme, input);
  }
  Task<Bytes> sign_elsewhere(SignatureScheme scheme, Bytes input) {
    EVP_PKEY* key = key_.get();
    co_return co_await offload([key, scheme, input] { return sign_now(*key, scheme, input); });
  }
  static Task<Bytes> wait_forever() {
    co_await sleep_for(1h);
    co_return Bytes();
  }

  bssl::UniquePtr<EVP_PKEY> key_;
  Way way_;
};

}  // namespace

TEST_CASE_METHOD(TlsFixture, "TLS verification: says what is wrong with a server's certificate",
                 "[tls]") {
  const TestPki& pki = TestPki::instance();
  static const MadeCertificate expired = make_certificate(
      {.names = {"a.example"}, .valid_from = -48h, .valid_until = -24h, .issuer = &pki.issuer});
  static const MadeCertificate future = make_certificate(
      {.names = {"a.example"}, .valid_from = 24h, .valid_until = 48h, .issuer = &pki.issuer});
  static const MadeCertificate others =
      make_certificate({.names = {"b.example", "c.example"}, .issuer = &pki.issuer});
  static const MadeCertificate own = make_certificate({.names = {"a.example"}});
  static const MadeCertificate stranger =
      make_certificate({.names = {}, .common_name = "stranger", .is_issuer = true});
  static const MadeCertificate strange =
      make_certificate({.names = {"a.example"}, .issuer = &stranger});
  static const MadeCertificate wildcard =
      make_certificate({.names = {"*.b.example"}, .issuer = &pki.issuer});
  struct Row {
    const MadeCertificate* shown;
    std::string name;
    std::vector<std::string> says;
    std::string alert;
  };
  auto row = GENERATE_REF(values<Row>({
      {&expired, "a.example", {"has expired"}, "certificate has expired"},
      {&future, "a.example", {"is not valid before"}, ""},
      {&others, "a.example", {"is for b.example, c.example, not for a.example"}, ""},
      {&own, "a.example", {"self-signed"}, ""},
      {&strange, "a.example", {"unknown issuer", "CN=stranger"}, "does not know the issuer"},
      {&pki.server, "127.0.0.1", {"not for 127.0.0.1"}, ""},
      {&pki.server, "", {"not for"}, ""},
      {&pki.server, "a.example", {}, ""},
      {&pki.server, "a.example.", {}, ""},
      {&pki.server, "A.Example", {}, ""},
      {&wildcard, "a.b.example", {}, ""},
      {&wildcard, "b.example", {"is for *.b.example, not for b.example"}, ""},
      {&wildcard, "a.a.b.example", {"is for *.b.example, not for a.a.b.example"}, ""},
  }));
  TlsPair pair = handshake(*server_context(settings_with(*row.shown)), *client_context(),
                           {.server_name = row.name});
  INFO(row.name);
  if (row.says.empty()) {
    require_success(pair);
    return;
  }
  REQUIRE_FALSE(pair.client);
  CHECK(type_of(pair.client) == ErrorType::InvalidCert);
  CHECK(pair.client.error().source() == ErrorSource::Upstream);
  CHECK_FALSE(pair.client.error().retry());
  for (const std::string& says : row.says) CHECK_THAT(text_of(pair.client), Contains(says));
  if (!row.alert.empty()) {
    // The server may be done before the client has looked at its certificate.
    if (!pair.server) CHECK_THAT(text_of(pair.server), Contains(row.alert));
  }
}

TEST_CASE_METHOD(TlsFixture, "TLS verification: less can be asked of a server", "[tls]") {
  static const MadeCertificate own = make_certificate({.names = {"b.example"}});
  static const MadeCertificate others =
      make_certificate({.names = {"b.example"}, .issuer = &TestPki::instance().issuer});
  struct Row {
    VerifyServer verify;
    const MadeCertificate* shown;
    std::vector<std::string> alternatives;
    bool is_good;
  };
  auto row = GENERATE_REF(values<Row>({
      {VerifyServer::Off, &own, {}, true},
      {VerifyServer::ChainOnly, &own, {}, false},
      {VerifyServer::ChainOnly, &others, {}, true},
      {VerifyServer::Full, &others, {}, false},
      {VerifyServer::Full, &others, {"x.example", "b.example"}, true},
      {VerifyServer::Full, &others, {"x.example"}, false},
  }));
  TlsClientOptions options = client_options();
  options.verify = row.verify;
  TlsPair pair = handshake(*server_context(settings_with(*row.shown)), *client_context(options),
                           {.server_name = "a.example", .alternative_names = row.alternatives});
  CHECK(pair.client.has_value() == row.is_good);
}

TEST_CASE_METHOD(TlsFixture, "TLS verification: a client's chain longer than is allowed is refused",
                 "[tls]") {
  const MadeCertificate& root = TestPki::instance().issuer;
  static const MadeCertificate middle =
      make_certificate({.names = {}, .common_name = "middle", .issuer = &root, .is_issuer = true});
  static const MadeCertificate leaf =
      make_certificate({.names = {}, .common_name = "leaf", .issuer = &middle});
  MadeCertificate shown{.certificate = leaf.certificate + middle.certificate, .key = leaf.key};
  TlsSettings settings = server_settings();
  settings.client_certificates = ClientCertificates::Required;
  settings.client_ca_pem = root.certificate;
  settings.client_chain_depth_max = GENERATE(0U, 1U, 2U);
  TlsClientOptions options = client_options();
  options.certificate = certificate_of(shown);
  TlsPair pair = handshake(*server_context(settings), *client_context(options));
  CHECK(pair.server.has_value() == (settings.client_chain_depth_max >= 1));
}

TEST_CASE_METHOD(TlsFixture, "TLS verification: a chain longer than is allowed is refused",
                 "[tls]") {
  static const MadeCertificate middle = make_certificate({.names = {},
                                                          .common_name = "middle",
                                                          .issuer = &TestPki::instance().issuer,
                                                          .is_issuer = true});
  static const MadeCertificate leaf = make_certificate({.names = {"a.example"}, .issuer = &middle});
  MadeCertificate shown{.certificate = leaf.certificate + middle.certificate, .key = leaf.key};
  TlsClientOptions options = client_options();
  options.chain_depth_max = GENERATE(0U, 1U);
  TlsPair pair = handshake(*server_context(settings_with(shown)), *client_context(options));
  CHECK(pair.client.has_value() == (options.chain_depth_max == 1));
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS verification: trusted certificates that cannot be read are refused",
                 "[tls]") {
  auto error_of = [](TlsClientOptions options) {
    auto context = TlsClientContext::create(std::move(options));
    return context ? std::string() : context.error().to_string();
  };
  TlsClientOptions options = client_options();
  options.ca_pem = "nothing";
  CHECK_THAT(error_of(options), Contains("no PEM certificate"));
  options.ca_pem = TestPki::instance().issuer.certificate +
                   "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  CHECK_THAT(error_of(options), Contains("certificate 2 cannot be read"));
  options = {};
  options.ca_file = "/nonexistent/ca.pem";
  CHECK_THAT(error_of(options), Contains("/nonexistent/ca.pem"));
  options = client_options();
  options.ciphers = "NO-SUCH-CIPHER";
  CHECK_THAT(error_of(options), Contains("NO-SUCH-CIPHER"));
  options = client_options();
  options.groups = "X25519:nonsense";
  CHECK_THAT(error_of(options), Contains("nonsense"));
  options = client_options();
  options.alpn = {""};
  CHECK_THAT(error_of(options), Contains("ALPN"));
}

TEST_CASE_METHOD(TlsFixture, "TLS verification: clients are asked for certificates as is set",
                 "[tls]") {
  static const MadeCertificate strange = make_certificate({.names = {}, .common_name = "strange"});
  struct Row {
    ClientCertificates ask;
    const MadeCertificate* shown;
    std::string subject;
    std::string error;
  };
  const MadeCertificate& good = TestPki::instance().client;
  auto row = GENERATE_REF(values<Row>({
      {ClientCertificates::Off, &good, "", ""},
      {ClientCertificates::Optional, nullptr, "", ""},
      {ClientCertificates::Optional, &good, "CN=client,O=Pingora tests", ""},
      {ClientCertificates::Optional, &strange, "", "self-signed"},
      {ClientCertificates::Required, nullptr, "", "shown no certificate"},
      {ClientCertificates::Required, &good, "CN=client,O=Pingora tests", ""},
      {ClientCertificates::Required, &strange, "", "self-signed"},
  }));
  TlsClientOptions options = client_options();
  options.version_max = GENERATE(TlsVersion::Tls12, TlsVersion::Tls13);
  if (row.shown != nullptr) options.certificate = certificate_of(*row.shown);
  TlsSettings settings =
      row.ask == ClientCertificates::Off ? server_settings() : settings_asking(row.ask);
  TlsPair pair = handshake(*server_context(settings), *client_context(options));
  if (row.error.empty()) {
    require_success(pair);
    CHECK(pair.server->get()->digest().ssl->subject == row.subject);
    return;
  }
  REQUIRE_FALSE(pair.server);
  CHECK_THAT(text_of(pair.server), Contains(row.error));
  CHECK(pair.server.error().source() == ErrorSource::Downstream);
}

TEST_CASE_METHOD(TlsFixture, "TLS verification: a program's verifier has the last word on servers",
                 "[tls]") {
  struct Verifier final : ServerVerifier {
    Task<> verify(std::span<const Bytes> chain, std::string_view server_name,
                  const Error* failure) override {
      CHECK_FALSE(chain.empty());
      CHECK(server_name == "a.example");
      has_failure = failure != nullptr;
      if (way == 0) co_await Error::explain(ErrorType::Custom, "not today");
      if (way == 1) co_await yield();
      if (way == 2) co_await sleep_for(1h);
      if (way == 3 && failure != nullptr) co_await failure->clone();
    }
    int way = 0;
    bool has_failure = false;
  };
  static const MadeCertificate own = make_certificate({.names = {"a.example"}});
  auto verifier = std::make_shared<Verifier>();
  TlsClientOptions options = client_options();
  options.verifier = verifier;
  auto server = server_context(settings_with(own));
  auto client = client_context(options);
  verifier->way = GENERATE(range(0, 4));
  auto [near, far] = MemoryStream::make_pair();
  auto pair =
      block_on(runtime, shake_hands(std::move(near), std::move(far), server.get(), client.get(),
                                    {.server_name = "a.example"}, Clock::now() + 200ms));
  REQUIRE(pair);
  CHECK(verifier->has_failure);
  switch (verifier->way) {
    case 0:
      CHECK_THAT(text_of(pair->client), Contains("InvalidCert") && Contains("not today"));
      break;
    case 1: require_success(*pair); break;
    case 2: CHECK(type_of(pair->client) == ErrorType::TlsHandshakeTimedout); break;
    default: CHECK_THAT(text_of(pair->client), Contains("self-signed"));
  }
}

// What programs have to say.

namespace {

struct TestCallbacks final : TlsAccept {
  enum class Way { AtOnce, Later, Null, Fails, Never };
  Task<Certificate::Ptr> certificate(const ClientHello& hello) override {
    hello_name = hello.server_name;
    hello_alpn.assign(hello.alpn.begin(), hello.alpn.end());
    accepts_ecdsa = hello.accepted_keys.ecdsa;
    switch (way) {
      case Way::AtOnce: return chosen;
      case Way::Later: return choose_later();
      case Way::Null: return Certificate::Ptr();
      case Way::Fails: return Error::explain(ErrorType::Custom, "the vault is closed");
      case Way::Never: return choose_never();
    }
    return Certificate::Ptr();
  }
  Task<> verify_client(const ClientCertificate& client, const Error* failure) override {
    client_subject = client.subject;
    CHECK_FALSE(client.chain.empty());
    CHECK(client.sha256.size() == 32);
    co_await yield();
    if (failure != nullptr) failure_text = failure->to_string();
    if (refuses_clients) co_await Error::explain(ErrorType::Custom, "not on the list");
  }
  Task<> handshake_complete(SslDigest& digest) override {
    co_await yield();
    if (refuses_completed) co_await Error::explain(ErrorType::Custom, "changed my mind");
    digest.extension = std::string("for " + digest.server_name);
  }
  Task<Certificate::Ptr> choose_later() {
    for (int i = 0; i < 3; ++i) co_await yield();
    co_return chosen;
  }
  static Task<Certificate::Ptr> choose_never() {
    co_await sleep_for(1h);
    co_return Certificate::Ptr();
  }

  Way way = Way::Null;
  Certificate::Ptr chosen;
  bool refuses_clients = false;
  bool refuses_completed = false;
  std::string hello_name;
  std::vector<std::string> hello_alpn;
  bool accepts_ecdsa = false;
  std::string client_subject;
  std::string failure_text;
};

}  // namespace

TEST_CASE_METHOD(TlsFixture, "TLS callbacks: choose the certificate, at once or after a while",
                 "[tls]") {
  using Way = TestCallbacks::Way;
  auto callbacks = std::make_shared<TestCallbacks>();
  callbacks->way = GENERATE(Way::AtOnce, Way::Later, Way::Null, Way::Fails, Way::Never);
  static const MadeCertificate other =
      make_certificate({.names = {"a.example"}, .issuer = &TestPki::instance().issuer});
  callbacks->chosen = certificate_of(other);
  TlsSettings settings = server_settings();
  settings.callbacks = callbacks;
  settings.enable_h2();
  TlsClientOptions options = client_options();
  options.alpn = {"h2", "http/1.1"};
  options.version_max = GENERATE(TlsVersion::Tls12, TlsVersion::Tls13);
  auto server = server_context(settings);
  auto client = client_context(options);
  auto [near, far] = MemoryStream::make_pair();
  auto pair =
      block_on(runtime, shake_hands(std::move(near), std::move(far), server.get(), client.get(),
                                    {.server_name = "a.example"}, Clock::now() + 200ms));
  REQUIRE(pair);
  CHECK(callbacks->hello_name == "a.example");
  CHECK(callbacks->hello_alpn == options.alpn);
  CHECK(callbacks->accepts_ecdsa);
  switch (callbacks->way) {
    case Way::AtOnce:
    case Way::Later:
      require_success(*pair);
      CHECK(pair->client->get()->digest().ssl->certificate_sha256 == callbacks->chosen->sha256());
      break;
    case Way::Null:
      require_success(*pair);
      CHECK(pair->client->get()->digest().ssl->certificate_sha256 ==
            certificate_of(TestPki::instance().server)->sha256());
      break;
    case Way::Fails: CHECK_THAT(text_of(pair->server), Contains("the vault is closed")); break;
    case Way::Never: CHECK(type_of(pair->server) == ErrorType::TlsHandshakeTimedout); break;
  }
  if (pair->server) {
    const std::any& kept = pair->server->get()->digest().ssl->extension;
    CHECK(std::any_cast<std::string>(kept) == "for a.example");
  }
}

TEST_CASE_METHOD(TlsFixture, "TLS callbacks: have the last word on clients", "[tls]") {
  static const MadeCertificate strange = make_certificate({.names = {}, .common_name = "strange"});
  auto callbacks = std::make_shared<TestCallbacks>();
  callbacks->refuses_clients = GENERATE(false, true);
  bool is_strange = GENERATE(false, true);
  TlsSettings settings = settings_asking(ClientCertificates::Required);
  settings.callbacks = callbacks;
  TlsClientOptions options = client_options();
  options.certificate = certificate_of(is_strange ? strange : TestPki::instance().client);
  TlsPair pair = handshake(*server_context(settings), *client_context(options));
  CHECK(callbacks->client_subject ==
        (is_strange ? "CN=strange,O=Pingora tests" : "CN=client,O=Pingora tests"));
  CHECK(callbacks->failure_text.empty() == !is_strange);
  if (callbacks->refuses_clients) {
    CHECK(type_of(pair.server) == ErrorType::InvalidCert);
    CHECK_THAT(text_of(pair.server), Contains("not on the list"));
  } else {
    require_success(pair);
  }
}

TEST_CASE_METHOD(TlsFixture, "TLS callbacks: a refusal when it is complete closes the connection",
                 "[tls]") {
  auto callbacks = std::make_shared<TestCallbacks>();
  callbacks->refuses_completed = true;
  TlsSettings settings = server_settings();
  settings.callbacks = callbacks;
  TlsPair pair = handshake(*server_context(settings), *client_context());
  CHECK_THAT(text_of(pair.server), Contains("changed my mind"));
}

TEST_CASE_METHOD(TlsFixture, "TLS private keys: may be elsewhere, and take their time", "[tls]") {
  using Way = TestSigner::Way;
  static const MadeCertificate rsa = make_certificate(
      {.names = {"a.example"}, .key_type = KeyType::Rsa, .issuer = &TestPki::instance().issuer});
  auto way =
      GENERATE(Way::AtOnce, Way::Later, Way::Offloaded, Way::Never, Way::Fails, Way::TooLarge);
  const MadeCertificate& made = *GENERATE(&TestPki::instance().server, &rsa);
  auto signer = std::make_shared<TestSigner>(made, way);
  auto store = std::make_shared<CertificateStore>();
  store->add(Certificate::with_signer(made.certificate, signer).value());
  TlsClientOptions options = client_options();
  options.version_max = GENERATE(TlsVersion::Tls12, TlsVersion::Tls13);
  auto server = server_context(TlsSettings::intermediate(store));
  auto client = client_context(options);
  auto [near, far] = MemoryStream::make_pair();
  auto pair =
      block_on(runtime, shake_hands(std::move(near), std::move(far), server.get(), client.get(),
                                    {.server_name = "a.example"}, Clock::now() + 500ms));
  REQUIRE(pair);
  CHECK(signer->calls == 1);
  switch (way) {
    case Way::AtOnce:
    case Way::Later:
    case Way::Offloaded: require_success(*pair); break;
    case Way::Never: CHECK(type_of(pair->server) == ErrorType::TlsHandshakeTimedout); break;
    case Way::Fails: CHECK_THAT(text_of(pair->server), Contains("the key is locked away")); break;
    case Way::TooLarge: CHECK_THAT(text_of(pair->server), Contains("larger than its key")); break;
  }
}

TEST_CASE_METHOD(TlsFixture, "TLS private keys: a client's may be elsewhere too", "[tls]") {
  const MadeCertificate& made = TestPki::instance().client;
  auto signer = std::make_shared<TestSigner>(made, TestSigner::Way::Later);
  TlsClientOptions options = client_options();
  options.certificate = Certificate::with_signer(made.certificate, signer).value();
  TlsPair pair = handshake(*server_context(settings_asking(ClientCertificates::Required)),
                           *client_context(options));
  require_success(pair);
  CHECK(signer->calls == 1);
}

TEST_CASE_METHOD(TlsFixture, "TLS handshake: waiting for a callback, it can be cancelled",
                 "[tls]") {
  auto callbacks = std::make_shared<TestCallbacks>();
  callbacks->way = TestCallbacks::Way::Never;
  TlsSettings settings = server_settings();
  settings.callbacks = callbacks;
  auto server = server_context(settings);
  auto client = client_context();
  auto deadline = GENERATE(false, true) ? kNever : Clock::now() + 1h;
  auto scenario = [](const TlsServerContext* server, const TlsClientContext* client,
                     TimePoint deadline) -> Task<> {
    auto [near, far] = MemoryStream::make_pair();
    auto pause = []() -> Task<> { co_await sleep_for(10ms); };
    co_await when_any(shake_hands(std::move(near), std::move(far), server, client,
                                  {.server_name = "a.example"}, deadline),
                      pause());
  };
  CHECK(block_on(runtime, scenario(server.get(), client.get(), deadline)));
  CHECK(callbacks->hello_name == "a.example");
}
