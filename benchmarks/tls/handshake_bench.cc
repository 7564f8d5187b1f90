// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What a handshake and a small exchange cost in CPU, client and server together, through this
// library's streams in memory. The baseline is BoringSSL alone, driven by hand with the same
// settings: what is above it is ours. Says nothing about system calls, nor about the server's half
// alone.
#include <benchmark/benchmark.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "pingora/net/memory_stream.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/task_group.h"
#include "pingora/tls/certificate_store.h"
#include "pingora/tls/handshake.h"
#include "unit/tls/made_certificate.h"

namespace {

using namespace pingora;

void check(bool is_good) {
  if (!is_good) std::abort();
}

MadeCertificate identity() { return make_certificate({.names = {"a.example"}}); }

bssl::UniquePtr<BIO> reader_of(const std::string& pem) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

enum class Resume : bool { No, Yes };

// Ours.

struct LastSession final : TlsSessionSink {
  void store(TlsSession::Ptr session) noexcept override { last = std::move(session); }
  TlsSession::Ptr last;
};

struct Contexts {
  TlsServerContext::Ptr server;
  TlsClientContext::Ptr client;
  std::shared_ptr<LastSession> sessions = std::make_shared<LastSession>();

  Contexts() {
    MadeCertificate made = identity();
    auto store = std::make_shared<CertificateStore>();
    store->add(Certificate::from_pem(made.certificate, made.key).value());
    server = TlsServerContext::create(TlsSettings::intermediate(store)).value();
    TlsClientOptions options;
    options.verify = VerifyServer::Off;
    client = TlsClientContext::create(options).value();
  }
};

using TlsPair = std::tuple<std::unique_ptr<TlsStream>, std::unique_ptr<TlsStream>>;

Task<TlsPair> connect(Contexts& contexts, TlsSession::Ptr session) {
  // Takes a whole response, for the exchange has one thing after the other.
  constexpr std::size_t kCapacity = 4 * 1024 * 1024;
  auto [near, far] = MemoryStream::make_pair({.capacity = kCapacity}, {.capacity = kCapacity});
  co_return co_await when_all(tls_accept(std::move(far), {}, *contexts.server),
                              tls_connect(std::move(near), *contexts.client,
                                          {.server_name = "a.example",
                                           .session = std::move(session),
                                           .sessions = contexts.sessions}));
}

// A request of 64 bytes and a response of `size`.
Task<> exchange(TlsPair& pair, const std::string& response) {
  auto& [server, client] = pair;
  static const std::string request(64, 'q');
  co_await client->write({request});
  Buffer buffer;
  while (buffer.size() < request.size()) co_await server->read(buffer);
  co_await server->write({response});
  buffer.reset();
  std::size_t size = 0;
  while (size < response.size()) {
    size += co_await client->read(buffer);
    buffer.reset();
  }
}

Task<> handshakes(benchmark::State& state, Contexts& contexts, Resume resume) {
  const std::string response(128, 'r');
  for (auto _ : state) {
    TlsPair pair = co_await connect(
        contexts, resume == Resume::Yes ? contexts.sessions->last : TlsSession::Ptr());
    co_await exchange(pair, response);
  }
}

Task<> exchanges(benchmark::State& state, Contexts& contexts) {
  const std::string response(static_cast<std::size_t>(state.range(0)), 'r');
  TlsPair pair = co_await connect(contexts, nullptr);
  for (auto _ : state) co_await exchange(pair, response);
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

struct Workers {
  Runtime runtime{RuntimeOptions{.threads = 1, .name = "bench"}};
  Workers() { runtime.start(); }
};

void handshake(benchmark::State& state, Resume resume) {
  Workers workers;
  Contexts contexts;
  block_on(workers.runtime, handshakes(state, contexts, resume)).value();
}
BENCHMARK_CAPTURE(handshake, full, Resume::No)->Name("tls/handshake/ecdsa/full")->UseRealTime();
BENCHMARK_CAPTURE(handshake, resumed, Resume::Yes)
    ->Name("tls/handshake/ecdsa/resumed")
    ->UseRealTime();

void keepalive(benchmark::State& state) {
  Workers workers;
  Contexts contexts;
  block_on(workers.runtime, exchanges(state, contexts)).value();
}
BENCHMARK(keepalive)
    ->Name("tls/exchange/get_64B")
    ->Arg(128)
    ->Arg(16 * 1024)
    ->Arg(1024 * 1024)
    ->UseRealTime();

// BoringSSL alone.

struct Bare {
  bssl::UniquePtr<SSL_CTX> server{SSL_CTX_new(TLS_method())};
  bssl::UniquePtr<SSL_CTX> client{SSL_CTX_new(TLS_method())};
  bssl::UniquePtr<SSL_SESSION> session;

  Bare() {
    MadeCertificate made = identity();
    bssl::UniquePtr<X509> certificate(
        PEM_read_bio_X509(reader_of(made.certificate).get(), nullptr, nullptr, nullptr));
    bssl::UniquePtr<EVP_PKEY> key(
        PEM_read_bio_PrivateKey(reader_of(made.key).get(), nullptr, nullptr, nullptr));
    check(SSL_CTX_use_certificate(server.get(), certificate.get()) == 1);
    check(SSL_CTX_use_PrivateKey(server.get(), key.get()) == 1);
    SSL_CTX_set_num_tickets(server.get(), 1);
    SSL_CTX_set_session_cache_mode(server.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_cache_mode(client.get(), SSL_SESS_CACHE_CLIENT);
    SSL_CTX_set_app_data(client.get(), this);
    SSL_CTX_sess_set_new_cb(client.get(), [](SSL* ssl, SSL_SESSION* made) {
      static_cast<Bare*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->session.reset(made);
      return 1;
    });
  }
};

struct BarePair {
  bssl::UniquePtr<SSL> server;
  bssl::UniquePtr<SSL> client;

  BarePair(Bare& bare, Resume resume)
      : server(SSL_new(bare.server.get())), client(SSL_new(bare.client.get())) {
    BIO* near = nullptr;
    BIO* far = nullptr;
    check(BIO_new_bio_pair(&near, 1 << 16, &far, 1 << 16) == 1);
    SSL_set_bio(client.get(), near, near);
    SSL_set_bio(server.get(), far, far);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    if (resume == Resume::Yes && bare.session) SSL_set_session(client.get(), bare.session.get());
    int near_done = 0;
    int far_done = 0;
    while (near_done != 1 || far_done != 1) {
      if (near_done != 1) near_done = SSL_do_handshake(client.get());
      if (far_done != 1) far_done = SSL_do_handshake(server.get());
    }
  }
  void exchange(std::size_t size) const {
    static std::vector<char> buffer(1 << 20);
    check(SSL_write(client.get(), buffer.data(), 64) == 64);
    check(SSL_read(server.get(), buffer.data(), 64) == 64);
    for (std::size_t sent = 0; sent < size;) {
      int step = static_cast<int>(std::min<std::size_t>(size - sent, 16 * 1024));
      check(SSL_write(server.get(), buffer.data(), step) == step);
      check(SSL_read(client.get(), buffer.data(), step) == step);
      sent += static_cast<std::size_t>(step);
    }
  }
};

void bare_handshake(benchmark::State& state, Resume resume) {
  Bare bare;
  for (auto _ : state) BarePair(bare, resume).exchange(128);
}
BENCHMARK_CAPTURE(bare_handshake, full, Resume::No)
    ->Name("tls/handshake/ecdsa/full/boringssl")
    ->UseRealTime();
BENCHMARK_CAPTURE(bare_handshake, resumed, Resume::Yes)
    ->Name("tls/handshake/ecdsa/resumed/boringssl")
    ->UseRealTime();

void bare_keepalive(benchmark::State& state) {
  Bare bare;
  BarePair pair(bare, Resume::No);
  for (auto _ : state) pair.exchange(static_cast<std::size_t>(state.range(0)));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bare_keepalive)
    ->Name("tls/exchange/get_64B/boringssl")
    ->Arg(128)
    ->Arg(16 * 1024)
    ->Arg(1024 * 1024)
    ->UseRealTime();

}  // namespace
