// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/resolver.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <latch>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "net_fixture.h"
#include "pingora/runtime/combinators.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

using Addresses = std::vector<SocketAddress>;

SocketAddress ip(const char* text) { return *SocketAddress::parse(text, 0); }

// Answers from a table, and counts.
struct Table {
  NameLookup lookup() {
    return [this](const std::string& host) -> Result<ResolvedName> {
      std::lock_guard lock(mutex);
      ++asked[host];
      auto at = names.find(host);
      if (at == names.end()) return fail(ErrorType::ResolveError, host + ": not in the table");
      return at->second;
    };
  }
  int times_asked(const std::string& host) {
    std::lock_guard lock(mutex);
    return asked[host];
  }
  std::mutex mutex;
  std::map<std::string, ResolvedName> names;
  std::map<std::string, int> asked;
};

struct ResolverFixture : NetFixture {
  Table records;
  std::atomic<TimePoint> now{TimePoint(1h)};
  ResolverOptions options{.lookup = records.lookup(), .now = [this] { return now.load(); }};

  Result<Addresses> resolve(Resolver& resolver, std::string host, std::uint16_t port = 80) {
    return block_on(runtime, resolver.resolve(std::move(host), port));
  }
  void pass(Duration time) { now.store(now.load() + time); }
};

// A name server that gives one A record with a TTL for names that begin with "known", and otherwise
// says that there is no such name.
class NameServer {
 public:
  explicit NameServer(std::uint32_t ttl) : ttl_(ttl) {
    sockaddr_storage storage{};
    socklen_t size = NetFixture::loopback().to_sockaddr(storage);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&storage), size) == 0);
    thread_ = std::thread([this] { run(); });
  }
  ~NameServer() {
    is_stopping_ = true;
    thread_.join();
  }
  std::string address() const { return local_address_of(fd_.get()).to_string(); }

 private:
  void run() {
    while (!is_stopping_) {
      pollfd polled{fd_.get(), POLLIN, 0};
      if (::poll(&polled, 1, 10) == 1) answer_one();
    }
  }
  void answer_one() {
    char question[512];
    sockaddr_storage from{};
    socklen_t from_size = sizeof(from);
    auto* address = reinterpret_cast<sockaddr*>(&from);
    ssize_t size = ::recvfrom(fd_.get(), question, sizeof(question), 0, address, &from_size);
    if (size < 17) return;
    std::string answer(question, static_cast<std::size_t>(size));
    std::size_t end = answer.find('\0', 12) + 5;  // of the question section: name, type, class
    bool is_known = answer.substr(13, 5) == "known";
    bool asks_a = answer[end - 3] == 1;
    answer.resize(end);
    answer[2] = static_cast<char>(0x81);                    // an answer
    answer[3] = static_cast<char>(is_known ? 0x80 : 0x83);  // NXDOMAIN
    answer[7] = is_known && asks_a ? 1 : 0;
    answer[9] = answer[11] = 0;
    if (answer[7] == 1) {
      answer += std::string("\xc0\x0c\0\1\0\1", 6);
      for (int shift = 24; shift >= 0; shift -= 8) answer += static_cast<char>(ttl_ >> shift);
      answer += std::string("\0\4\xc0\0\2\7", 6);  // 192.0.2.7
    }
    ::sendto(fd_.get(), answer.data(), answer.size(), 0, address, from_size);
  }

  UniqueFd fd_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::uint32_t ttl_;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE_METHOD(ResolverFixture, "Resolver: numeric hosts are answered without asking", "[net]") {
  Resolver resolver(options);
  CHECK(*resolve(resolver, "192.0.2.1", 81) == Addresses{*SocketAddress::parse("192.0.2.1:81")});
  CHECK(*resolve(resolver, "2001:db8::1", 1) ==
        Addresses{*SocketAddress::parse("[2001:db8::1]:1")});
  CHECK(*resolve(resolver, "[::1]", 1) == Addresses{*SocketAddress::parse("[::1]:1")});
  CHECK(resolver.lookup_count() == 0);
  CHECK(resolver.size() == 0);
}

