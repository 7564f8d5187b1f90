// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/load_balancing/load_balancer.h"

#include <catch2/catch.hpp>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "pingora/net/listener.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task_group.h"
#include "pingora/server/server.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

Backend backend(std::uint16_t port, std::uint16_t weight = 1) {
  return Backend(*SocketAddress::parse("127.0.0.1", port), weight);
}

using Balancer = LoadBalancer<RoundRobin>;

std::uint16_t port_of(const std::optional<Backend>& selected) {
  return selected ? selected->address().port() : 0;
}

std::map<std::uint16_t, int> select_many(const Balancer& balancer, int count) {
  std::map<std::uint16_t, int> seen;
  for (int i = 0; i < count; ++i) ++seen[port_of(balancer.select())];
  return seen;
}

// Health as a test sets it; counts how many checks run at the same time.
class ScriptedCheck : public HealthCheck {
 public:
  struct Script {
    std::map<std::uint16_t, bool> is_good;
    unsigned success_threshold = 1;
    unsigned failure_threshold = 1;
    std::vector<std::pair<std::uint16_t, Health>> changes;
    int running = 0;
    int running_max = 0;
    int checks = 0;
  };
  explicit ScriptedCheck(Script& script) : script_(script) {}
  Task<> check(const Backend& checked) override {
    ++script_.checks;
    script_.running_max = std::max(script_.running_max, ++script_.running);
    co_await yield();
    --script_.running;
    if (!script_.is_good[checked.address().port()]) co_await Error::internal("scripted");
  }
  unsigned threshold(Health health) const noexcept override {
    return health == Health::Healthy ? script_.success_threshold : script_.failure_threshold;
  }
  void on_health_change(const Backend& changed, Health health) override {
    script_.changes.emplace_back(changed.address().port(), health);
  }

 private:
  Script& script_;
};

class ScriptedDiscovery : public ServiceDiscovery {
 public:
  explicit ScriptedDiscovery(std::vector<Result<DiscoveredBackends>>& answers)
      : answers_(answers) {}
  Task<DiscoveredBackends> discover() override {
    Result<DiscoveredBackends> answer = std::move(answers_.front());
    answers_.erase(answers_.begin());
    return answer;
  }

 private:
  std::vector<Result<DiscoveredBackends>>& answers_;
};

struct Running {
  Running() { runtime.start(); }
  Runtime runtime{{.threads = 2}};
};

}  // namespace

TEST_CASE("weighted_order: spreads each backend evenly", "[load_balancing]") {
  auto order = [](std::vector<std::uint16_t> weights) {
    std::vector<Backend> backends;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      backends.push_back(backend(static_cast<std::uint16_t>(i + 1), weights[i]));
    }
    return weighted_order(backends);
  };
  using Order = std::vector<std::uint32_t>;
  CHECK(order({}).empty());
  CHECK(order({0, 0}).empty());
  CHECK(order({1, 1, 1}) == Order{0, 1, 2});
  CHECK(order({7, 7}) == Order{0, 1});
  CHECK(order({3, 1}) == Order{0, 0, 1, 0});
  CHECK(order({1, 0, 2}) == Order{2, 0, 2});
  // Each at its limit: rounded, with everybody in it.
  Order large = order({65535, 65534, 1});
  CHECK(large.size() <= 65'537);
  CHECK(std::ranges::count(large, 2U) == 1);
}

TEST_CASE("LoadBalancer: round robin takes each in turn, as often as its weight says",
          "[load_balancing]") {
  auto equal = Balancer::from_addresses({"127.0.0.1:1", "127.0.0.1:2", "[::1]:3"});
  REQUIRE(equal.has_value());
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < 6; ++i) ports.push_back(port_of((*equal)->select()));
  CHECK(ports == std::vector<std::uint16_t>{1, 2, 3, 1, 2, 3});

  auto weighted = Balancer::from_backends({backend(1, 3), backend(2, 1), backend(3, 0)});
  CHECK(select_many(*weighted, 400) == std::map<std::uint16_t, int>{{1, 300}, {2, 100}});
}

TEST_CASE("LoadBalancer: without a backend that has a weight there is none", "[load_balancing]") {
  CHECK_FALSE(Balancer::from_backends({})->select());
  CHECK_FALSE(Balancer::from_backends({backend(1, 0)})->select());
}

