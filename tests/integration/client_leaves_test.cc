// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// A client that vanishes takes the work for it along.
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <string>

#include "pingora/net/connect.h"
#include "pingora/runtime/event.h"
#include "recording_proxy.h"

using namespace pingora;

namespace {

enum class Leaves : bool { Closing, Resetting };

void leave(TestClient& client, Leaves how) {
  if (how == Leaves::Closing) {
    client.close();
  } else {
    client.reset();
  }
}

// A connect that takes for ever, and says when it begins and when it is given up.
class EndlessConnect : public L4Connect {
 public:
  Task<std::unique_ptr<Stream>> connect(const HttpPeer&) override {
    struct Given {
      explicit Given(std::promise<void>& up) : up_(up) {}
      ~Given() { up_.set_value(); }
      std::promise<void>& up_;
    } given(given_up);
    begun.set_value();
    co_await never_.wait();
    co_return Error::internal("never");
  }
  std::promise<void> begun;
  std::promise<void> given_up;

 private:
  Event never_;
};

// A connect that waits for the test's leave.
class LateConnect : public L4Connect {
 public:
  Task<std::unique_ptr<Stream>> connect(const HttpPeer& peer) override {
    begun.set_value();
    co_await may_connect.wait();
    ConnectOptions options;
    co_return co_await pingora::connect(peer.address(), options);
  }
  std::promise<void> begun;
  Event may_connect;
};

bool is_ready_in_time(const std::future<void>& future) {
  return future.wait_for(WireConnection::kPatience) == std::future_status::ready;
}

}  // namespace

TEST_CASE("A client leaves: while its request waits for a response", "[client_leaves]") {
  std::promise<bool> closed;
  OriginServer origin([&](OriginConnection& connection) {
    connection.read_request();
    closed.set_value(connection.is_closed_by_peer());
  });
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
  auto how = GENERATE(Leaves::Closing, Leaves::Resetting);
  TestClient client = proxy.client();
  client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  REQUIRE(origin.wait_for_requests(1));
  leave(client, how);
  CHECK(closed.get_future().get());
  Events events = proxy.recording->take_until("logging");
  CHECK(events.back().starts_with("logging - "));
  if (how == Leaves::Closing) CHECK(events.back() == "logging - ConnectionClosed");
  CHECK(proxy.log.text().empty());
}

TEST_CASE("A client leaves: within its upload", "[client_leaves]") {
  std::promise<bool> is_whole;
  std::promise<void> has_begun;
  OriginServer origin([&](OriginConnection& connection) {
    connection.receive_until("\r\n\r\n");
    connection.receive(4);
    has_begun.set_value();
    is_whole.set_value(!connection.receive(1).empty());
  });
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
  auto how = GENERATE(Leaves::Closing, Leaves::Resetting);
  TestClient client = proxy.client();
  client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nbody");
  REQUIRE(is_ready_in_time(has_begun.get_future()));
  leave(client, how);
  CHECK_FALSE(is_whole.get_future().get());
  Events events = proxy.recording->take_until("logging");
  CHECK(events.back().starts_with("logging - "));
  CHECK(proxy.log.text().empty());
}

TEST_CASE("A client leaves: within its response", "[client_leaves]") {
  std::promise<void> is_cut;
  OriginServer origin([&](OriginConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    while (connection.send(chunk)) {
    }
    is_cut.set_value();
  });
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
  TestClient client = proxy.client();
  client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  client.receive(100'000);
  leave(client, GENERATE(Leaves::Closing, Leaves::Resetting));
  CHECK(is_ready_in_time(is_cut.get_future()));
  CHECK(proxy.recording->take_until("logging").back().starts_with("logging 200 "));
}

TEST_CASE("A client leaves: while a connection is being made for it", "[client_leaves]") {
  auto connect = std::make_shared<EndlessConnect>();
  HttpPeer peer("127.0.0.1:1");
  peer.options.connection_timeout = kNoTimeout;
  peer.options.total_connection_timeout = kNoTimeout;
  peer.options.edit_rare().custom_l4 = connect;
  RecordedProxy proxy({.peers = {peer}, .retries_connect = true},
                      {.proxy = {.allow_connect_method_proxying = true}});
  auto request = GENERATE(as<std::string>(), "GET / HTTP/1.1\r\nHost: test\r\n\r\n",
                          "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nbody",
                          "CONNECT test:443 HTTP/1.1\r\nHost: test:443\r\n\r\n");
  TestClient client = proxy.client();
  client.send(request);
  REQUIRE(is_ready_in_time(connect->begun.get_future()));
  client.close();
  CHECK(is_ready_in_time(connect->given_up.get_future()));
  Events events = proxy.recording->take_until("logging");
  CHECK(events.back() == "logging - ConnectionClosed");
  CHECK(std::count(events.begin(), events.end(), "upstream_peer 1") == 1);
  CHECK(std::find(events.begin(), events.end(), "upstream_peer 2") == events.end());
}

TEST_CASE("A body that arrives while a connection is being made is sent whole", "[client_leaves]") {
  OriginServer origin(OriginServer::answer_with(
      [](const WireMessage& request) { return OriginServer::ok(request.body); }));
  auto connect = std::make_shared<LateConnect>();
  HttpPeer peer(origin.address());
  peer.options.edit_rare().custom_l4 = connect;
  RecordedProxy proxy({.peers = {peer}});
  std::string body(200'000, 'b');
  TestClient client = proxy.client();
  client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 200000\r\n\r\n");
  REQUIRE(is_ready_in_time(connect->begun.get_future()));
  client.send(body.substr(0, 1000));
  connect->may_connect.set();
  client.send(body.substr(1000));
  CHECK(client.receive_response().body == body);
}
