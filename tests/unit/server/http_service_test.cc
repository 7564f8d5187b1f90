// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <any>
#include <atomic>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "pingora/metrics/registry.h"
#include "pingora/net/socket_options.h"
#include "pingora/server/listening_service.h"
#include "pingora/server/serve_http.h"
#include "pingora/server/server.h"
#include "unit/server/blocking_client.h"

using namespace pingora;

namespace {

// Answers with the path, what the body was, and how many requests the connection has had; some
// paths do more.
class Telling : public ServeHttp {
 public:
  Event* may_answer = nullptr;
  Event is_asked;
  std::atomic<int> wrong_counts{0};

  Task<> process_request(ServerSession& session, HttpConnection& connection) override {
    auto* before = std::any_cast<std::uint64_t>(&connection.persisted);
    if (connection.requests != 1 + (before != nullptr ? *before : 0)) ++wrong_counts;
    connection.persisted = connection.requests;
    return ServeHttp::process_request(session, connection);
  }
  Task<Response> response(ServerSession& session) override {
    std::string_view path = session.req_header().path();
    if (path == "/throw") throw std::runtime_error("this failure is part of the test");
    if (path == "/fail") co_return Error::http_status(418);
    if (path == "/wait") {
      is_asked.set();
      co_await may_answer->wait();
    }
    std::string text(path);
    for (;;) {
      Bytes piece = co_await session.read_body();
      if (piece.empty()) break;
      text += piece.view();
    }
    co_return Response::text(200, text);
  }
};

// A server with one Telling app.
struct Fixture {
  void wait_until_parked(std::size_t count) const {
    while (listening->stats().parked != count) std::this_thread::yield();
  }
  // So that accepting fails for good.
  void break_listener() const {
    for (int fd = 3; fd < 1024; ++fd) {
      int listens = 0;
      socklen_t size = sizeof(listens);
      if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
        continue;
      if (local_address_of(fd).port() == address.port()) ::shutdown(fd, SHUT_RDWR);
    }
    while (BlockingClient(address).is_connected()) std::this_thread::yield();
  }
  explicit Fixture(EndpointOptions options = {}) {
    Configuration configuration;
    configuration.threads = 2;
    server.emplace(configuration);
    auto made = std::make_unique<Telling>();
    app = made.get();
    app->may_answer = &may_answer;
    ListeningService service("telling", std::move(made));
    service.add_tcp_with_settings("127.0.0.1:0", std::move(options));
    auto handle = server->add_service(std::move(service));
    listening = &*handle;
    REQUIRE(server->start());
    address = handle->local_addresses()[0];
  }
  Event may_answer;
  std::optional<Server> server;
  Telling* app = nullptr;
  ListeningService* listening = nullptr;
  SocketAddress address;
};

std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n\r\n";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("ListeningService: serves request after request on a connection", "[http_service]") {
  Fixture fixture;
  BlockingClient client(fixture.address);
  for (int i = 0; i < 3; ++i) {
    client.send(get("/one"));
    std::string head = client.receive_until("\r\n\r\n");
    CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(contains(head, "\r\nContent-Length: 4\r\n"));
    CHECK(contains(head, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    CHECK(contains(head, "\r\nDate: "));
    CHECK(client.receive(4) == "/one");
  }
  client.send("POST /p HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello" + get("/two"));
  client.receive_until("\r\n\r\n");
  CHECK(client.receive(7) == "/phello");
  client.receive_until("\r\n\r\n");
  CHECK(client.receive(4) == "/two");
  client.send("HEAD /head HTTP/1.1\r\nHost: test\r\n\r\n" + get("/three"));
  CHECK(contains(client.receive_until("\r\n\r\n"), "Content-Length: 5"));
  CHECK(client.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  CHECK(fixture.app->wrong_counts == 0);
}

TEST_CASE("ListeningService: what it counts is published", "[http_service]") {
  auto events = [](const char* event) {
    return Registry::global()
        .counter("pingora_server_connections_total", "", {{"event", event}})
        .value();
  };
  Gauge& open = Registry::global().gauge("pingora_server_open_connections", "");
  std::uint64_t before = events("accept");
  std::int64_t open_before = open.value();
  {
    Fixture fixture;
    BlockingClient one(fixture.address);
    BlockingClient two(fixture.address);
    while (open.value() != open_before + 2) std::this_thread::yield();
    CHECK(events("accept") == before + 2);
    BlockingClient three(fixture.address);
    while (fixture.listening->stats().accepted != 3) std::this_thread::yield();
    fixture.server->shutdown();
    fixture.server->wait();
    CHECK(events("accept") == before + 3);  // what came in the last second, too
  }
  CHECK(open.value() == open_before);
}

TEST_CASE("ListeningService: a head that is refused is answered, and the connection closed",
          "[http_service]") {
  Fixture fixture;
  auto [request, status] = GENERATE(table<std::string, std::string>({
      {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
      {"GET / HTTP/3.7\r\nHost: test\r\n\r\n", "HTTP/1.1 505 "},
      {"GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: test\r\n\r\n", "HTTP/1.1 414 "},
  }));
  BlockingClient client(fixture.address);
  client.send(request + get("/smuggled"));
  std::string answer = client.receive(100'000);
  CHECK(answer.starts_with(status));
  CHECK(contains(answer, "\r\nServer: Pingora\r\n"));
  CHECK(contains(answer, "\r\nContent-Length: 0\r\n"));
  CHECK(contains(answer, "\r\nCache-Control: private, no-store\r\n"));
  CHECK(contains(answer, "\r\nConnection: close\r\n"));
  CHECK_FALSE(contains(answer, "smuggled"));
}

TEST_CASE("ListeningService: a failure of the app is that request's 500", "[http_service]") {
  Fixture fixture;
  BlockingClient other(fixture.address);
  BlockingClient client(fixture.address);
  client.send(get("/throw"));
  CHECK(client.receive_until("\r\n\r\n").starts_with("HTTP/1.1 500 "));
  CHECK(client.is_closed_by_peer());
  BlockingClient teapot(fixture.address);
  teapot.send(get("/fail"));
  CHECK(teapot.receive_until("\r\n\r\n").starts_with("HTTP/1.1 418 "));
  other.send(get("/fine"));
  CHECK(other.receive_until("/fine").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("ListeningService: a shutdown ends idle connections, and others with their response",
          "[http_service]") {
  Fixture fixture;
  BlockingClient fresh(fixture.address);
  BlockingClient idle(fixture.address);
  idle.send(get("/idle"));
  idle.receive_until("/idle");
  BlockingClient busy(fixture.address);
  busy.send(get("/wait"));
  while (!fixture.app->is_asked.is_set()) std::this_thread::yield();
  fixture.server->shutdown();
  std::thread waiter([&fixture] { fixture.server->wait(); });
  CHECK(fresh.is_closed_by_peer());
  CHECK(idle.is_closed_by_peer());
  fixture.may_answer.set();
  std::string head = busy.receive_until("\r\n\r\n");
  CHECK(head.starts_with("HTTP/1.1 200 "));
  CHECK(contains(head, "\r\nConnection: close\r\n"));
  CHECK(busy.receive(10) == "/wait");
  waiter.join();
}

TEST_CASE("ListeningService: a client that leaves amid a request does no harm", "[http_service]") {
  Fixture fixture;
  {
    BlockingClient client(fixture.address);
    client.send("POST /p HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhe");
  }
  {
    BlockingClient client(fixture.address);
    client.send("GET /p HT");
  }
  BlockingClient client(fixture.address);
  client.send(get("/fine"));
  CHECK(client.receive_until("/fine").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("ListeningService: sessions have the endpoint's options", "[http_service]") {
  EndpointOptions options;
  options.session.requests_per_connection_max = 1;
  Fixture fixture(std::move(options));
  BlockingClient client(fixture.address);
  client.send(get("/one"));
  CHECK(contains(client.receive_until("/one"), "\r\nConnection: close\r\n"));
  CHECK(client.is_closed_by_peer());
}

namespace {
EndpointOptions parking_soon() {
  EndpointOptions options;
  options.park_after = std::chrono::milliseconds(1);
  return options;
}
}  // namespace

TEST_CASE("ListeningService: a parked connection is served again, as the one that it was",
          "[http_service]") {
  EndpointOptions options = parking_soon();
  options.session.requests_per_connection_max = 4;
  Fixture fixture(options);
  BlockingClient client(fixture.address);
  fixture.wait_until_parked(1);  // before the first request
  for (int i = 0; i < 3; ++i) {
    client.send(get("/one"));
    CHECK(client.receive_until("/one").starts_with("HTTP/1.1 200 "));
    fixture.wait_until_parked(1);
    CHECK(fixture.listening->stats().open == 1);
  }
  client.send("GET /four HT");
  client.send("TP/1.1\r\nHost: test\r\n\r\n");
  CHECK(contains(client.receive_until("/four"), "\r\nConnection: close\r\n"));
  CHECK(client.is_closed_by_peer());
  CHECK(fixture.app->wrong_counts == 0);
}

TEST_CASE("ListeningService: parked connections end with their client, their deadline, the server",
          "[http_service]") {
  EndpointOptions options = parking_soon();
  SECTION("client") {
    Fixture fixture(options);
    BlockingClient client(fixture.address);
    fixture.wait_until_parked(1);
    client.close();
    while (fixture.listening->stats().open != 0) std::this_thread::yield();
    CHECK(fixture.listening->stats().parked == 0);
  }
  SECTION("deadline of the first request") {
    options.session.first_request_timeout = std::chrono::milliseconds(50);
    Fixture fixture(options);
    BlockingClient client(fixture.address);
    fixture.wait_until_parked(1);
    CHECK(client.is_closed_by_peer());
  }
  SECTION("deadline of the next request, which is the shorter one") {
    options.session.keepalive_timeout = std::chrono::milliseconds(50);
    Fixture fixture(options);
    BlockingClient fresh(fixture.address);
    fixture.wait_until_parked(1);
    BlockingClient client(fixture.address);
    client.send(get("/one"));
    client.receive_until("/one");
    CHECK(client.is_closed_by_peer());
    fresh.send(get("/two"));
    CHECK(fresh.receive_until("/two").starts_with("HTTP/1.1 200 "));
  }
  SECTION("server") {
    Fixture fixture(options);
    BlockingClient one(fixture.address);
    BlockingClient two(fixture.address);
    fixture.wait_until_parked(2);
    fixture.server->shutdown(GENERATE(Shutdown::Graceful, Shutdown::Fast));
    fixture.server->wait();
    CHECK(one.is_closed_by_peer());
    CHECK(two.is_closed_by_peer());
  }
  SECTION("deadline, behind a listener that has failed") {
    options.session.keepalive_timeout = std::chrono::milliseconds(50);
    Fixture fixture(options);
    BlockingClient fresh(fixture.address);
    BlockingClient client(fixture.address);
    fixture.wait_until_parked(2);
    fixture.break_listener();
    client.send(get("/one"));
    client.receive_until("/one");
    CHECK(client.is_closed_by_peer());
    fixture.server->shutdown();
    fixture.server->wait();
    CHECK(fresh.is_closed_by_peer());
  }
  SECTION("descriptors that run out") {
    Fixture fixture(options);
    BlockingClient one(fixture.address);
    fixture.wait_until_parked(1);
    CHECK(fixture.server->shed_hooks().shed(5) == 1);
    CHECK(one.is_closed_by_peer());
  }
}

TEST_CASE("ListeningService: requests that meet a connection while it parks are served",
          "[http_service]") {
  Fixture fixture(parking_soon());
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&fixture, &wrong, thread] {
      BlockingClient client(fixture.address);
      for (int i = 0; i < 100; ++i) {
        // Sent around the moment of parking, which the wheel's ticks of 4 ms blur.
        std::this_thread::sleep_for(std::chrono::microseconds((i * 7 + thread) % 40 * 200));
        if (!client.try_send(get("/x"))) ++wrong;
        if (!client.receive_until("\r\n\r\n/x").starts_with("HTTP/1.1 200 ")) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(fixture.app->wrong_counts == 0);
}
