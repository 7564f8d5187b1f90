// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Many workers: what they share, and what a stuck one does to its connections.
#include <catch2/catch.hpp>
#include <latch>
#include <list>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "recording_proxy.h"

using namespace pingora;

namespace {

// What a proxy and its test share.
struct Shared {
  std::mutex mutex;
  std::set<std::size_t> workers;  // that served; guarded by mutex
  std::latch is_stuck{1};
  std::latch may_go_on{1};
};

// Sends all to one peer. A request for /stuck blocks its worker's thread until the test lets it go,
// one for /throw fails.
class Blocking : public ProxyHttp<> {
 public:
  Blocking(SocketAddress origin, std::shared_ptr<Shared> shared)
      : origin_(std::move(origin)), shared_(std::move(shared)) {}
  Task<bool> request_filter(Session& session, NoContext&) override {
    if (session.req_header().path() == "/throw") throw std::runtime_error("part of the test");
    if (session.req_header().path() != "/stuck") return false;
    shared_->is_stuck.count_down();
    shared_->may_go_on.wait();
    return false;
  }
  Task<HttpPeer> upstream_peer(Session&, NoContext&) override {
    std::lock_guard lock(shared_->mutex);
    shared_->workers.insert(Strand::current()->worker().index());
    return HttpPeer(origin_);
  }

 private:
  SocketAddress origin_;
  std::shared_ptr<Shared> shared_;
};

ProxyUnderTestOptions with_threads(unsigned threads) {
  ProxyUnderTestOptions options;
  options.configuration.threads = threads;
  return options;
}

// A connection is given back behind the end of its response.
void wait_until_idle(HttpConnector& connector, std::size_t connections) {
  auto until = std::chrono::steady_clock::now() + WireConnection::kPatience;
  while (connector.pool().size() != connections && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("Workers: share upstream connections", "[workers]") {
  KeptLog log;
  OriginServer origin(OriginServer::answer_all(OriginServer::ok("hello")));
  auto shared = std::make_shared<Shared>();
  ProxyUnderTest proxy(Blocking(origin.address(), shared), with_threads(4));
  std::list<TestClient> clients;
  for (int i = 0; i < 12; ++i) clients.emplace_back(proxy.address());
  for (int round = 0; round < 3; ++round) {
    for (TestClient& client : clients) {
      REQUIRE(client.get("/").body == "hello");
      wait_until_idle(proxy.connector(), 1);
    }
  }
  CHECK(origin.connections() == 1);
  CHECK(origin.requests().size() == 36);
  CHECK(shared->workers.size() == 4);
  CHECK(proxy.connector().pool().stats().moved > 0);
}

TEST_CASE("Workers: requests side by side take no more connections than requests", "[workers]") {
  KeptLog log;
  OriginServer origin(OriginServer::answer_all(OriginServer::ok("hello")));
  ProxyUnderTest proxy(Blocking(origin.address(), std::make_shared<Shared>()), with_threads(4));
  constexpr int kSideBySide = 3;
  for (int round = 0; round < 10; ++round) {
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int i = 0; i < kSideBySide; ++i) {
      threads.emplace_back([&] {
        if (TestClient(proxy.address()).get("/").body == "hello") ++good;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(good == kSideBySide);
    wait_until_idle(proxy.connector(), static_cast<std::size_t>(origin.connections()));
  }
  CHECK(origin.connections() <= kSideBySide);
}

TEST_CASE("Workers: the connections of a stuck one are served meanwhile", "[workers]") {
  KeptLog log;
  OriginServer origin(OriginServer::answer_all(OriginServer::ok("hello")));
  auto shared = std::make_shared<Shared>();
  ProxyUnderTest proxy(Blocking(origin.address(), shared), with_threads(1));
  TestClient old_client(proxy.address());
  REQUIRE(old_client.get("/").body == "hello");
  TestClient stuck(proxy.address());
  stuck.send("GET /stuck HTTP/1.1\r\nHost: test\r\n\r\n");
  shared->is_stuck.wait();
  for (int i = 0; i < 20; ++i) {
    CHECK(old_client.get("/").body == "hello");
    CHECK(TestClient(proxy.address()).post("/", std::string(50'000, 'b')).body == "hello");
  }
  SECTION("and exceptions are theirs alone") {
    TestClient failing(proxy.address());
    CHECK(failing.get("/throw").status() == 500);
    CHECK(failing.is_closed_by_peer());
    CHECK(old_client.get("/").body == "hello");
  }
  shared->may_go_on.count_down();
  CHECK(stuck.receive_response().body == "hello");
  CHECK(stuck.get("/").body == "hello");
  CHECK(old_client.get("/").body == "hello");
  CHECK(proxy.server().runtime().helped_count() > 0);
}
