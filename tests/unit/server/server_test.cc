// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/server.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "pingora/runtime/combinators.h"
#include "pingora/server/background_service.h"
#include "pingora/server/listening_service.h"
#include "unit/server/blocking_client.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

Configuration two_threads() {
  Configuration configuration;
  configuration.threads = 2;
  return configuration;
}

template <class T>
std::string error_of(const Result<T>& result) {
  return result ? "no error" : std::string(result.error().context());
}

Task<> wait_for(ShutdownWatch& shutdown) { co_await shutdown.wait(); }

Task<> echo_all(Stream& stream) {
  Buffer buffer;
  while (co_await stream.read(buffer) != 0) {
    std::string text(buffer.view());
    buffer.consume(text.size());
    co_await stream.write({text});
  }
}

// Echoes until the client leaves or, when it is told so, the server.
class Echo : public ServerApp {
 public:
  enum class AtShutdown { Leave, Stay };
  explicit Echo(AtShutdown at_shutdown = AtShutdown::Leave) : at_shutdown_(at_shutdown) {}
  Task<> process_new(std::unique_ptr<Stream> stream, ShutdownWatch& shutdown) override {
    if (at_shutdown_ == AtShutdown::Stay) {
      co_await echo_all(*stream);
    } else {
      co_await when_any(echo_all(*stream), wait_for(shutdown));
    }
  }

 private:
  AtShutdown at_shutdown_;
};

class RefuseAll : public ConnectionFilter {
 public:
  std::atomic<bool> saw_address{false};
  Task<bool> should_accept(const Digest& digest) override {
    saw_address = digest.peer_address.host() == "127.0.0.1";
    return false;
  }
};

// Calls functions on the way.
class Step : public BackgroundService {
 public:
  explicit Step(std::function<Task<>(ShutdownWatch&, ReadyNotifier&)> work)
      : work_(std::move(work)) {}
  Task<> start(ShutdownWatch& shutdown, ReadyNotifier ready) override {
    co_await work_(shutdown, ready);
  }

 private:
  std::function<Task<>(ShutdownWatch&, ReadyNotifier&)> work_;
};

std::shared_ptr<Step> step(std::function<Task<>(ShutdownWatch&, ReadyNotifier&)> work) {
  return std::make_shared<Step>(std::move(work));
}

}  // namespace

TEST_CASE("Server: serves raw connections on TCP and Unix sockets until it is shut down",
          "[server]") {
  std::string path =
      (std::filesystem::temp_directory_path() / ("server_test." + std::to_string(::getpid())))
          .string();
  Server server(two_threads());
  ListeningService service("echo", std::make_unique<Echo>());
  service.add_tcp("127.0.0.1:0");
  service.add_uds(path, 0600);
  auto handle = server.add_service(std::move(service));
  CHECK(handle->local_addresses().empty());
  REQUIRE(error_of(server.start()) == "no error");
  auto addresses = handle->local_addresses();
  REQUIRE(addresses.size() == 2);
  CHECK(addresses[0].port() != 0);
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  std::vector<std::unique_ptr<BlockingClient>> clients;
  for (const SocketAddress& address : addresses) {
    for (int i = 0; i < 4; ++i) {
      clients.push_back(std::make_unique<BlockingClient>(address));
      clients.back()->send("hello");
    }
  }
  for (auto& client : clients) CHECK(client->receive(5) == "hello");
  CHECK(handle->stats().accepted == 8);
  CHECK(handle->stats().open == 8);
  server.shutdown();
  server.wait();
  for (auto& client : clients) CHECK(client->is_closed_by_peer());
  CHECK_FALSE(BlockingClient(addresses[0]).is_connected());
  std::filesystem::remove(path);
}

TEST_CASE("Server: new connections go to the workers in equal parts", "[server]") {
  Server server(two_threads());
  ListeningService service("echo", std::make_unique<Echo>());
  service.add_tcp("127.0.0.1:0");
  auto handle = server.add_service(std::move(service));
  REQUIRE(error_of(server.start()) == "no error");
  std::vector<std::unique_ptr<BlockingClient>> clients;
  for (int i = 0; i < 21; ++i) {
    clients.push_back(std::make_unique<BlockingClient>(handle->local_addresses()[0]));
    clients.back()->send("x");
    clients.back()->receive(1);
  }
  // One task more is the accept loop's.
  CHECK(server.runtime().worker(0).load() == 11);
  CHECK(server.runtime().worker(1).load() == 11);
}