TEST_CASE("LoadBalancer: what is no address is an error in one line", "[load_balancing]") {
  auto balancer = Balancer::from_addresses({"127.0.0.1:1", "localhost:80"});
  REQUIRE_FALSE(balancer.has_value());
  CHECK(balancer.error().type() == ErrorType::ConfigError);
  CHECK(balancer.error().context() ==
        "backend 'localhost:80' is no address (such as 127.0.0.1:80, [::1]:80)");
}

TEST_CASE("LoadBalancer: select_with looks at no more than it may", "[load_balancing]") {
  auto balancer = Balancer::from_backends({backend(1), backend(2), backend(3)});
  int looked = 0;
  auto none = balancer->select_with({}, 5, [&](const Backend&, bool is_ready) {
    CHECK(is_ready);
    ++looked;
    return false;
  });
  CHECK_FALSE(none);
  CHECK(looked == 5);
  CHECK_FALSE(balancer->select({}, 0));
  auto third = balancer->select_with(
      {}, 256, [](const Backend& seen, bool) { return seen.address().port() == 3; });
  CHECK(port_of(third) == 3);
}

TEST_CASE("LoadBalancer: backends keep what a program gave them", "[load_balancing]") {
  Backend named = backend(1);
  named.set_extension(std::string("example.com"));
  auto balancer = Balancer::from_backends({named});
  auto selected = balancer->select();
  REQUIRE(selected);
  REQUIRE(selected->extension<std::string>() != nullptr);
  CHECK(*selected->extension<std::string>() == "example.com");
  CHECK(selected->extension<int>() == nullptr);
  CHECK(*selected == backend(1));
}

TEST_CASE("LoadBalancer: backends that fail their check get nothing until they pass it",
          "[load_balancing]") {
  Running running;
  ScriptedCheck::Script script;
  script.is_good = {{1, true}, {2, false}, {3, true}, {4, true}};
  auto balancer = Balancer::from_backends({backend(1), backend(2), backend(3), backend(4)});
  balancer->set_health_check(std::make_unique<ScriptedCheck>(script));
  REQUIRE(block_on(running.runtime, balancer->run_health_check()));
  auto seen = select_many(*balancer, 4000);
  CHECK(seen[2] == 0);
  // Its share is spread over all others.
  for (std::uint16_t port : {1, 3, 4}) CHECK(seen[port] > 1200);
  CHECK(script.changes == std::vector<std::pair<std::uint16_t, Health>>{{2, Health::Unhealthy}});

  script.is_good[2] = true;
  REQUIRE(block_on(running.runtime, balancer->run_health_check()));
  CHECK(select_many(*balancer, 4000)[2] == 1000);
  CHECK(script.changes.size() == 2);

  script.is_good = {};
  REQUIRE(block_on(running.runtime, balancer->run_health_check()));
  CHECK_FALSE(balancer->select());
  // Whoever wants one all the same may have it.
  CHECK(balancer->select_with({}, 1, [](const Backend&, bool) { return true; }));
}

TEST_CASE("LoadBalancer: it takes as many results in a row as the thresholds say",
          "[load_balancing]") {
  Running running;
  ScriptedCheck::Script script;
  script.failure_threshold = 3;
  script.success_threshold = 2;
  auto balancer = Balancer::from_backends({backend(1)});
  balancer->set_health_check(std::make_unique<ScriptedCheck>(script));
  auto after = [&](std::initializer_list<bool> results) {
    for (bool is_good : results) {
      script.is_good[1] = is_good;
      REQUIRE(block_on(running.runtime, balancer->run_health_check()));
    }
    return balancer->select().has_value();
  };
  CHECK(after({false, false}));
  CHECK(after({true, false, false}));
  CHECK_FALSE(after({false}));
  CHECK_FALSE(after({true, false, true}));
  CHECK(after({true}));
}

TEST_CASE("LoadBalancer: checks run side by side, as many as it may", "[load_balancing]") {
  Running running;
  ScriptedCheck::Script script;
  std::vector<Backend> backends;
  for (std::uint16_t port = 1; port <= 40; ++port) {
    backends.push_back(backend(port));
    script.is_good[port] = true;
  }
  auto balancer = Balancer::from_backends(backends);
  balancer->set_health_check(std::make_unique<ScriptedCheck>(script));
  auto [allowed, expected] =
      GENERATE(table<unsigned, int>({{0, 1}, {1, 1}, {2, 2}, {7, 7}, {16, 16}, {100, 16}}));
  balancer->options.parallel_health_checks = allowed;
  REQUIRE(block_on(running.runtime, balancer->run_health_check()));
  CHECK(script.running_max == expected);
  CHECK(script.checks == 40);
}

