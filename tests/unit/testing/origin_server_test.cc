// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/testing/origin_server.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "pingora/testing/test_client.h"

using namespace pingora;

TEST_CASE("OriginServer: answers request after request and records them", "[testing]") {
  OriginServer origin(OriginServer::answer_with([](const WireMessage& request) {
    return OriginServer::ok(request.target() + request.body);
  }));
  TestClient client(origin.address());
  WireMessage response = client.get("/one", "X-Name: a value\r\n");
  CHECK(response.status() == 200);
  CHECK(response.is_complete);
  CHECK(response.body == "/one");
  CHECK(client.post("/two", "body").body == "/twobody");
  TestClient other(origin.address());
  CHECK(other.get("/three").body == "/three");
  CHECK(origin.connections() == 2);
  auto requests = origin.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].get("x-name") == "a value");
  CHECK_FALSE(requests[0].get("X-Nam"));
  CHECK(requests[1].method() == "POST");
  CHECK(requests[1].body == "body");
  CHECK(requests[1].connection == 1);
  CHECK(requests[2].connection == 2);
}

TEST_CASE("OriginServer: a script for each connection", "[testing]") {
  OriginServer origin(OriginServer::in_turn({
      [](OriginConnection& connection) { connection.reset(); },
      [](OriginConnection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
      },
      OriginServer::answer_all("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "2\r\nab\r\n1;x=y\r\nc\r\n0\r\nX-End: 1\r\n\r\n"),
  }));
  TestClient first(origin.address());
  CHECK(first.is_closed_by_peer());
  WireMessage cut = TestClient(origin.address()).get("/");
  CHECK(cut.status() == 200);
  CHECK(cut.body == "abc");
  CHECK_FALSE(cut.is_complete);
  for (int i = 0; i < 2; ++i) {
    WireMessage chunked = TestClient(origin.address()).get("/");
    CHECK(chunked.body == "abc");
    CHECK(chunked.trailers == "X-End: 1\r\n");
    CHECK(chunked.is_complete);
  }
  CHECK(origin.connections() == 4);
}

TEST_CASE("OriginServer: ends while scripts wait for their clients", "[testing]") {
  std::optional<OriginServer> origin;
  origin.emplace([](OriginConnection& connection) { connection.read_request(); });
  TestClient client(origin->address());
  client.send("GET / HTTP/1.1\r\n");
  TestClient other(origin->address());
  other.send("GET / HTTP/1.1\r\n\r\n");
  CHECK(origin->wait_for_requests(1));
  origin.reset();
  CHECK_FALSE(client.receive_response().is_complete);
}

TEST_CASE("RefusingAddress: refuses", "[testing]") {
  RefusingAddress nobody;
  CHECK_FALSE(TestClient(nobody.address()).is_connected());
}
