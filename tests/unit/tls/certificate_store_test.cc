// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/certificate_store.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "made_certificate.h"
#include "pingora/base/log.h"
#include "temporary_directory.h"

namespace pingora {
namespace {

namespace fs = std::filesystem;

Certificate::Ptr made(std::vector<std::string> names, KeyType type = KeyType::Ecdsa) {
  MadeCertificate pem = make_certificate({.names = std::move(names), .key_type = type});
  auto certificate = Certificate::from_pem(pem.certificate, pem.key);
  REQUIRE(certificate);
  return *certificate;
}

void write_pair(const TemporaryDirectory& directory, const std::string& name,
                const MadeCertificate& pem) {
  directory.write(name + ".crt", pem.certificate);
  directory.write(name + ".key", pem.key);
}

MadeCertificate pem_of(const std::string& name) { return make_certificate({.names = {name}}); }

std::string sha256_of(const MadeCertificate& pem) {
  auto certificate = Certificate::from_pem(pem.certificate, pem.key);
  REQUIRE(certificate);
  return (*certificate)->sha256();
}

std::string sha256_of(const CertificateStore& store, std::string_view name) {
  Certificate::Ptr found = store.find(name);
  return found ? found->sha256() : std::string();
}

// What tests of bad files make the store say is not for their output.
struct Quiet {
  Quiet() { set_log_level(LogLevel::Off); }
  ~Quiet() { set_log_level(LogLevel::Warn); }
};

}  // namespace

TEST_CASE("CertificateStore: finds by exact name, then by wildcard", "[tls]") {
  Certificate::Ptr exact = made({"www.example.org", "example.org"});
  Certificate::Ptr wildcard = made({"*.example.org"});
  CertificateStore store;
  CHECK(store.find("example.org") == nullptr);
  CHECK(store.default_certificate() == nullptr);
  store.add(wildcard);
  store.add(exact);
  CHECK(store.stats().certificates == 2);

  CHECK(store.find("www.example.org") == exact);
  CHECK(store.find("WWW.Example.Org") == exact);
  CHECK(store.find("www.example.org.") == exact);
  CHECK(store.find("example.org") == exact);
  CHECK(store.find("api.example.org") == wildcard);
  CHECK(store.find("a.b.example.org") == nullptr);
  CHECK(store.find("*.example.org") == nullptr);
  CHECK(store.find(".example.org") == nullptr);
  CHECK(store.find("org") == nullptr);
  CHECK(store.find("") == nullptr);
  CHECK(store.find(".") == nullptr);
  CHECK(store.find("example.com") == nullptr);
  CHECK(store.default_certificate() == wildcard);
}

TEST_CASE("CertificateStore: names at the limit of DNS and above", "[tls]") {
  CertificateStore store;
  Certificate::Ptr wildcard = made({"*.example.org"});
  store.add(wildcard);
  for (std::size_t size : {253, 254}) {  // the latter with its dot
    std::string name = std::string(241, 'a') + ".example.org";
    REQUIRE(name.size() == 253);
    if (size == 254) name += '.';
    CHECK(store.find(name) == wildcard);
  }
  CHECK(store.find(std::string(243, 'a') + ".example.org") == nullptr);
  CHECK(store.find(std::string(100'000, 'a')) == nullptr);
}

TEST_CASE("CertificateStore: a name has one certificate for each kind of key", "[tls]") {
  Certificate::Ptr ecdsa = made({"example.org"});
  Certificate::Ptr rsa = made({"example.org"}, KeyType::Rsa);
  Certificate::Ptr ed25519 = made({"example.org"}, KeyType::Ed25519);
  CertificateStore store;
  store.add(rsa);
  CHECK(store.find("example.org") == rsa);
  store.add(ecdsa);
  store.add(ed25519);
  store.add(made({"example.org"}));  // comes too late

  CHECK(store.find("example.org") == ecdsa);
  CHECK(store.find("example.org", {.ecdsa = false, .ed25519 = true}) == ed25519);
  CHECK(store.find("example.org", {.ecdsa = false}) == rsa);
  // None is accepted: the handshake says so better than we could.
  CHECK(store.find("example.org", {.ecdsa = false, .ed25519 = false, .rsa = false}) == ecdsa);

  CHECK(store.default_certificate() == rsa);
  CHECK(store.default_certificate({.ecdsa = true, .rsa = false}) == ecdsa);
}

TEST_CASE("CertificateStore: reads files again when it is told to", "[tls]") {
  Quiet quiet;
  TemporaryDirectory directory;
  MadeCertificate first = pem_of("a.test");
  MadeCertificate second = pem_of("a.test");
  write_pair(directory, "a", first);
  CertificateStore store;
  REQUIRE(store.add_files(directory.path("a.crt"), directory.path("a.key")));
  Certificate::Ptr before = store.find("a.test");

  REQUIRE(store.reload());
  CHECK(store.find("a.test") == before);  // the same files: the same object

  SECTION("a new certificate and its key take over") {
    write_pair(directory, "a", second);
    REQUIRE(store.reload());
    CHECK(sha256_of(store, "a.test") == sha256_of(second));
    CHECK(store.stats().reloads == 2);
    CHECK(store.stats().failures == 0);
  }
  SECTION("a certificate without its key leaves the old one") {
    directory.write("a.crt", second.certificate);
    auto reloaded = store.reload();
    REQUIRE_FALSE(reloaded);
    CHECK(reloaded.error().context() == directory.path("a.crt") + ", " + directory.path("a.key") +
                                            ": the private key is not that of the certificate");
    CHECK(store.find("a.test") == before);
    CHECK(store.stats().failures == 1);
    directory.write("a.key", second.key);
    REQUIRE(store.reload());
    CHECK(sha256_of(store, "a.test") == sha256_of(second));
  }
  SECTION("a file that has gone, or is garbage, leaves the old one") {
    fs::remove(directory.path("a.crt"));
    CHECK_FALSE(store.reload());
    CHECK(store.find("a.test") == before);
    directory.write("a.crt", "garbage");
    CHECK_FALSE(store.reload());
    CHECK(store.find("a.test") == before);
  }
  SECTION("one that has expired leaves the old one") {
    write_pair(directory, "a",
               make_certificate({.names = {"a.test"},
                                 .valid_from = std::chrono::hours(-48),
                                 .valid_until = std::chrono::hours(-24)}));
    CHECK_FALSE(store.reload());
    CHECK(store.find("a.test") == before);
  }
  SECTION("other files are read all the same") {
    write_pair(directory, "b", pem_of("b.test"));
    REQUIRE(store.add_files(directory.path("b.crt"), directory.path("b.key")));
    directory.write("a.crt", "garbage");
    MadeCertificate next = pem_of("b.test");
    write_pair(directory, "b", next);
    CHECK_FALSE(store.reload());
    CHECK(store.find("a.test") == before);
    CHECK(sha256_of(store, "b.test") == sha256_of(next));
  }
}

TEST_CASE("CertificateStore: files that cannot be used are not added", "[tls]") {
  TemporaryDirectory directory;
  CertificateStore store;
  CHECK_FALSE(store.add_files(directory.path("a.crt"), directory.path("a.key")));
  CHECK_FALSE(store.add_directory(directory.path()));  // empty
  CHECK_FALSE(store.add_directory(directory.path("missing")));
  CHECK(store.stats().certificates == 0);
}

TEST_CASE("CertificateStore: takes a directory with all that is in it", "[tls]") {
  Quiet quiet;
  TemporaryDirectory directory;
  write_pair(directory, "b", pem_of("b.test"));
  write_pair(directory, "default", pem_of("default.test"));
  MadeCertificate both = pem_of("both.test");
  directory.write("both.pem", both.key + both.certificate);
  directory.write("ca.crt", both.certificate);  // no key: not ours to show
  directory.write("dhparam.pem", "-----BEGIN DH PARAMETERS-----\n");
  directory.write("README", "text");
  MadeCertificate certbot = pem_of("certbot.test");
  directory.write("certbot.test/fullchain.pem", certbot.certificate);
  directory.write("certbot.test/privkey.pem", certbot.key);
  directory.write("certbot.test/cert.pem", certbot.certificate);
  MadeCertificate kubernetes = pem_of("kubernetes.test");
  directory.write("secret/tls.crt", kubernetes.certificate);
  directory.write("secret/tls.key", kubernetes.key);
  directory.write(".hidden/tls.crt", "garbage");
  directory.write(".hidden/tls.key", "garbage");

  CertificateStore store;
  REQUIRE(store.add_directory(directory.path()));
  CHECK(store.stats().certificates == 5);
  for (const char* name : {"b", "default", "both", "certbot", "kubernetes"}) {
    CHECK(store.find(std::string(name) + ".test") != nullptr);
  }
  CHECK(store.default_certificate() == store.find("default.test"));

  SECTION("what comes, changes and goes is followed") {
    write_pair(directory, "c", pem_of("c.test"));
    MadeCertificate next = pem_of("b.test");
    write_pair(directory, "b", next);
    fs::remove(directory.path("both.pem"));
    REQUIRE(store.reload());
    CHECK(store.find("c.test") != nullptr);
    CHECK(sha256_of(store, "b.test") == sha256_of(next));
    CHECK(store.find("both.test") == nullptr);
    CHECK(store.stats().certificates == 5);
  }
  SECTION("a key that has gone, without its certificate, leaves the old pair") {
    fs::remove(directory.path("b.key"));
    CHECK_FALSE(store.reload());
    CHECK(store.find("b.test") != nullptr);
  }
  SECTION("a new pair that is bad is left out") {
    directory.write("d.crt", "garbage");
    directory.write("d.key", "garbage");
    CHECK_FALSE(store.reload());
    CHECK(store.stats().certificates == 5);
  }
  SECTION("a directory that has gone, or is empty, leaves everything") {
    fs::rename(directory.path(), directory.path() + ".away");
    CHECK_FALSE(store.reload());
    CHECK(store.stats().certificates == 5);
    fs::create_directory(directory.path());
    CHECK_FALSE(store.reload());
    CHECK(store.stats().certificates == 5);
    fs::remove_all(directory.path() + ".away");
  }
}

TEST_CASE("CertificateStore: one directory may be one certificate's", "[tls]") {
  TemporaryDirectory directory;
  MadeCertificate pem = pem_of("a.test");
  directory.write("fullchain.pem", pem.certificate);
  directory.write("privkey.pem", pem.key);
  directory.write("cert.pem", pem.certificate);
  CertificateStore store;
  REQUIRE(store.add_directory(directory.path()));
  CHECK(store.stats().certificates == 1);
}

TEST_CASE("CertificateStore: readers meet either the old or the new", "[tls]") {
  TemporaryDirectory directory;
  MadeCertificate one = pem_of("a.test");
  MadeCertificate two = pem_of("a.test");
  write_pair(directory, "a", one);
  CertificateStore store;
  REQUIRE(store.add_files(directory.path("a.crt"), directory.path("a.key")));
  const std::string sha_one = sha256_of(one);
  const std::string sha_two = sha256_of(two);
  std::atomic<bool> is_over{false};
  std::atomic<int> strange{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!is_over.load()) {
        Certificate::Ptr found = store.find("a.test");
        if (!found || (found->sha256() != sha_one && found->sha256() != sha_two)) ++strange;
      }
    });
  }
  for (int i = 0; i < 40; ++i) {
    write_pair(directory, "a", i % 2 == 0 ? two : one);
    CHECK(store.reload());
  }
  is_over = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(strange == 0);
}

}  // namespace pingora