TEST_CASE("Server: a graceful shutdown waits for connections, a second request ends that",
          "[server]") {
  Server server(two_threads());
  ListeningService service("echo", std::make_unique<Echo>(Echo::AtShutdown::Stay));
  service.add_tcp("127.0.0.1:0");
  auto handle = server.add_service(std::move(service));
  REQUIRE(error_of(server.start()) == "no error");
  SocketAddress address = handle->local_addresses()[0];
  BlockingClient client(address);
  client.send("a");
  CHECK(client.receive(1) == "a");
  server.shutdown();
  std::thread waiter([&server] { server.wait(); });
  while (BlockingClient(address).is_connected()) std::this_thread::yield();
  client.send("b");
  CHECK(client.receive(1) == "b");
  SECTION("until the last is gone") { client.close(); }
  SECTION("until it is asked again") {
    server.shutdown();
    CHECK(client.is_closed_by_peer());
  }
  SECTION("until it is asked to be fast") {
    server.shutdown(Shutdown::Fast);
    CHECK(client.is_closed_by_peer());
  }
  waiter.join();
}

TEST_CASE("Server: the grace period bounds a graceful shutdown", "[server]") {
  Configuration configuration = two_threads();
  configuration.grace_period_seconds = 0s;
  Server server(std::move(configuration));
  ListeningService service("echo", std::make_unique<Echo>(Echo::AtShutdown::Stay));
  service.add_tcp("127.0.0.1:0");
  auto handle = server.add_service(std::move(service));
  REQUIRE(error_of(server.start()) == "no error");
  BlockingClient client(handle->local_addresses()[0]);
  client.send("a");
  CHECK(client.receive(1) == "a");
  server.shutdown();
  server.wait();
  CHECK(client.is_closed_by_peer());
}

TEST_CASE("Server: a server that is destroyed cuts off what runs", "[server]") {
  std::optional<Server> server(std::in_place, two_threads());
  ListeningService service("echo", std::make_unique<Echo>(Echo::AtShutdown::Stay));
  service.add_tcp("127.0.0.1:0");
  auto handle = server->add_service(std::move(service));
  REQUIRE(error_of(server->start()) == "no error");
  BlockingClient client(handle->local_addresses()[0]);
  client.send("a");
  CHECK(client.receive(1) == "a");
  server.reset();
  CHECK(client.is_closed_by_peer());
}

TEST_CASE("Server: a connection filter closes connections before anything is read", "[server]") {
  Server server(two_threads());
  ListeningService service("echo", std::make_unique<Echo>());
  service.add_tcp("127.0.0.1:0");
  auto filter = std::make_shared<RefuseAll>();
  service.set_connection_filter(filter);
  auto handle = server.add_service(std::move(service));
  REQUIRE(error_of(server.start()) == "no error");
  BlockingClient client(handle->local_addresses()[0]);
  CHECK(client.is_closed_by_peer());
  CHECK(filter->saw_address);
  CHECK(handle->stats().filtered == 1);
}

TEST_CASE("Server: at connections_max, new connections wait until one ends", "[server]") {
  Server server(two_threads());
  ListeningService service("echo", std::make_unique<Echo>());
  service.add_tcp_with_settings("127.0.0.1:0", {.connections_max = 2});
  auto handle = server.add_service(std::move(service));
  REQUIRE(error_of(server.start()) == "no error");
  SocketAddress address = handle->local_addresses()[0];
  BlockingClient one(address);
  BlockingClient two(address);
  BlockingClient three(address);  // in the kernel's queue
  three.send("3");
  one.send("1");
  two.send("2");
  CHECK(one.receive(1) == "1");
  CHECK(two.receive(1) == "2");
  while (handle->stats().limit_pauses == 0) std::this_thread::yield();
  CHECK(handle->stats().accepted == 2);
  CHECK(handle->stats().open == 2);
  one.close();
  CHECK(three.receive(1) == "3");
  CHECK(handle->stats().accepted == 3);
}

