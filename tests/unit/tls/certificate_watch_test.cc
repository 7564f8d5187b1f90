// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "made_certificate.h"
#include "pingora/base/log.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task_group.h"
#include "pingora/tls/certificate_store.h"
#include "temporary_directory.h"

namespace pingora {
namespace {

namespace fs = std::filesystem;

// A store with the files a.crt and a.key of a directory, watched.
struct Watched {
  TemporaryDirectory directory;
  CertificateStore store;
  Runtime runtime{RuntimeOptions{.threads = 1, .name = "test"}};
  TaskGroup group{runtime};

  Watched() { set_log_level(LogLevel::Off); }
  ~Watched() {
    group.cancel();
    group.join_blocking();
    set_log_level(LogLevel::Warn);
  }

  void start() {
    runtime.start();
    group.spawn(store.watch());
    // A change can only be noticed once it watches: one that is made again until it is.
    CHECK(is_reloaded_by([&] { directory.write("a.crt", current.certificate); }));
  }
  void add_files(const std::string& in = "") {
    write_pair(in, current);
    REQUIRE(store.add_files(directory.path(in + "a.crt"), directory.path(in + "a.key")));
  }
  void write_pair(const std::string& in, const MadeCertificate& pem) {
    directory.write(in + "a.crt", pem.certificate);
    directory.write(in + "a.key", pem.key);
  }
  bool is_reloaded_by(const std::function<void()>& change) {
    std::uint64_t before = store.stats().reloads;
    for (int tries = 0; tries < 40; ++tries) {
      change();
      if (waits([&] { return store.stats().reloads > before; }, std::chrono::milliseconds(500))) {
        return true;
      }
    }
    return false;
  }
  bool serves(const MadeCertificate& pem) {
    auto certificate = Certificate::from_pem(pem.certificate, pem.key);
    return waits([&] {
      Certificate::Ptr found = store.find("a.test");
      return found && found->sha256() == (*certificate)->sha256();
    });
  }
  static bool waits(const std::function<bool()>& condition,
                    std::chrono::milliseconds at_most = std::chrono::seconds(20)) {
    auto end = std::chrono::steady_clock::now() + at_most;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

  MadeCertificate current = make_certificate({.names = {"a.test"}});
  MadeCertificate next = make_certificate({.names = {"a.test"}});
};

}  // namespace

TEST_CASE("CertificateStore watch: follows files that are written", "[tls]") {
  Watched test;
  test.add_files();
  test.start();
  test.write_pair("", test.next);
  CHECK(test.serves(test.next));
}

TEST_CASE("CertificateStore watch: follows files that are renamed into place", "[tls]") {
  Watched test;
  test.add_files();
  test.start();
  test.directory.write("new.crt", test.next.certificate);
  test.directory.write("new.key", test.next.key);
  fs::rename(test.directory.path("new.key"), test.directory.path("a.key"));
  fs::rename(test.directory.path("new.crt"), test.directory.path("a.crt"));
  CHECK(test.serves(test.next));
}

TEST_CASE("CertificateStore watch: a bad file is passed over, the next good one is not", "[tls]") {
  Watched test;
  test.add_files();
  test.start();
  test.directory.write("a.crt", "garbage");
  CHECK(Watched::waits([&] { return test.store.stats().failures != 0; }));
  CHECK(test.serves(test.current));
  test.write_pair("", test.next);
  CHECK(test.serves(test.next));
}

TEST_CASE("CertificateStore watch: follows links as Kubernetes changes them", "[tls]") {
  Watched test;
  test.directory.write("v1/a.crt", test.current.certificate);
  test.directory.write("v1/a.key", test.current.key);
  fs::create_directory_symlink("v1", test.directory.path("data"));
  fs::create_symlink("data/a.crt", test.directory.path("a.crt"));
  fs::create_symlink("data/a.key", test.directory.path("a.key"));
  REQUIRE(test.store.add_files(test.directory.path("a.crt"), test.directory.path("a.key")));
  test.start();  // which writes through the links
  test.directory.write("v2/a.crt", test.next.certificate);
  test.directory.write("v2/a.key", test.next.key);
  fs::create_directory_symlink("v2", test.directory.path("data.new"));
  fs::rename(test.directory.path("data.new"), test.directory.path("data"));
  CHECK(test.serves(test.next));
  // And where they lead now.
  test.directory.write("v2/a.crt", test.current.certificate);
  test.directory.write("v2/a.key", test.current.key);
  CHECK(test.serves(test.current));
}

TEST_CASE("CertificateStore watch: a directory that is replaced is found again", "[tls]") {
  Watched test;
  test.add_files("certs/");
  test.runtime.start();
  test.group.spawn(test.store.watch());
  REQUIRE(
      test.is_reloaded_by([&] { test.directory.write("certs/a.crt", test.current.certificate); }));
  fs::rename(test.directory.path("certs"), test.directory.path("old"));
  CHECK(Watched::waits([&] { return test.store.stats().failures != 0; }));
  CHECK(test.serves(test.current));
  test.write_pair("certs/", test.next);
  CHECK(test.serves(test.next));
}

TEST_CASE("CertificateStore watch: follows a directory of certificates", "[tls]") {
  Watched test;
  test.write_pair("", test.current);
  REQUIRE(test.store.add_directory(test.directory.path()));
  test.start();
  MadeCertificate other = make_certificate({.names = {"b.test"}});
  test.directory.write("b.key", other.key);
  test.directory.write("b.crt", other.certificate);
  CHECK(Watched::waits([&] { return test.store.find("b.test") != nullptr; }));
  fs::remove(test.directory.path("b.crt"));
  CHECK(Watched::waits([&] { return test.store.find("b.test") == nullptr; }));
}

TEST_CASE("CertificateStore watch: leaves files alone that are none of its own", "[tls]") {
  Watched test;
  test.add_files();
  test.start();
  std::uint64_t before = test.store.stats().reloads;
  for (int i = 0; i < 20; ++i) test.directory.write("access.log", "line");
  REQUIRE(test.is_reloaded_by([&] { test.directory.write("a.key", test.current.key); }));
  CHECK(test.store.stats().reloads <= before + 2);
}

TEST_CASE("CertificateStore watch: of two, the second takes over", "[tls]") {
  Watched test;
  test.add_files();
  {
    TaskGroup first(test.runtime);
    test.runtime.start();
    first.spawn(test.store.watch());
    REQUIRE(test.is_reloaded_by([&] { test.directory.write("a.crt", test.current.certificate); }));
    test.group.spawn(test.store.watch());
    first.cancel();
    first.join_blocking();
  }
  REQUIRE(test.is_reloaded_by([&] { test.directory.write("a.crt", test.current.certificate); }));
  test.write_pair("", test.next);
  CHECK(test.serves(test.next));
}

TEST_CASE("CertificateStore watch: cancelled before it starts, and while it waits", "[tls]") {
  Watched test;
  test.add_files();
  {
    Task<> dropped = test.store.watch();
  }
  test.start();
}

}  // namespace pingora
