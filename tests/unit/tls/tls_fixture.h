// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>

#include "counting_stream.h"
#include "made_certificate.h"
#include "pingora/net/memory_stream.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task_group.h"
#include "pingora/tls/certificate_store.h"
#include "pingora/tls/handshake.h"

namespace pingora {

/// An issuer, and a certificate of it for "a.example"; made once, for making them costs time.
struct TestPki {
  MadeCertificate issuer =
      make_certificate({.names = {}, .common_name = "issuer", .is_issuer = true});
  MadeCertificate server = make_certificate({.names = {"a.example"}, .issuer = &issuer});
  MadeCertificate client =
      make_certificate({.names = {}, .common_name = "client", .issuer = &issuer});

  static const TestPki& instance() {
    static const TestPki pki;
    return pki;
  }
};

/// The two ends of a connection behind its handshake, or why it failed.
struct TlsPair {
  Result<std::unique_ptr<TlsStream>> client = nullptr;
  Result<std::unique_ptr<TlsStream>> server = nullptr;
};

/// A runtime of two workers, and handshakes in memory.
struct TlsFixture {
  Runtime runtime{RuntimeOptions{.threads = 2, .name = "test"}};
  TaskGroup group{runtime};

  TlsFixture() { runtime.start(); }
  ~TlsFixture() { group.join_blocking(); }

  static Certificate::Ptr certificate_of(const MadeCertificate& made) {
    auto certificate = Certificate::from_pem(made.certificate, made.key);
    if (!certificate) FAIL(certificate.error().to_string());
    return *certificate;
  }

  static TlsSettings server_settings() {
    auto store = std::make_shared<CertificateStore>();
    store->add(certificate_of(TestPki::instance().server));
    return TlsSettings::intermediate(store);
  }
  static TlsServerContext::Ptr server_context(TlsSettings settings = server_settings()) {
    auto context = TlsServerContext::create(std::move(settings));
    if (!context) FAIL(context.error().to_string());
    return *context;
  }

  static TlsClientOptions client_options() {
    TlsClientOptions options;
    options.ca_pem = TestPki::instance().issuer.certificate;
    return options;
  }
  static TlsClientContext::Ptr client_context(TlsClientOptions options = client_options()) {
    auto context = TlsClientContext::create(std::move(options));
    if (!context) FAIL(context.error().to_string());
    return *context;
  }

  /// Both parts of a handshake, side by side in one strand. A failure of one closes its transport.
  static Task<TlsPair> shake_hands(std::unique_ptr<Stream> near, std::unique_ptr<Stream> far,
                                   const TlsServerContext* server, const TlsClientContext* client,
                                   TlsConnect connect = {.server_name = "a.example"},
                                   TimePoint deadline = kNever) {
    TlsPair pair;
    co_await when_all(
        accept(std::move(far), server, &pair.server, deadline),
        this_connect(std::move(near), client, std::move(connect), &pair.client, deadline));
    co_return pair;
  }

  TlsPair handshake(const TlsServerContext& server, const TlsClientContext& client,
                    TlsConnect connect = {.server_name = "a.example"},
                    MemoryStreamOptions near_options = {}, MemoryStreamOptions far_options = {}) {
    auto [near, far] = MemoryStream::make_pair(near_options, far_options);
    auto pair = block_on(runtime, shake_hands(std::move(near), std::move(far), &server, &client,
                                              std::move(connect)));
    REQUIRE(pair);
    return std::move(*pair);
  }

  /// The same where it has to succeed.
  TlsPair connected(MemoryStreamOptions near_options = {}, MemoryStreamOptions far_options = {}) {
    auto server = server_context();
    auto client = client_context();
    TlsPair pair =
        handshake(*server, *client, {.server_name = "a.example"}, near_options, far_options);
    require_success(pair);
    return pair;
  }
  /// The same, with what the server asks of the stream below counted.
  TlsPair connected(CountingStream::Counts& counts) {
    auto server = server_context();
    auto client = client_context();
    auto [near, far] = MemoryStream::make_pair();
    auto counted = std::make_unique<CountingStream>(std::move(far), counts);
    auto pair = block_on(
        runtime, shake_hands(std::move(near), std::move(counted), server.get(), client.get()));
    REQUIRE(pair);
    require_success(*pair);
    return std::move(*pair);
  }
  static void require_success(const TlsPair& pair) {
    if (!pair.client) FAIL("client: " << pair.client.error().to_string());
    if (!pair.server) FAIL("server: " << pair.server.error().to_string());
  }

 private:
  static Task<> accept(std::unique_ptr<Stream> transport, const TlsServerContext* context,
                       Result<std::unique_ptr<TlsStream>>* result, TimePoint deadline) {
    *result = co_await tls_accept(std::move(transport), {}, *context, deadline).as_result();
  }
  static Task<> this_connect(std::unique_ptr<Stream> transport, const TlsClientContext* context,
                             TlsConnect connect, Result<std::unique_ptr<TlsStream>>* result,
                             TimePoint deadline) {
    *result = co_await tls_connect(std::move(transport), *context, std::move(connect), deadline)
                  .as_result();
  }
};

/// What a handshake came to; UnknownError and "success" if it succeeded.
inline ErrorType type_of(const Result<std::unique_ptr<TlsStream>>& result) {
  return result ? ErrorType::UnknownError : result.error().type();
}
inline std::string text_of(const Result<std::unique_ptr<TlsStream>>& result) {
  return result ? "success" : result.error().to_string();
}

/// Reads `size` bytes; fewer if the stream ends.
inline Task<std::string> read_bytes(Stream* stream, std::size_t size) {
  Buffer buffer;
  while (buffer.size() < size && co_await stream->read(buffer) != 0) {
  }
  co_return std::string(buffer.view());
}

inline Task<> write_bytes(Stream* stream, std::string bytes) { co_await stream->write({bytes}); }

}  // namespace pingora