TEST_CASE("Server: several accept loops share a socket", "[server]") {
  Configuration configuration = two_threads();
  configuration.listener_tasks_per_fd = 2;
  Server server(std::move(configuration));
  ListeningService service("echo", std::make_unique<Echo>());
  service.add_tcp("127.0.0.1:0");
  auto handle = server.add_service(std::move(service));
  REQUIRE(error_of(server.start()) == "no error");
  REQUIRE(handle->local_addresses().size() == 1);
  for (int i = 0; i < 20; ++i) {
    BlockingClient client(handle->local_addresses()[0]);
    client.send("x");
    CHECK(client.receive(1) == "x");
  }
}

TEST_CASE("Server: what is wrong at start is one line", "[server]") {
  Server holder(two_threads());
  ListeningService held("held", std::make_unique<Echo>());
  held.add_tcp("127.0.0.1:0");
  auto handle = holder.add_service(std::move(held));
  REQUIRE(error_of(holder.start()) == "no error");
  std::string taken = handle->local_addresses()[0].to_string();

  Configuration configuration = two_threads();
  std::string address = "127.0.0.1:0";
  std::string expected;
  SECTION("an address that is none") {
    auto [text, why] = GENERATE(table<const char*, const char*>({
        {"localhost:80", "no IP address, and a host name is not allowed here"},
        {"localhost", "the port is missing"},
        {"127.0.0.1", "the port is missing"},
        {"127.0.0.1:", "the port is missing"},
        {"[::1]", "the port is missing"},
        {"::1:80", "an IPv6 address stands in brackets"},
        {"127.0.0.1:65536", "the port is no number from 0 to 65535"},
        {"127.0.0.1:-1", "the port is no number from 0 to 65535"},
        {"127.0.0.1:http", "the port is no number from 0 to 65535"},
        {":80", "the address is missing"},
        {"unix:", "the path of a Unix socket has 1 to 107 bytes"},
    }));
    address = text;
    expected = std::string("cannot listen on '") + text + "': " + why +
               " (expected: 127.0.0.1:6188, [::1]:6188)";
  }
  SECTION("an address in use") {
    address = taken;
    expected = "cannot listen on " + taken + ": Address already in use";
  }
  SECTION("no such directory") {
    address = "unix:/nonexistent/socket";
    expected = "cannot listen on unix:/nonexistent/socket: No such file or directory";
  }
  SECTION("a daemon") {
    configuration.daemon = true;
    expected = "daemon: not supported yet";
  }
  SECTION("what there is a key for, and nothing behind it") {
    struct Case {
      void (*change)(Configuration&);
      const char* name;
    };
    auto [change, name] = GENERATE(values<Case>({
        {[](Configuration& c) { c.daemon_wait_for_ready = true; }, "daemon_wait_for_ready"},
        {[](Configuration& c) { c.user = "nobody"; }, "user"},
        {[](Configuration& c) { c.group = "nogroup"; }, "group"},
        {[](Configuration& c) { c.error_log = "/e.log"; }, "error_log"},
        {[](Configuration& c) { c.working_directory = "/"; }, "working_directory"},
        {[](Configuration& c) { c.upgrade_sock = "/u.sock"; }, "upgrade_sock"},
        {[](Configuration& c) { c.blocking_threads_ttl_seconds = 1s; },
         "blocking_threads_ttl_seconds"},
    }));
    change(configuration);
    expected = std::string(name) + ": not supported yet";
  }
  SECTION("a value that is out of range") {
    configuration.threads = 0;
    expected = "threads: 0 is out of range (1 to 1024)";
  }
  SECTION("a file for the process id that can not be written") {
    configuration.pid_file = "/nonexistent/pid";
    expected = "pid_file: cannot write /nonexistent/pid: No such file or directory";
  }
  Server server(configuration);
  ListeningService service("echo", std::make_unique<Echo>());
  service.add_tcp(address);
  server.add_service(std::move(service));
  CHECK(error_of(server.start()) == expected);
}

