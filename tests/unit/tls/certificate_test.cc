// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/certificate.h"

#include <openssl/err.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "made_certificate.h"
#include "made_ocsp_response.h"
#include "temporary_directory.h"

namespace pingora {
namespace {

const MadeCertificate& example() {
  static const MadeCertificate made =
      make_certificate({.names = {"example.org", "*.Example.ORG", "example.org"}});
  return made;
}

// SEQUENCE { ENUMERATED 0, [0] {} }: all that is looked at.
const std::string kOcspResponse("\x30\x05\x0a\x01\x00\xa0\x00", 7);

class NoSigner : public PrivateKeySigner {
 public:
  Task<Bytes> sign(SignatureScheme, Bytes) override { return Error::internal("not in this test"); }
};

std::string error_of(const Result<Certificate::Ptr>& result) {
  REQUIRE_FALSE(result.has_value());
  CHECK(ERR_peek_error() == 0);  // nothing is left for the next handshake to find
  return std::string(result.error().context());
}

}  // namespace

TEST_CASE("Certificate: says what is in it", "[tls]") {
  auto now = std::chrono::system_clock::now();
  auto certificate = Certificate::from_pem(example().certificate, example().key);
  REQUIRE(certificate);
  const Certificate& it = **certificate;
  CHECK(it.names() == std::vector<std::string>{"example.org", "*.example.org"});
  CHECK(it.key_type() == KeyType::Ecdsa);
  CHECK(it.subject() == "CN=test,O=Pingora tests");
  CHECK(it.serial_number().size() >= 2);
  CHECK(it.serial_number().find_first_not_of("0123456789ABCDEF") == std::string::npos);
  CHECK(it.sha256().size() == 32);
  CHECK_FALSE(it.has_ocsp_staple());
  CHECK(it.not_before() < now);
  CHECK(it.not_after() > now + std::chrono::hours(23));
  CHECK(it.not_after() < now + std::chrono::hours(25));
}

TEST_CASE("Certificate: one without an end lasts for as long as the clock", "[tls]") {
  constexpr std::chrono::hours kTillBehind2262{24 * 365 * 300};
  MadeCertificate made = make_certificate({.names = {"a.test"}, .valid_until = kTillBehind2262});
  auto certificate = Certificate::from_pem(made.certificate, made.key);
  REQUIRE(certificate);
  CHECK((*certificate)->not_after() == Certificate::Time::max());
}

TEST_CASE("Certificate: takes keys of all three kinds", "[tls]") {
  for (KeyType type : {KeyType::Ecdsa, KeyType::Ed25519, KeyType::Rsa}) {
    MadeCertificate made = make_certificate({.names = {"a.test"}, .key_type = type});
    auto certificate = Certificate::from_pem(made.certificate, made.key);
    REQUIRE(certificate);
    CHECK((*certificate)->key_type() == type);
  }
}

TEST_CASE("Certificate: the common name counts only without alternative names", "[tls]") {
  MadeCertificate without = make_certificate({.names{}, .common_name = "Old.Example.org"});
  auto certificate = Certificate::from_pem(without.certificate, without.key);
  REQUIRE(certificate);
  CHECK((*certificate)->names() == std::vector<std::string>{"old.example.org"});

  MadeCertificate with = make_certificate({.names = {"new.test"}, .common_name = "old.test"});
  certificate = Certificate::from_pem(with.certificate, with.key);
  REQUIRE(certificate);
  CHECK((*certificate)->names() == std::vector<std::string>{"new.test"});
}

TEST_CASE("Certificate: a key that is not the certificate's is refused with both names", "[tls]") {
  TemporaryDirectory directory;
  MadeCertificate other = make_certificate({.names = {"other.test"}});
  std::string cert = directory.write("a.crt", example().certificate);
  std::string key = directory.write("b.key", other.key);
  auto loaded = Certificate::load(cert, key);
  CHECK(error_of(loaded) == cert + ", " + key + ": the private key is not that of the certificate");
  CHECK(loaded.error().type() == ErrorType::InvalidCert);

  MadeCertificate rsa = make_certificate({.names = {"a.test"}, .key_type = KeyType::Rsa});
  CHECK(error_of(Certificate::from_pem(example().certificate, rsa.key)) ==
        "the certificate, the key: the private key is not that of the certificate");
}

TEST_CASE("Certificate: what cannot be read is named", "[tls]") {
  TemporaryDirectory directory;
  std::string cert = directory.write("a.crt", example().certificate);
  std::string key = directory.write("a.key", example().key);
  std::string missing = directory.path("missing.pem");
  auto loaded = Certificate::load(missing, key);
  CHECK(error_of(loaded) == missing + ": No such file or directory");
  CHECK(loaded.error().type() == ErrorType::FileOpenError);
  CHECK(error_of(Certificate::load(cert, missing)) == missing + ": No such file or directory");
  CHECK(error_of(Certificate::load(cert, directory.path())) == directory.path() + ": is no file");
  std::string large = directory.write("large.pem", std::string(1024 * 1024 + 1, 'x'));
  CHECK(error_of(Certificate::load(large, key)) == large + ": has more than 1048576 bytes");
  CHECK(error_of(Certificate::load(key, key)) == key + ": no certificate in it (PEM)");
  CHECK(error_of(Certificate::load(cert, cert)) == cert + ": no private key in it (PEM)");

  std::string ocsp = directory.write("a.ocsp", "");
  CHECK(error_of(Certificate::load({.certificate = cert, .key = key, .ocsp = ocsp})) ==
        ocsp + ": is empty");
}

TEST_CASE("Certificate: PEM that is broken is refused", "[tls]") {
  const std::string& pem = example().certificate;
  CHECK(error_of(Certificate::from_pem("", example().key)) ==
        "the certificate: no certificate in it (PEM)");
  CHECK(error_of(Certificate::from_pem(pem.substr(0, pem.size() / 2), example().key)) ==
        "the certificate: is no PEM, or broken");
  CHECK(error_of(Certificate::from_pem(
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", example().key)) ==
        "the certificate: certificate 1 in it cannot be read");
  CHECK(error_of(Certificate::from_pem(
            pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            example().key)) == "the certificate: certificate 2 in it cannot be read");
  CHECK(error_of(Certificate::from_pem(
            pem, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")) ==
        "the key: the private key in it cannot be read");
  CHECK(error_of(Certificate::from_pem(
            pem,
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
            "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\nAAAA\n"
            "-----END RSA PRIVATE KEY-----\n")) == "the key: the private key in it has a password");
}

TEST_CASE("Certificate: at the limit of a chain and above", "[tls]") {
  std::string chain;
  for (int i = 0; i < 15; ++i) chain += example().certificate;
  CHECK(Certificate::from_pem(chain, example().key));
  chain += example().certificate;
  CHECK(Certificate::from_pem(chain, example().key));
  chain += example().certificate;
  CHECK(error_of(Certificate::from_pem(chain, example().key)) ==
        "the certificate: more than 16 certificates");
}

TEST_CASE("Certificate: any cut of a file is an error or a certificate", "[tls]") {
  const std::string& pem = example().certificate;
  for (std::size_t size = 0; size < pem.size(); size += 7) {
    auto cut = Certificate::from_pem(std::string_view(pem).substr(0, size), example().key);
    CHECK((!cut || size + 2 >= pem.size()));
  }
  for (std::size_t size = 0; size < example().key.size(); size += 7) {
    auto cut = Certificate::from_pem(pem, std::string_view(example().key).substr(0, size));
    CHECK((!cut || size + 2 >= example().key.size()));
  }
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("Certificate: certificate and key may be one file, in any order", "[tls]") {
  TemporaryDirectory directory;
  std::string both = directory.write("a.pem", example().key + example().certificate);
  CHECK(Certificate::load(both, both));
  both = directory.write("b.pem", "a comment\n" + example().certificate + "\n" + example().key);
  CHECK(Certificate::load(both, both));
}

TEST_CASE("Certificate: an OCSP response is stapled if it is one", "[tls]") {
  auto with = Certificate::from_pem(example().certificate, example().key, kOcspResponse);
  REQUIRE(with);
  CHECK((*with)->has_ocsp_staple());
  auto load = [](std::string_view ocsp) {
    return Certificate::from_pem(example().certificate, example().key, ocsp);
  };
  CHECK(error_of(load("<html>")) == "the OCSP response: is no OCSP response (DER)");
  CHECK(error_of(load(kOcspResponse + "x")) == "the OCSP response: is no OCSP response (DER)");
  std::string try_later = kOcspResponse;
  try_later[4] = 3;
  CHECK(error_of(load(try_later)) ==
        "the OCSP response: is an OCSP response that reports a failure");
}

TEST_CASE("Certificate: knows until when its OCSP response is good", "[tls]") {
  using namespace std::chrono;
  auto until = [](const std::string& ocsp) {
    auto made = Certificate::from_pem(example().certificate, example().key, ocsp);
    REQUIRE(made);
    return (*made)->ocsp_good_until();
  };
  sys_seconds leap_day = sys_days(2028y / 2 / 29) + 23h + 59min + 58s;
  CHECK(until(ocsp_response("20280229235958Z")) == leap_day);
  // The earliest one counts.
  CHECK(until(ocsp_response("20300101000000Z", "20280229235958Z")) == leap_day);
  CHECK(until(ocsp_response("", "20280229235958Z")) == leap_day);
  for (const std::string& silent :
       {kOcspResponse, ocsp_response(""), ocsp_response("20280230000000Z"),
        ocsp_response("20281301000000Z"), ocsp_response("20280229240000Z"),
        ocsp_response("2028022923595Z"), ocsp_response("20280229235958+"),
        ocsp_response("99991231235959Z"), ocsp_response("2028 229235958Z")}) {
    CHECK(until(silent) == Certificate::Time::max());
  }
}

TEST_CASE("Certificate: an OCSP response that is cut or changed anywhere does no harm", "[tls]") {
  std::string whole = ocsp_response("20280229235958Z");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string cut = whole.substr(0, i);
    if (i > 0) CHECK_FALSE(Certificate::from_pem(example().certificate, example().key, cut));
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x55);
    (void)Certificate::from_pem(example().certificate, example().key, changed);
    CHECK(ERR_peek_error() == 0);
  }
}

TEST_CASE("Certificate: a signer stands for a key", "[tls]") {
  auto certificate = Certificate::with_signer(example().certificate, std::make_shared<NoSigner>());
  REQUIRE(certificate);
  CHECK((*certificate)->key_type() == KeyType::Ecdsa);
}

}  // namespace pingora