TEST_CASE_METHOD(ResolverFixture, "Resolver: an answer is believed for its TTL, within bounds",
                 "[net]") {
  options.ttl_min = 5s;
  options.ttl_max = 60s;
  options.ttl_default = 20s;
  auto [ttl, believed] = GENERATE(table<std::chrono::seconds, std::chrono::seconds>(
      {{0s, 5s}, {5s, 5s}, {30s, 30s}, {60s, 60s}, {100000s, 60s}, {-1s, 20s}}));
  records.names["a.example"] = {{ip("192.0.2.1")}, ttl};
  Resolver resolver(options);
  CHECK(*resolve(resolver, "a.example") == Addresses{*SocketAddress::parse("192.0.2.1:80")});
  pass(believed - 1ns);
  CHECK(resolve(resolver, "A.Example."));
  CHECK(records.times_asked("a.example") == 1);
  pass(1ns);
  CHECK(resolve(resolver, "a.example"));
  CHECK(records.times_asked("a.example") == 2);
}

TEST_CASE_METHOD(ResolverFixture, "Resolver: a failure is believed for a short while", "[net]") {
  options.negative_ttl = 2s;
  Resolver resolver(options);
  auto failed = resolve(resolver, "b.example");
  REQUIRE(!failed);
  CHECK(failed.error().type() == ErrorType::ResolveError);
  records.names["b.example"] = {{ip("192.0.2.1")}, 10s};
  CHECK_FALSE(resolve(resolver, "b.example"));
  CHECK(records.times_asked("b.example") == 1);
  pass(2s);
  CHECK(resolve(resolver, "b.example"));
}

TEST_CASE_METHOD(ResolverFixture, "Resolver: where no thread can be had, later ones try again",
                 "[net]") {
  Resolver resolver(options);
  records.names["d.example"] = {.addresses = {ip("192.0.2.4")}};
  // The first thread of the pool gets no stack.
  pthread_attr_t before;
  REQUIRE(::pthread_getattr_default_np(&before) == 0);
  pthread_attr_t none = before;
  REQUIRE(::pthread_attr_setstacksize(&none, std::size_t{1} << 50) == 0);
  REQUIRE(::pthread_setattr_default_np(&none) == 0);
  auto failed = resolve(resolver, "d.example");
  REQUIRE(::pthread_setattr_default_np(&before) == 0);
  ::pthread_attr_destroy(&before);
  REQUIRE(!failed);
  CHECK(failed.error().type() == ErrorType::ResolveError);
  CHECK(failed.error().source() == ErrorSource::Internal);
  CHECK(records.times_asked("d.example") == 0);
  CHECK(resolve(resolver, "d.example")->front().to_string() == "192.0.2.4:80");
}

TEST_CASE_METHOD(ResolverFixture, "Resolver: what a look-up throws is its failure", "[net]") {
  options.lookup = [](const std::string&) -> Result<ResolvedName> {
    throw std::bad_function_call();
  };
  Resolver resolver(options);
  auto failed = resolve(resolver, "c.example");
  REQUIRE(!failed);
  CHECK(failed.error().type() == ErrorType::ResolveError);
}

TEST_CASE_METHOD(ResolverFixture,
                 "Resolver: one look-up answers all who ask meanwhile, "
                 "whoever of them is cancelled",
                 "[net]") {
  std::latch may_answer(1);
  records.names["d.example"] = {{ip("192.0.2.1")}, 10s};
  options.lookup = [&may_answer, inner = records.lookup()](const std::string& host) {
    may_answer.wait();
    return inner(host);
  };
  Resolver resolver(options);
  auto scenario = [](Resolver* from, std::latch* answer) -> Task<std::size_t> {
    auto nothing = []() -> Task<> { co_await yield(); };
    auto first = co_await when_any(from->resolve("d.example", 1), nothing());
    if (first.index() != 1) co_return 0;
    auto release = [](std::latch* latch) -> Task<> {
      co_await yield();
      latch->count_down();
    };
    auto [a, b, none] = co_await when_all(from->resolve("d.example", 2),
                                          from->resolve("d.example", 3), release(answer));
    co_return a.size() + b.size();
  };
  CHECK(*block_on(runtime, scenario(&resolver, &may_answer)) == 2);
  CHECK(resolver.lookup_count() == 1);
}

