// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What a stranger sends to a TLS listener, before and during the handshake. The first byte says in
// pieces of which size it arrives, and whether the listener asks for a certificate. Whatever it is,
// there must be an end: a stream, or an error of the handshake.
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

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

namespace {

using namespace pingora;

void check(bool is_good) {
  if (!is_good) std::abort();
}

std::string text_of(BIO& bio) {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  check(BIO_mem_contents(&bio, &data, &size) == 1);
  return {reinterpret_cast<const char*>(data), size};
}

/// A certificate that issues itself, with its key, as PEM.
struct Identity {
  std::string certificate;
  std::string key;

  Identity() {
    bssl::UniquePtr<EVP_PKEY> made(EVP_PKEY_new());
    EC_KEY* pair = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    check(EC_KEY_generate_key(pair) == 1 && EVP_PKEY_assign_EC_KEY(made.get(), pair) == 1);
    bssl::UniquePtr<X509> x(X509_new());
    check(X509_set_version(x.get(), X509_VERSION_3) == 1);
    check(ASN1_INTEGER_set(X509_get_serialNumber(x.get()), 1) == 1);
    check(X509_NAME_add_entry_by_txt(X509_get_subject_name(x.get()), "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const std::uint8_t*>("a.example"), -1, -1,
                                     0) == 1);
    check(X509_set_issuer_name(x.get(), X509_get_subject_name(x.get())) == 1);
    check(X509_gmtime_adj(X509_getm_notBefore(x.get()), -3600) != nullptr);
    check(X509_gmtime_adj(X509_getm_notAfter(x.get()), 24 * 3600) != nullptr);
    check(X509_set_pubkey(x.get(), made.get()) == 1);
    check(X509_sign(x.get(), made.get(), EVP_sha256()) != 0);
    bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
    check(PEM_write_bio_X509(out.get(), x.get()) == 1);
    certificate = text_of(*out);
    out.reset(BIO_new(BIO_s_mem()));
    check(PEM_write_bio_PrivateKey(out.get(), made.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
          1);
    key = text_of(*out);
  }
};

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
    Identity identity;
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
