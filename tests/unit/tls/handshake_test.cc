// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/handshake.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "counting_stream.h"
#include "made_ocsp_response.h"
#include "pingora/runtime/timer.h"
#include "raw_client.h"
#include "temporary_directory.h"
#include "tls_fixture.h"

using namespace pingora;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

bool is_handshake_error(const Result<std::unique_ptr<TlsStream>>& result) {
  switch (type_of(result)) {
    case ErrorType::TlsHandshakeFailure:
    case ErrorType::ConnectionClosed: return true;
    default: return false;
  }
}

Task<std::unique_ptr<TlsStream>> accept_bytes(std::string bytes, const TlsServerContext* context,
                                              std::string* answer) {
  auto [near, far] = MemoryStream::make_pair();
  co_await near->write({bytes});
  near->shutdown_write();
  auto result = co_await tls_accept(std::move(far), {}, *context).as_result();
  Buffer buffer;
  while (co_await near->read(buffer) != 0) {
  }
  *answer = std::string(buffer.view());
  co_return result;
}

}  // namespace

TEST_CASE_METHOD(TlsFixture, "TLS handshake: says what was agreed on", "[tls]") {
  auto version = GENERATE(TlsVersion::Tls12, TlsVersion::Tls13);
  TlsSettings settings = server_settings();
  settings.enable_h2();
  TlsClientOptions options = client_options();
  options.version_max = version;
  options.alpn = {"http/1.1", "h2"};
  TlsPair pair = handshake(*server_context(settings), *client_context(options));
  require_success(pair);
  for (const SslDigest* digest :
       {pair.client->get()->digest().ssl.get(), pair.server->get()->digest().ssl.get()}) {
    CHECK(digest->version == (version == TlsVersion::Tls12 ? "TLSv1.2" : "TLSv1.3"));
    CHECK_THAT(digest->cipher, Contains("AES") || Contains("CHACHA"));
    CHECK(digest->alpn == "h2");
    CHECK(digest->server_name == "a.example");
    CHECK_FALSE(digest->is_resumed);
    CHECK_FALSE(digest->has_early_data);
  }
  const SslDigest& client = *pair.client->get()->digest().ssl;
  CHECK(client.subject == "CN=test,O=Pingora tests");
  CHECK(client.organization == "Pingora tests");
  CHECK_FALSE(client.serial_number.empty());
  CHECK(client.certificate_sha256 == certificate_of(TestPki::instance().server)->sha256());
  CHECK(pair.server->get()->digest().ssl->subject.empty());
}

TEST_CASE_METHOD(TlsFixture, "TLS handshake: is complete at any size of attempts", "[tls]") {
  auto size = GENERATE(1U, 2U, 3U, 7U);
  auto version = GENERATE(TlsVersion::Tls12, TlsVersion::Tls13);
  MemoryStreamOptions io{.read_size_max = size, .write_size_max = size, .always_waits = true};
  TlsClientOptions options = client_options();
  options.version_max = version;
  TlsPair pair =
      handshake(*server_context(), *client_context(options), {.server_name = "a.example"}, io, io);
  require_success(pair);
}

TEST_CASE_METHOD(TlsFixture, "TLS handshake: cut at every byte, both ends give an error", "[tls]") {
  auto version = GENERATE(TlsVersion::Tls12, TlsVersion::Tls13);
  auto kind = GENERATE(StreamFault::Kind::EndOfStream, StreamFault::Kind::Error);
  auto server = server_context();
  TlsClientOptions client_settings = client_options();
  client_settings.version_max = version;
  auto client = client_context(client_settings);
  // The end that is cut off must fail; the other one has an error too, or was done before.
  auto cut = [&](bool is_server, std::size_t at) {
    MemoryStreamOptions io{.read_fault = {.kind = kind, .after_bytes = at}};
    TlsPair pair =
        handshake(*server, *client, {.server_name = "a.example"},
                  is_server ? MemoryStreamOptions() : io, is_server ? io : MemoryStreamOptions());
    auto& mine = is_server ? pair.server : pair.client;
    auto& other = is_server ? pair.client : pair.server;
    if (!mine && !is_handshake_error(mine)) FAIL(text_of(mine));
    if (!other && !is_handshake_error(other)) FAIL(text_of(other));
    return mine.has_value();
  };
  for (bool is_server : {false, true}) {
    std::size_t at = 0;
    while (!cut(is_server, at)) ++at;
    // Less than that is no handshake.
    CHECK(at > 200);
  }
}

