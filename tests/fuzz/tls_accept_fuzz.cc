// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What a stranger sends to a TLS listener, before and during the handshake. The first byte says in
// pieces of which size it arrives, and whether the listener asks for a certificate. Whatever it is,
// there must be an end: a stream, or an error of the handshake.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "pingora/net/memory_stream.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task_group.h"
#include "pingora/tls/certificate_store.h"
#include "pingora/tls/handshake.h"
#include "unit/tls/made_certificate.h"

namespace {

using namespace pingora;

void check(bool is_good) {
  if (!is_good) std::abort();
}

struct Callbacks final : TlsAccept {
  Task<Certificate::Ptr> certificate(const ClientHello& hello) override {
    // Reads all of it.
    std::size_t size = hello.server_name.size();
    for (std::string_view name : hello.alpn) size += std::string(name).size();
    check(size <= 65536);
    return Certificate::Ptr();
  }
};

/// What all inputs share.
struct World {
  Runtime runtime{RuntimeOptions{.threads = 1, .name = "fuzz"}};
  TlsServerContext::Ptr plain;
  TlsServerContext::Ptr asking;

  World() {
    runtime.start();
    MadeCertificate identity = make_certificate({.names = {"a.example"}});
    auto store = std::make_shared<CertificateStore>();
    store->add(Certificate::from_pem(identity.certificate, identity.key).value());
    TlsSettings settings = TlsSettings::intermediate(store);
    settings.enable_h2();
    plain = TlsServerContext::create(settings).value();
    settings.client_certificates = ClientCertificates::Required;
    settings.client_ca_pem = identity.certificate;
    settings.callbacks = std::make_shared<Callbacks>();
    settings.unknown_name = UnknownName::Alert;
    asking = TlsServerContext::create(settings).value();
  }
};

Task<> accept(std::string_view bytes, std::size_t piece, const TlsServerContext* context) {
  auto [near, far] = MemoryStream::make_pair({}, {.read_size_max = piece});
  co_await near->write({bytes});
  near->shutdown_write();
  auto stream = co_await tls_accept(std::move(far), {}, *context).as_result();
  if (!stream) {
    switch (stream.error().type()) {
      case ErrorType::TlsHandshakeFailure:
      case ErrorType::InvalidCert:
      case ErrorType::ConnectionClosed: break;
      default: std::abort();
    }
    check(!stream.error().context().empty());
    co_return;
  }
  Buffer buffer;
  [[maybe_unused]] auto read = co_await as_result((*stream)->read(buffer));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // For ever: threads of its own would hold up the end of the process.
  static World& world = *new World();
  constexpr std::size_t kSizeMax = 60'000;  // what the stream holds
  if (size == 0 || size > kSizeMax) return 0;
  std::size_t piece = (data[0] & 0x7fU) == 0 ? kSizeMax : (data[0] & 0x7fU);
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const TlsServerContext& context = (data[0] & 0x80U) != 0 ? *world.asking : *world.plain;
  check(block_on(world.runtime, accept(bytes, piece, &context)).has_value());
  return 0;
}
