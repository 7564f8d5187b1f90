// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/tls_settings.h"

#include <utility>

#include "tls/tls_context_parts.h"

namespace pingora {
namespace {

constexpr unsigned kTicketsMax = 16;  // of BoringSSL

Result<std::shared_ptr<CertificateStore>> store_of(std::string certificate_file,
                                                   std::string key_file) {
  auto store = std::make_shared<CertificateStore>();
  Result<void> added = store->add_files(std::move(certificate_file), std::move(key_file));
  if (!added) return fail(std::move(added.error()));
  return store;
}

Error invalid(std::string_view what) { return Error::explain(ErrorType::ConfigError, what); }

}  // namespace

TlsSettings TlsSettings::intermediate(std::shared_ptr<CertificateStore> certificates) {
  TlsSettings settings;
  settings.certificates = std::move(certificates);
  return settings;
}

Result<TlsSettings> TlsSettings::intermediate(std::string certificate_file, std::string key_file) {
  auto store = store_of(std::move(certificate_file), std::move(key_file));
  if (!store) return fail(std::move(store.error()));
  return intermediate(std::move(*store));
}

TlsSettings TlsSettings::modern(std::shared_ptr<CertificateStore> certificates) {
  TlsSettings settings = intermediate(std::move(certificates));
  settings.version_min = TlsVersion::Tls13;
  return settings;
}

Result<TlsSettings> TlsSettings::modern(std::string certificate_file, std::string key_file) {
  auto store = store_of(std::move(certificate_file), std::move(key_file));
  if (!store) return fail(std::move(store.error()));
  return modern(std::move(*store));
}

void TlsSettings::enable_h2() {
  std::erase(alpn, "h2");
  alpn.insert(alpn.begin(), "h2");
}

Result<void> TlsSettings::validate() const {
  if (!certificates && !callbacks) return fail(invalid("TLS: no certificates"));
  if (certificates && !callbacks && !certificates->default_certificate()) {
    return fail(invalid("TLS: no certificate in the store"));
  }
  if (version_min > version_max) return fail(invalid("TLS: version_min is above version_max"));
  if (auto valid = internal::check_alpn(alpn); !valid) return valid;
  bool has_ca = !client_ca_file.empty() || !client_ca_pem.empty();
  if (client_certificates != ClientCertificates::Off && !has_ca && !callbacks) {
    return fail(invalid("TLS: certificates of clients are asked for, and no issuer is given"));
  }
  if (client_certificates == ClientCertificates::Off && has_ca) {
    return fail(
        invalid("TLS: issuers of clients' certificates are given, which are not asked for"));
  }
  if (tickets_per_connection < 1 || tickets_per_connection > kTicketsMax) {
    return fail(invalid("TLS: tickets_per_connection is not 1 to 16"));
  }
  if (handshake_timeout <= std::chrono::milliseconds(0)) {
    return fail(invalid("TLS: handshake_timeout is not positive"));
  }
  return {};
}

}  // namespace pingora