TEST_CASE_METHOD(TlsFixture, "TLS handshake: a write that fails is an error at both ends",
                 "[tls]") {
  auto at = GENERATE(0U, 1U, 2U);
  auto is_server = GENERATE(false, true);
  MemoryStreamOptions io{.write_fault = {.kind = StreamFault::Kind::Error,
                                         .at_operation = at,
                                         .error = ErrorType::WriteError}};
  TlsPair pair =
      handshake(*server_context(), *client_context(), {.server_name = "a.example"},
                is_server ? MemoryStreamOptions() : io, is_server ? io : MemoryStreamOptions());
  auto& mine = is_server ? pair.server : pair.client;
  if (mine) return;  // it writes less often
  CHECK(type_of(mine) == ErrorType::TlsHandshakeFailure);
  CHECK_THAT(text_of(mine), Contains("injected"));
}

TEST_CASE_METHOD(TlsFixture, "TLS handshake: one that is not complete in time is given up",
                 "[tls]") {
  auto after = GENERATE(0U, 100U);
  auto server = server_context();
  auto client = client_context();
  auto [near, far] = MemoryStream::make_pair(
      {}, {.read_fault = {.kind = StreamFault::Kind::Stall, .after_bytes = after}});
  auto pair =
      block_on(runtime, shake_hands(std::move(near), std::move(far), server.get(), client.get(),
                                    {.server_name = "a.example"}, Clock::now() + 30ms));
  REQUIRE(pair);
  CHECK(type_of(pair->server) == ErrorType::TlsHandshakeTimedout);
  CHECK(pair->server.error().source() == ErrorSource::Downstream);
  CHECK_FALSE(pair->client);
  CHECK(server->counters().timed_out == 1);
  CHECK(server->counters().failed == 1);
  CHECK(server->counters().handshakes == 0);
}

TEST_CASE_METHOD(TlsFixture, "TLS handshake: what was read before it counts", "[tls]") {
  auto server = server_context();
  auto client = client_context();
  auto scenario = [](const TlsServerContext* server,
                     const TlsClientContext* client) -> Task<std::string> {
    auto [near, far] = MemoryStream::make_pair();
    auto accept = [](std::unique_ptr<Stream> transport,
                     const TlsServerContext* context) -> Task<std::unique_ptr<TlsStream>> {
      Buffer received;
      co_await transport->read(received);
      co_return co_await tls_accept(std::move(transport), std::move(received), *context);
    };
    auto [accepted, connected] =
        co_await when_all(accept(std::move(far), server),
                          tls_connect(std::move(near), *client, {.server_name = "a.example"}));
    auto [text, nothing] =
        co_await when_all(read_bytes(accepted.get(), 5), write_bytes(connected.get(), "hello"));
    co_return text;
  };
  CHECK(block_on(runtime, scenario(server.get(), client.get())).value() == "hello");
}

TEST_CASE_METHOD(TlsFixture, "TLS handshake: cancelled anywhere, it leaves nothing behind",
                 "[tls]") {
  auto steps = GENERATE(range(0, 12));
  auto server = server_context();
  auto client = client_context();
  MemoryStreamOptions io{.read_size_max = 100, .write_size_max = 300, .always_waits = true};
  auto scenario = [](const TlsServerContext* server, const TlsClientContext* client, int steps,
                     MemoryStreamOptions io) -> Task<> {
    auto [near, far] = MemoryStream::make_pair(io, io);
    auto some_steps = [](int count) -> Task<> {
      for (int i = 0; i < count; ++i) co_await yield();
    };
    co_await when_any(shake_hands(std::move(near), std::move(far), server, client),
                      some_steps(steps));
  };
  CHECK(block_on(runtime, scenario(server.get(), client.get(), steps, io)));
}