TEST_CASE_METHOD(ResolverFixture, "Resolver: beyond the cap, what ends first makes room", "[net]") {
  options.entries_max = 2;
  records.names["long"] = {{ip("192.0.2.1")}, 100s};
  records.names["short"] = {{ip("192.0.2.2")}, 10s};
  records.names["other"] = {{ip("192.0.2.3")}, 50s};
  Resolver resolver(options);
  for (const char* host : {"long", "short", "other"}) CHECK(resolve(resolver, host));
  CHECK(resolver.size() == 2);
  CHECK(resolve(resolver, "long"));
  CHECK(records.times_asked("long") == 1);
  CHECK(resolve(resolver, "short"));
  CHECK(records.times_asked("short") == 2);
  resolver.clear();
  CHECK(resolver.size() == 0);
}

TEST_CASE_METHOD(ResolverFixture, "Resolver: is asked from many strands at the same time",
                 "[net]") {
  for (const char* host : {"a", "b", "c"}) records.names[host] = {{ip("192.0.2.1")}, 10s};
  options.entries_max = 2;
  Resolver resolver(options);
  std::atomic<int> answers{0};
  auto ask = [](Resolver* from, std::atomic<int>* count) -> Task<> {
    for (int i = 0; i < 30; ++i) {
      auto found = co_await from->resolve(std::string(1, static_cast<char>('a' + i % 3)), 80);
      if (found.size() == 1) ++*count;
    }
  };
  for (int i = 0; i < 8; ++i) group.spawn(ask(&resolver, &answers));
  group.join_blocking();
  CHECK(answers == 8 * 30);
}

TEST_CASE_METHOD(ResolverFixture, "Resolver: may be destroyed while a look-up runs", "[net]") {
  std::latch may_answer(1);
  options.lookup = [&may_answer](const std::string&) -> Result<ResolvedName> {
    may_answer.wait();
    return ResolvedName{{ip("192.0.2.1")}, 1s};
  };
  auto scenario = [](ResolverOptions with) -> Task<bool> {
    Resolver resolver(std::move(with));
    auto nothing = []() -> Task<> { co_await yield(); };
    auto first = co_await when_any(resolver.resolve("e.example", 1), nothing());
    co_return first.index() == 1;
  };
  CHECK(*block_on(runtime, scenario(options)));
  may_answer.count_down();
  runtime.stop();  // waits for the look-up, which uses the latch
}

TEST_CASE_METHOD(ResolverFixture, "DNS look-up: localhost is known to the hosts file", "[net]") {
  options.lookup = {};
  Resolver resolver(options);
  auto found = resolve(resolver, "localhost", 80);
  REQUIRE(found);
  auto is_loopback = [](const SocketAddress& address) {
    return address.host() == "127.0.0.1" || address.host() == "::1";
  };
  CHECK(std::all_of(found->begin(), found->end(), is_loopback));
}

TEST_CASE_METHOD(ResolverFixture, "DNS look-up: gives addresses and TTLs of the server", "[net]") {
  NameServer server(77);
  auto lookup = dns_lookup({.servers = server.address()});
  auto found = lookup("known.example.");
  REQUIRE(found);
  CHECK(found->addresses == Addresses{ip("192.0.2.7")});
  CHECK(found->ttl == 77s);
  auto missing = lookup("missing.example.");
  REQUIRE(!missing);
  CHECK(missing.error().type() == ErrorType::ResolveError);
}

TEST_CASE("DNS look-up: a server that does not answer is a ResolveError", "[net]") {
  UniqueFd silent(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  socklen_t size = NetFixture::loopback().to_sockaddr(storage);
  REQUIRE(::bind(silent.get(), reinterpret_cast<sockaddr*>(&storage), size) == 0);
  auto lookup = dns_lookup(
      {.servers = local_address_of(silent.get()).to_string(), .timeout = 10ms, .tries = 1});
  auto result = lookup("known.example.");
  REQUIRE(!result);
  CHECK(result.error().type() == ErrorType::ResolveError);
}