TEST_CASE("LoadBalancer: discovery changes the set, and known backends keep their state",
          "[load_balancing]") {
  Running running;
  ScriptedCheck::Script script;
  script.is_good = {{1, true}, {2, false}, {3, true}};
  std::vector<Result<DiscoveredBackends>> answers;
  answers.emplace_back(DiscoveredBackends{{backend(1), backend(2), backend(1)}});
  answers.emplace_back(DiscoveredBackends{{backend(2), backend(3)}});
  answers.emplace_back(fail(ErrorType::InternalError, "no answer"));
  answers.emplace_back(DiscoveredBackends{{backend(2), backend(3)}, {backend(3).address()}});
  Balancer balancer(std::make_unique<ScriptedDiscovery>(answers));
  balancer.set_health_check(std::make_unique<ScriptedCheck>(script));
  CHECK_FALSE(balancer.select());
  REQUIRE(block_on(running.runtime, balancer.update()));
  CHECK(balancer.backends().set()->backends.size() == 2);
  REQUIRE(block_on(running.runtime, balancer.run_health_check()));
  CHECK(select_many(balancer, 10) == std::map<std::uint16_t, int>{{1, 10}});
  REQUIRE(block_on(running.runtime, balancer.update()));
  CHECK(select_many(balancer, 10) == std::map<std::uint16_t, int>{{3, 10}});
  CHECK_FALSE(block_on(running.runtime, balancer.update()));
  CHECK(select_many(balancer, 10) == std::map<std::uint16_t, int>{{3, 10}});
  REQUIRE(block_on(running.runtime, balancer.update()));
  CHECK_FALSE(balancer.select());
}

TEST_CASE("LoadBalancer: as a background service it is ready once all were checked",
          "[load_balancing]") {
  auto alive = Listener::bind(*SocketAddress::parse("127.0.0.1:0"));
  REQUIRE(alive.has_value());
  std::string dead;
  {
    auto closed = Listener::bind(*SocketAddress::parse("127.0.0.1:0"));
    REQUIRE(closed.has_value());
    dead = closed->local_address().to_string();
  }
  std::string living = alive->local_address().to_string();
  auto balancer = Balancer::from_addresses({living, dead});
  REQUIRE(balancer.has_value());
  (*balancer)->set_health_check(std::make_unique<TcpHealthCheck>());
  (*balancer)->options.health_check_frequency = 4ms;
  Configuration configuration;
  configuration.threads = 2;
  Server server(configuration);

  struct Selecting : BackgroundService {
    std::shared_ptr<Balancer> balancer;
    std::vector<std::string> selected;
    Event is_done;
    Task<> start(ShutdownWatch&, ReadyNotifier) override {
      for (int i = 0; i < 4; ++i) {
        auto backend = balancer->select();
        selected.push_back(backend ? backend->address().to_string() : "none");
      }
      is_done.set();
      return {};
    }
  };
  auto selecting = std::make_shared<Selecting>();
  selecting->balancer = *balancer;
  auto checks = server.add_service(background_service("health checks", *balancer));
  server.add_service(background_service("selecting", selecting)).add_dependency(checks);
  REQUIRE(server.start());
  while (!selecting->is_done.is_set()) std::this_thread::yield();
  CHECK(selecting->selected == std::vector<std::string>(4, living));
  // A backend that comes back is found by a later check.
  auto revived = Listener::bind(*SocketAddress::parse(dead));
  REQUIRE(revived.has_value());
  while (select_many(**balancer, 2).size() < 2) std::this_thread::yield();
  server.shutdown();
  server.wait();
}

TEST_CASE("LoadBalancer: many threads select while the set changes", "[load_balancing]") {
  class Alternating : public ServiceDiscovery {
   public:
    Task<DiscoveredBackends> discover() override {
      std::uint16_t first = ++count_ % 2 == 0 ? 1 : 3;
      return DiscoveredBackends{{backend(first), backend(static_cast<std::uint16_t>(first + 1))}};
    }

   private:
    unsigned count_ = 0;
  };
  Running running;
  Balancer balancer(std::make_unique<Alternating>());
  REQUIRE(block_on(running.runtime, balancer.update()));
  std::atomic<bool> is_over{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!is_over) {
        std::uint16_t port = port_of(balancer.select());
        if (port < 1 || port > 4) ++wrong;
      }
    });
  }
  for (int i = 0; i < 300; ++i) REQUIRE(block_on(running.runtime, balancer.update()));
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}