TEST_CASE_METHOD(TlsFixture, "TLS handshake: what is no TLS is refused with an alert or in silence",
                 "[tls]") {
  std::string hello_of_64k("\x16\x03\x01\xff\xff", 5);
  struct Row {
    std::string bytes;
    std::string says;
  };
  auto row = GENERATE_COPY(values<Row>({
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "plain HTTP"},
      {std::string(100, '\0'), "not TLS"},
      {std::string(100, '\xff'), "TLS handshake"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "not TLS"},
      {hello_of_64k + std::string(50000, 'x'), "TLS handshake"},
      // A record that is allowed, with a ClientHello that says it has 16 MB.
      {std::string("\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9), "too large"},
      // An alert, application data and a ChangeCipherSpec before anything else.
      {std::string("\x15\x03\x01\x00\x02\x02\x28", 7), "alert"},
      {std::string("\x17\x03\x03\x00\x02\x00\x00", 7), "TLS handshake"},
      {std::string("\x14\x03\x03\x00\x01\x01", 6), "TLS handshake"},
      {"\x16", "closed in the middle"},
  }));
  std::string answer;
  auto server = server_context();
  auto result = block_on(runtime, accept_bytes(row.bytes, server.get(), &answer));
  REQUIRE_FALSE(result);
  INFO(result.error().to_string());
  CHECK(result.error().type() == ErrorType::TlsHandshakeFailure);
  CHECK(result.error().source() == ErrorSource::Downstream);
  CHECK_THAT(result.error().to_string(), Contains(row.says));
  CHECK(server->counters().failed == 1);
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS handshake: a client that leaves before it says anything has "
                 "closed the connection",
                 "[tls]") {
  std::string answer;
  auto server = server_context();
  auto result = block_on(runtime, accept_bytes("", server.get(), &answer));
  REQUIRE_FALSE(result);
  CHECK(result.error().type() == ErrorType::ConnectionClosed);
  CHECK(answer.empty());
}

TEST_CASE_METHOD(TlsFixture, "TLS handshake: no version in common is an error that says so",
                 "[tls]") {
  TlsSettings settings = server_settings();
  settings.version_min = TlsVersion::Tls13;
  TlsClientOptions options = client_options();
  options.version_max = TlsVersion::Tls12;
  TlsPair pair = handshake(*server_context(settings), *client_context(options));
  CHECK_THAT(text_of(pair.server), Contains("no version of TLS"));
  CHECK_THAT(text_of(pair.client), Contains("no version of TLS") && Contains("alert"));
  CHECK(type_of(pair.client) == ErrorType::TlsHandshakeFailure);
  CHECK(pair.client.error().source() == ErrorSource::Upstream);
  CHECK(pair.client.error().retry());
}

TEST_CASE_METHOD(TlsFixture, "TLS handshake: ALPN follows the server's preference", "[tls]") {
  struct Row {
    std::vector<std::string> ours;
    std::vector<std::string> theirs;
    std::string agreed;  // "!" for a refusal
  };
  auto row = GENERATE(values<Row>({
      {{"h2", "http/1.1"}, {"http/1.1", "h2"}, "h2"},
      {{"http/1.1"}, {"h2", "http/1.1"}, "http/1.1"},
      {{"http/1.1"}, {}, ""},
      {{}, {"h2"}, ""},
      {{"http/1.1"}, {"h2", "spdy/3"}, "!"},
  }));
  TlsSettings settings = server_settings();
  settings.alpn = row.ours;
  TlsClientOptions options = client_options();
  options.alpn = row.theirs;
  TlsPair pair = handshake(*server_context(settings), *client_context(options));
  if (row.agreed == "!") {
    CHECK_THAT(text_of(pair.server), Contains("ALPN"));
    CHECK_THAT(text_of(pair.client), Contains("ALPN"));
    return;
  }
  require_success(pair);
  CHECK(pair.server->get()->digest().ssl->alpn == row.agreed);
  CHECK(pair.client->get()->digest().ssl->alpn == row.agreed);
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS handshake: an unknown name gets the default certificate or an "
                 "alert, as is set",
                 "[tls]") {
  TlsSettings settings = server_settings();
  TlsClientOptions options = client_options();
  options.verify = VerifyServer::ChainOnly;
  auto client = client_context(options);
  auto name = GENERATE("b.example", "a.example", "");
  settings.unknown_name = GENERATE(UnknownName::DefaultCertificate, UnknownName::Alert);
  TlsPair pair = handshake(*server_context(settings), *client, {.server_name = name});
  if (settings.unknown_name == UnknownName::Alert && std::string(name) == "b.example") {
    CHECK_THAT(text_of(pair.server), Contains("no certificate for b.example"));
    CHECK_THAT(text_of(pair.client), Contains("serves no such name"));
  } else {
    require_success(pair);
  }
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS handshake: a context shows each client a certificate that it can "
                 "check",
                 "[tls]") {
  const TestPki& pki = TestPki::instance();
  static const MadeCertificate rsa =
      make_certificate({.names = {"a.example"}, .key_type = KeyType::Rsa, .issuer = &pki.issuer});
  auto store = std::make_shared<CertificateStore>();
  store->add(certificate_of(pki.server));
  store->add(certificate_of(rsa));
  TlsClientOptions options = client_options();
  options.version_max = TlsVersion::Tls12;
  auto [ciphers, expected] = GENERATE_REF(
      table<std::string, std::string>({{"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE_RSA"},
                                       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE_ECDSA"},
                                       {"", "ECDHE_ECDSA"}}));
  options.ciphers = ciphers;
  TlsPair pair =
      handshake(*server_context(TlsSettings::intermediate(store)), *client_context(options));
  require_success(pair);
  CHECK_THAT(pair.server->get()->digest().ssl->cipher, Contains(expected));
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS handshake: a kept-alive exchange costs one read and one write "
                 "below",
                 "[tls]") {
  CountingStream::Counts counts;
  TlsPair pair = connected(counts);
  CHECK(counts.reads == 2);  // ClientHello; Finished
  CHECK(counts.writes == 1);
  CHECK(counts.empty_reads == 0);
  auto one = [](Stream* client, Stream* server) -> Task<> {
    // The server waits for the request, as it does between requests.
    co_await when_all(read_bytes(server, 100), write_bytes(client, std::string(100, 'q')));
    co_await when_all(read_bytes(client, 500), write_bytes(server, std::string(500, 'r')));
  };
  REQUIRE(block_on(runtime, one(pair.client->get(), pair.server->get())));
  counts = {};
  for (int i = 0; i < 3; ++i) {
    REQUIRE(block_on(runtime, one(pair.client->get(), pair.server->get())));
  }
  CHECK(counts.reads == 3);
  CHECK(counts.empty_reads == 0);
  CHECK(counts.writes == 3);
}

TEST_CASE_METHOD(TlsFixture, "TLS handshake: a client that guesses the wrong group tries again",
                 "[tls]") {
  TlsSettings settings = server_settings();
  settings.groups = GENERATE("P-256", "P-521");
  TlsClientOptions options = client_options();
  options.groups = "X25519:P-256";
  TlsPair pair = handshake(*server_context(settings), *client_context(options));
  if (settings.groups == "P-256") {
    require_success(pair);
  } else {
    CHECK_THAT(text_of(pair.server), Contains("group"));
    CHECK_FALSE(pair.client);
  }
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS handshake: what OCSP says is stapled for clients that ask for it, "
                 "as long as it is good",
                 "[tls]") {
  const MadeCertificate& made = TestPki::instance().server;
  bool is_expired = GENERATE(false, true);
  std::string response = ocsp_response(is_expired ? "20200101000000Z" : "22000101000000Z");
  auto store = std::make_shared<CertificateStore>();
  store->add(Certificate::from_pem(made.certificate, made.key, response).value());
  auto context = server_context(TlsSettings::intermediate(store));
  auto scenario = [](const TlsServerContext* context, bool asks) -> Task<std::string> {
    auto [near, far] = MemoryStream::make_pair();
    RawClient client(std::move(near));
    if (asks) SSL_enable_ocsp_stapling(client.ssl());
    co_await when_all(tls_accept(std::move(far), {}, *context), client.handshake());
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    SSL_get0_ocsp_response(client.ssl(), &data, &size);
    co_return std::string(reinterpret_cast<const char*>(data), size);
  };
  std::string stapled = is_expired ? "" : response;
  CHECK(block_on(runtime, scenario(context.get(), true)).value() == stapled);
  CHECK(block_on(runtime, scenario(context.get(), false)).value().empty());
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS key log: has the secrets of both ends, and its owner reads it alone",
                 "[tls]") {
  TemporaryDirectory directory;
  std::string file = directory.path("keys.log");
  TlsSettings settings = server_settings();
  settings.key_log_file = file;
  TlsClientOptions options = client_options();
  options.key_log = KeyLog::open(directory.path("client.log")).value();
  require_success(handshake(*server_context(settings), *client_context(options)));
  auto lines_of = [](const std::string& path) {
    std::vector<std::string> lines;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  auto lines = lines_of(file);
  CHECK(lines.size() >= 4);
  CHECK_THAT(lines.front(), Contains("_TRAFFIC_SECRET"));
  CHECK(lines == lines_of(directory.path("client.log")));
  using std::filesystem::perms;
  CHECK((std::filesystem::status(file).permissions() & (perms::group_all | perms::others_all)) ==
        perms::none);
  CHECK_FALSE(KeyLog::open(directory.path("none/keys.log")));
}
