// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/tls_settings.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "made_certificate.h"
#include "temporary_directory.h"

namespace pingora {
namespace {

std::shared_ptr<CertificateStore> store() {
  static const MadeCertificate made = make_certificate({.names = {"a.test"}});
  auto store = std::make_shared<CertificateStore>();
  store->add(*Certificate::from_pem(made.certificate, made.key));
  return store;
}

std::string problem_of(const TlsSettings& settings) {
  Result<void> valid = settings.validate();
  return valid ? std::string() : std::string(valid.error().context());
}

}  // namespace

TEST_CASE("TlsSettings: the profiles differ in the oldest version", "[tls]") {
  CHECK(TlsSettings::intermediate(store()).version_min == TlsVersion::Tls12);
  CHECK(TlsSettings::modern(store()).version_min == TlsVersion::Tls13);
  CHECK(TlsSettings::modern(store()).version_max == TlsVersion::Tls13);
  CHECK(problem_of(TlsSettings::intermediate(store())).empty());
  CHECK(problem_of(TlsSettings::modern(store())).empty());
}

TEST_CASE("TlsSettings: files that cannot be used are an error at once", "[tls]") {
  TemporaryDirectory directory;
  std::string missing = directory.path("missing.pem");
  auto settings = TlsSettings::intermediate(missing, missing);
  REQUIRE_FALSE(settings);
  CHECK(settings.error().context() == missing + ": No such file or directory");
  CHECK_FALSE(TlsSettings::modern(missing, missing));
}

TEST_CASE("TlsSettings: HTTP/2 is offered once, and first", "[tls]") {
  TlsSettings settings = TlsSettings::intermediate(store());
  CHECK(settings.alpn == std::vector<std::string>{"http/1.1"});
  settings.enable_h2();
  settings.enable_h2();
  CHECK(settings.alpn == std::vector<std::string>{"h2", "http/1.1"});
}

TEST_CASE("TlsSettings: what does not fit together is refused", "[tls]") {
  const TlsSettings good = TlsSettings::intermediate(store());
  TlsSettings settings;
  CHECK(problem_of(settings) == "TLS: no certificates");
  settings.certificates = std::make_shared<CertificateStore>();
  CHECK(problem_of(settings) == "TLS: no certificate in the store");
  settings.callbacks = std::make_shared<TlsAccept>();
  CHECK(problem_of(settings).empty());

  settings = good;
  settings.version_min = TlsVersion::Tls13;
  settings.version_max = TlsVersion::Tls12;
  CHECK(problem_of(settings) == "TLS: version_min is above version_max");

  settings = good;
  settings.alpn = {std::string(255, 'a')};
  CHECK(problem_of(settings).empty());
  settings.alpn = {std::string(256, 'a')};
  CHECK(problem_of(settings) == "TLS: a protocol of ALPN has 1 to 255 bytes");
  settings.alpn = {""};
  CHECK(problem_of(settings) == "TLS: a protocol of ALPN has 1 to 255 bytes");

  settings = good;
  settings.client_certificates = ClientCertificates::Required;
  CHECK(problem_of(settings) ==
        "TLS: certificates of clients are asked for, and no issuer is given");
  settings.client_ca_pem = "some";
  CHECK(problem_of(settings).empty());
  settings.client_certificates = ClientCertificates::Off;
  CHECK(problem_of(settings) ==
        "TLS: issuers of clients' certificates are given, which are not asked for");

  settings = good;
  for (unsigned tickets : {1U, 16U}) {
    settings.tickets_per_connection = tickets;
    CHECK(problem_of(settings).empty());
  }
  for (unsigned tickets : {0U, 17U}) {
    settings.tickets_per_connection = tickets;
    CHECK(problem_of(settings) == "TLS: tickets_per_connection is not 1 to 16");
  }

  settings = good;
  settings.handshake_timeout = std::chrono::milliseconds(0);
  CHECK(problem_of(settings) == "TLS: handshake_timeout is not positive");
}

}  // namespace pingora
