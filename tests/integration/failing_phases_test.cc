// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Each phase in turn fails, in each way: it is that request's failure, and nobody else's.
#include <catch2/catch.hpp>
#include <string>

#include "recording_proxy.h"

using namespace pingora;

namespace {

std::size_t count(const Events& events, std::string_view prefix) {
  return static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(),
                    [&](const std::string& event) { return event.starts_with(prefix); }));
}

OriginServer::Script with_trailers() {
  return OriginServer::answer_all(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");
}

// Requests of other connections, before and while one fails, go well.
void check_another(RecordedProxy& proxy) {
  TestClient other = proxy.client();
  CHECK(other.get("/good").body == "hello");
  CHECK(count(proxy.recording->take_until("persist"), "logging 200 ok") == 1);
}

}  // namespace

TEST_CASE("A failing phase: is a 500, and logged once with its error", "[failing_phases]") {
  auto failure = GENERATE(Failure::Error, Failure::Throw, Failure::ThrowLater);
  std::string phase =
      GENERATE("early_request_filter", "request_filter", "proxy_upstream_filter", "upstream_peer",
               "connected_to_upstream", "upstream_request_filter", "request_body_filter",
               "upstream_response_filter", "response_filter");
  CAPTURE(phase, static_cast<int>(failure));
  OriginServer origin(with_trailers());
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())},
                       .failing = phase,
                       .failure = failure,
                       .failing_path = "/bad"});
  TestClient client = proxy.client();
  CHECK(client.post("/bad", "body").status() == 500);
  CHECK(client.is_closed_by_peer());
  Events events = proxy.recording->take_until("logging");
  CHECK(count(events, phase) == 1);
  CHECK(count(events, "fail_to_proxy") == 1);
  CHECK(events.back() == "logging 500 InternalError");
  check_another(proxy);
}

TEST_CASE("A failing phase: a filter that says it has answered, and has not, is a 500",
          "[failing_phases]") {
  OriginServer origin(with_trailers());
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}, .only_says_so = true});
  TestClient client = proxy.client();
  CHECK(client.get("/").status() == 500);
  CHECK(client.is_closed_by_peer());
  CHECK(proxy.recording->take_until("logging").back() == "logging 500 InternalError");
  CHECK(proxy.log.text().find("request_filter said that it had answered") != std::string::npos);
  proxy.recording->set_behaviour({.peers = {HttpPeer(origin.address())}});
  check_another(proxy);
}

TEST_CASE("A failing phase: within a response, cuts it off", "[failing_phases]") {
  auto failure = GENERATE(Failure::Error, Failure::Throw, Failure::ThrowLater);
  std::string phase = GENERATE("upstream_response_body_filter", "response_body_filter",
                               "upstream_response_trailer_filter", "response_trailer_filter");
  CAPTURE(phase, static_cast<int>(failure));
  OriginServer origin(with_trailers());
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())},
                       .failing = phase,
                       .failure = failure,
                       .failing_path = "/bad"});
  TestClient client = proxy.client();
  CHECK_FALSE(client.get("/bad").is_complete);
  CHECK(client.is_closed_by_peer());
  Events events = proxy.recording->take_until("logging");
  CHECK(count(events, phase) == 1);
  CHECK(count(events, "error_while_proxy InternalError") == 1);
  CHECK(events.back() == "logging 200 InternalError");
  check_another(proxy);
}

TEST_CASE("A failing phase: what decides about errors becomes the error", "[failing_phases]") {
  RefusingAddress nobody;
  OriginServer broken([](OriginConnection& connection) { connection.read_request(); });
  OriginServer origin(with_trailers());
  auto phase = GENERATE(as<std::string>(), "fail_to_connect", "error_while_proxy");
  SocketAddress peer = phase == "fail_to_connect" ? nobody.address() : broken.address();
  CAPTURE(phase);
  RecordedProxy proxy({.peers = {HttpPeer(peer)}, .failing = phase});
  CHECK(proxy.client().get("/").status() == 500);
  Events events = proxy.recording->take_until("logging");
  CHECK(count(events, phase) == 1);
  CHECK(events.back() == "logging 500 InternalError");
  proxy.recording->set_behaviour({.peers = {HttpPeer(origin.address())}});
  check_another(proxy);
}

TEST_CASE("A failing phase: fail_to_proxy itself is a 500", "[failing_phases]") {
  auto failure = GENERATE(Failure::Error, Failure::Throw, Failure::ThrowLater);
  RefusingAddress nobody;
  RecordedProxy proxy(
      {.peers = {HttpPeer(nobody.address())}, .failing = "fail_to_proxy", .failure = failure});
  CHECK(proxy.client().get("/").status() == 500);
  CHECK(proxy.recording->take_until("logging").back() == "logging 500 ConnectRefused");
}

TEST_CASE("A failing phase: what only tells about an error changes nothing", "[failing_phases]") {
  auto phase = GENERATE(as<std::string>(), "suppress_error_log", "request_summary");
  RefusingAddress nobody;
  RecordedProxy proxy({.peers = {HttpPeer(nobody.address())}, .failing = phase});
  CHECK(proxy.client().get("/path").status() == 502);
  CHECK(proxy.recording->take_until("logging").back() == "logging 502 ConnectRefused");
  CHECK(proxy.log.text().find("GET /path, Host: test") != std::string::npos);
}

TEST_CASE("A failing phase: new_ctx is a 500 that no phase hears of", "[failing_phases]") {
  RecordedProxy proxy({.peers = {}, .failing = "new_ctx"});
  TestClient client = proxy.client();
  CHECK(client.get("/").status() == 500);
  CHECK(client.is_closed_by_peer());
  CHECK(proxy.recording->take() == Events{"new_ctx"});
}

TEST_CASE("A failing phase: logging and persisting come too late for the response",
          "[failing_phases]") {
  OriginServer origin(with_trailers());
  auto [phase, persists] = GENERATE(
      table<std::string, bool>({{"logging", false}, {"persist_connection_context", true}}));
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())},
                       .failing = phase,
                       .failing_path = "/bad",
                       .persists = persists});
  TestClient client = proxy.client();
  CHECK(client.get("/bad").body == "hello");
  CHECK(count(proxy.recording->take_until(phase), "logging") == 1);
  check_another(proxy);
}

TEST_CASE("A failing phase: on_connection_reuse", "[failing_phases]") {
  OriginServer origin(with_trailers());
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())},
                       .failing = "on_connection_reuse",
                       .failing_path = "/bad",
                       .persists = true});
  TestClient client = proxy.client();
  CHECK(client.get("/").body == "hello");
  proxy.recording->take_until("persist");
  CHECK(client.get("/bad").status() == 500);
  Events events = proxy.recording->take_until("logging");
  CHECK(count(events, "early_request_filter") == 0);
  CHECK(events.back() == "logging 500 InternalError");
  check_another(proxy);
}

TEST_CASE("A failing phase: an exception and a slow phase at once", "[failing_phases]") {
  OriginServer origin(with_trailers());
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())},
                       .failing = "upstream_response_body_filter",
                       .failure = Failure::ThrowLater,
                       .failing_path = "/bad"});
  constexpr int kRounds = 20;
  std::thread bad([&] {
    for (int i = 0; i < kRounds; ++i) proxy.client().get("/bad");
  });
  int good = 0;
  for (int i = 0; i < kRounds; ++i) good += proxy.client().get("/good").body == "hello" ? 1 : 0;
  bad.join();
  CHECK(good == kRounds);
}
