// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The retry table: what is tried again, and what is not.
#include <catch2/catch.hpp>
#include <string>

#include "recording_proxy.h"
#include "retry_table.h"

using namespace pingora;

namespace {

enum class Fails : std::uint8_t {
  ToConnect,
  Reused,      // a reused connection is closed before a response
  New,         // a new one is
  InHead,      // closed within the response's head
  BehindHead,  // and behind it
  ToAnswer,    // nothing comes
};

// What the first peer does.
void fail(OriginConnection& connection, Fails how) {
  if (how == Fails::Reused) {
    connection.read_request();
    connection.send(OriginServer::ok("warm"));
  }
  connection.read_request();
  if (how == Fails::InHead) connection.send("HTTP/1.1 200 OK\r\nContent-");
  if (how == Fails::BehindHead) connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  if (how == Fails::ToAnswer) connection.is_closed_by_peer();
}

Expected expected(Fails how, Sends request, bool is_forced) {
  if (how == Fails::BehindHead) return {1, 0};
  if (how == Fails::ToConnect) return is_forced ? kRetried : Expected{1, 502};
  int status = how == Fails::ToAnswer ? 504 : 502;
  if (request == Sends::LargePost) return {1, status};
  if (is_forced || (how == Fails::Reused && request == Sends::Get)) return kRetried;
  return {1, status};
}

}  // namespace

TEST_CASE("Retry: the table", "[retry]") {
  RefusingAddress nobody;
  for (Fails how : {Fails::ToConnect, Fails::Reused, Fails::New, Fails::InHead, Fails::BehindHead,
                    Fails::ToAnswer}) {
    for (Sends request : {Sends::Get, Sends::Post, Sends::SmallPost, Sends::LargePost}) {
      for (bool is_forced : {false, true}) {
        CAPTURE(static_cast<int>(how), static_cast<int>(request), is_forced);
        OriginServer failing([how](OriginConnection& connection) { fail(connection, how); });
        HttpPeer first(how == Fails::ToConnect ? nobody.address() : failing.address());
        if (how == Fails::ToAnswer) first.options.read_timeout = std::chrono::milliseconds(50);
        check_retry({.first = std::move(first),
                     .is_reused = how == Fails::Reused,
                     .is_forced = is_forced,
                     .request = request},
                    expected(how, request, is_forced));
      }
    }
  }
}

TEST_CASE("Retry: as often as retries_max says, and no more", "[retry]") {
  RefusingAddress nobody;
  OriginServer good(OriginServer::answer_all(OriginServer::ok("good")));
  HttpPeer bad(nobody.address());
  Behaviour behaviour{.peers = {bad, bad, bad, HttpPeer(good.address())}, .retries_connect = true};
  auto [retries_max, tries_made, status] =
      GENERATE(table<unsigned, int, int>({{0, 1, 502}, {2, 3, 502}, {3, 4, 200}, {4, 4, 200}}));
  ProxyUnderTestOptions options;
  options.proxy.retries_max = retries_max;
  RecordedProxy proxy(behaviour, options);
  CHECK(proxy.client().get("/").status() == status);
  CHECK(tries(proxy.recording->take_until("logging")) == tries_made);
}

TEST_CASE("Retry: the configuration's max_retries holds where the options say nothing", "[retry]") {
  RefusingAddress nobody;
  ProxyUnderTestOptions options;
  options.configuration.max_retries = 2;
  RecordedProxy proxy({.peers = {HttpPeer(nobody.address())}, .retries_connect = true}, options);
  CHECK(proxy.client().get("/").status() == 502);
  CHECK(tries(proxy.recording->take_until("logging")) == 3);
}

TEST_CASE("Retry: a body in pieces is sent again whole, to another peer with other fields",
          "[retry]") {
  OriginServer failing([](OriginConnection& connection) { connection.read_request(); });
  OriginServer good(OriginServer::answer_all(OriginServer::ok("good")));
  RecordedProxy proxy(
      {.peers = {HttpPeer(failing.address()), HttpPeer(good.address())}, .retries_request = true});
  TestClient client = proxy.client();
  client.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char* piece : {"3\r\none\r\n", "3\r\ntwo\r\n", "5\r\nthree\r\n", "0\r\n\r\n"}) {
    client.send(piece);
  }
  CHECK(client.receive_response().body == "good");
  REQUIRE(good.requests().size() == 1);
  CHECK(failing.requests()[0].body == "onetwothree");
  CHECK(failing.requests()[0].get("X-Try") == "1");
  CHECK(good.requests()[0].body == "onetwothree");
  CHECK(good.requests()[0].get("X-Try") == "2");
}

TEST_CASE("Retry: the body's end reaches the filter once for each try", "[retry]") {
  OriginServer failing([](OriginConnection& connection) { connection.read_request(); });
  OriginServer good(OriginServer::answer_all("HTTP/1.1 204 No Content\r\n\r\n"));
  RecordedProxy proxy(
      {.peers = {HttpPeer(failing.address()), HttpPeer(good.address())}, .retries_request = true});
  bool has_body = GENERATE(false, true);
  TestClient client = proxy.client();
  CHECK((has_body ? client.post("/", "body") : client.get("/")).status() == 204);
  CHECK(proxy.recording->ends() == 2);
}

TEST_CASE("Retry: a 1xx response that went to the client is no obstacle", "[retry]") {
  OriginServer failing([](OriginConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 103 Early Hints\r\n\r\n");
  });
  OriginServer good(OriginServer::answer_all(OriginServer::ok("good")));
  RecordedProxy proxy(
      {.peers = {HttpPeer(failing.address()), HttpPeer(good.address())}, .retries_request = true});
  TestClient client = proxy.client();
  CHECK(client.get("/").status() == 103);
  WireMessage response = client.receive_response();
  CHECK(response.body == "good");
  CHECK(tries(proxy.recording->take_until("logging")) == 2);
}