TEST_CASE("Server: the process id stands in a file while it runs", "[server]") {
  auto path = std::filesystem::temp_directory_path() / ("pid." + std::to_string(::getpid()));
  Configuration configuration = two_threads();
  configuration.pid_file = path.string();
  Server server(configuration);
  REQUIRE(error_of(server.start()) == "no error");
  std::string line;
  std::getline(std::ifstream(path), line);
  CHECK(line == std::to_string(::getpid()));
  server.shutdown();
  server.wait();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("Server: a service starts when those that it depends on are ready", "[server]") {
  Server server(two_threads());
  Event may_be_ready;
  std::atomic<bool> is_first_ready{false};
  Event second_started;
  bool saw_first_ready = false;
  auto first = step([&](ShutdownWatch&, ReadyNotifier& ready) -> Task<> {
    co_await may_be_ready.wait();
    is_first_ready = true;
    ready.notify_ready();
  });
  auto second = step([&](ShutdownWatch&, ReadyNotifier&) -> Task<> {
    saw_first_ready = is_first_ready;
    second_started.set();
    co_return;
  });
  auto second_handle = server.add_service(background_service("second", second));
  auto first_handle = server.add_service(background_service("first", first));
  second_handle.add_dependency(first_handle);
  REQUIRE(error_of(server.start()) == "no error");
  CHECK_FALSE(second_started.is_set());
  may_be_ready.set();
  while (!second_started.is_set()) std::this_thread::yield();
  CHECK(saw_first_ready);
}

TEST_CASE("Server: a service that fails counts as ready", "[server]") {
  Server server(two_threads());
  Event started;
  auto first = step([](ShutdownWatch&, ReadyNotifier&) -> Task<> {
    return Error::internal("this failure is part of the test");
  });
  auto second = step([&](ShutdownWatch&, ReadyNotifier&) -> Task<> {
    started.set();
    return {};
  });
  auto first_handle = server.add_service(background_service("first", first));
  auto second_handle = server.add_service(background_service("second", second));
  second_handle.add_dependency(first_handle);
  REQUIRE(error_of(server.start()) == "no error");
  while (!started.is_set()) std::this_thread::yield();
}

TEST_CASE("Server: services that wait for each other are an error", "[server]") {
  Server server(two_threads());
  auto nothing = step([](ShutdownWatch&, ReadyNotifier&) -> Task<> { return {}; });
  auto a = server.add_service(background_service("a", nothing));
  auto b = server.add_service(background_service("b", nothing));
  auto c = server.add_service(background_service("c", nothing));
  a.add_dependency(b);
  b.add_dependency(c);
  SECTION("a chain is none") {
    a.add_dependency(c);
    CHECK(error_of(server.start()) == "no error");
  }
  SECTION("three in a circle") {
    c.add_dependency(a);
    CHECK(error_of(server.start()) ==
          "services depend on each other in a circle: 'a' -> 'b' -> 'c' -> 'a'");
  }
  SECTION("one by itself") {
    c.add_dependency(c);
    CHECK(error_of(server.start()) == "services depend on each other in a circle: 'c' -> 'c'");
  }
}

TEST_CASE("Server: background services are told of the shutdown, and end", "[server]") {
  Server server(two_threads());
  std::atomic<bool> was_told{false};
  Event is_waiting;
  auto work = step([&](ShutdownWatch& shutdown, ReadyNotifier&) -> Task<> {
    is_waiting.set();
    co_await shutdown.wait();
    was_told = true;
  });
  server.add_service(background_service("work", work));
  REQUIRE(error_of(server.start()) == "no error");
  while (!is_waiting.is_set()) std::this_thread::yield();
  server.shutdown();
  server.wait();
  CHECK(was_told);
}

TEST_CASE("Server: a background service that does not end is cancelled", "[server]") {
  Configuration configuration = two_threads();
  configuration.graceful_shutdown_timeout_seconds = 0s;
  Server server(configuration);
  Event never;
  auto work = step([&](ShutdownWatch&, ReadyNotifier&) -> Task<> { co_await never.wait(); });
  server.add_service(background_service("work", work));
  REQUIRE(error_of(server.start()) == "no error");
  server.shutdown();
  server.wait();
}

TEST_CASE("ShedHooks: are asked in turn until enough is closed", "[server]") {
  ShedHooks hooks;
  CHECK(hooks.shed(5) == 0);
  std::vector<std::size_t> asked;
  hooks.add([&](std::size_t count) {
    asked.push_back(count);
    return 3;
  });
  hooks.add([&](std::size_t count) {
    asked.push_back(count);
    return count;
  });
  CHECK(hooks.shed(5) == 5);
  CHECK(asked == std::vector<std::size_t>{5, 2});
  CHECK(hooks.shed(3) == 3);
  CHECK(asked == std::vector<std::size_t>{5, 2, 3});
}
