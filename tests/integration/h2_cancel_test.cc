// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// A client that resets its stream, or goes with its connection, in each phase of a request: the
// phases end, `logging` comes once, the upstream's stream is cancelled, and nobody else notices.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>

#include "h2_wire.h"
#include "pingora/runtime/event.h"
#include "recording_proxy.h"

using namespace pingora;

namespace {

constexpr std::string_view kLeft = "/left";

/// Records the requests for kLeft alone, and has each of them stop in one phase until it may go on.
class PausingProxy : public RecordingProxy {
 public:
  PausingProxy(std::shared_ptr<Recording> recording, std::string phase,
               std::shared_ptr<Event> may_go_on)
      : RecordingProxy(recording),
        recording_(std::move(recording)),
        phase_(std::move(phase)),
        may_go_on_(std::move(may_go_on)) {}

  Task<> early_request_filter(Session& session, std::string& ctx) override {
    if (!is_left(session)) co_return;
    co_await pause("early_request_filter");
    co_await RecordingProxy::early_request_filter(session, ctx);
  }
  Task<bool> request_filter(Session& session, std::string& ctx) override {
    if (!is_left(session)) co_return false;
    co_await pause("request_filter");
    co_return co_await RecordingProxy::request_filter(session, ctx);
  }
  Task<bool> proxy_upstream_filter(Session& session, std::string& ctx) override {
    if (!is_left(session)) co_return true;
    co_await pause("proxy_upstream_filter");
    co_return co_await RecordingProxy::proxy_upstream_filter(session, ctx);
  }
  Task<HttpPeer> upstream_peer(Session& session, std::string& ctx) override {
    if (is_left(session)) co_await pause("upstream_peer");
    co_return co_await RecordingProxy::upstream_peer(session, ctx);
  }
  Task<> connected_to_upstream(Session& session, ConnectionReuse reuse, const HttpPeer& peer,
                               int fd, const Digest& digest, std::string& ctx) override {
    if (!is_left(session)) co_return;
    co_await pause("connected_to_upstream");
    co_await RecordingProxy::connected_to_upstream(session, reuse, peer, fd, digest, ctx);
  }
  Task<> upstream_request_filter(Session& session, RequestHeader& request,
                                 std::string& ctx) override {
    if (!is_left(session)) co_return;
    co_await pause("upstream_request_filter");
    co_await RecordingProxy::upstream_request_filter(session, request, ctx);
  }
  Task<> request_body_filter(Session& session, Bytes& data, EndOfStream end,
                             std::string& ctx) override {
    if (!is_left(session)) co_return;
    co_await pause("request_body_filter");
    co_await RecordingProxy::request_body_filter(session, data, end, ctx);
  }
  Task<> upstream_response_filter(Session& session, ResponseHeader& response,
                                  std::string& ctx) override {
    if (!is_left(session)) co_return;
    co_await pause("upstream_response_filter");
    co_await RecordingProxy::upstream_response_filter(session, response, ctx);
  }
  Task<> response_filter(Session& session, ResponseHeader& response, std::string& ctx) override {
    if (!is_left(session)) co_return;
    co_await pause("response_filter");
    co_await RecordingProxy::response_filter(session, response, ctx);
  }
  Task<> upstream_response_body_filter(Session& session, Bytes& data, EndOfStream end,
                                       std::string& ctx) override {
    if (!is_left(session)) co_return;
    co_await pause("upstream_response_body_filter");
    co_await RecordingProxy::upstream_response_body_filter(session, data, end, ctx);
  }
  Task<> response_body_filter(Session& session, Bytes& data, EndOfStream end,
                              std::string& ctx) override {
    if (!is_left(session)) co_return;
    co_await pause("response_body_filter");
    co_await RecordingProxy::response_body_filter(session, data, end, ctx);
  }
  Task<> logging(Session& session, const Error* error, std::string& ctx) override {
    if (!is_left(session)) co_return;
    co_await pause("logging");
    co_await RecordingProxy::logging(session, error, ctx);
  }

 private:
  static bool is_left(const Session& session) { return session.req_header().path() == kLeft; }
  Task<> pause(std::string_view phase) const {
    if (phase != phase_) co_return;
    recording_->add("paused");
    co_await may_go_on_->wait();
  }

  std::shared_ptr<Recording> recording_;
  std::string phase_;
  std::shared_ptr<Event> may_go_on_;
};

constexpr const char* kPhases[] = {
    "early_request_filter",  "request_filter",
    "proxy_upstream_filter", "upstream_peer",
    "connected_to_upstream", "upstream_request_filter",
    "request_body_filter",   "upstream_response_filter",
    "response_filter",       "upstream_response_body_filter",
    "response_body_filter",  "logging",
};

enum class Leaves : bool { Stream, Connection };

std::ptrdiff_t count(const Events& events, std::string_view beginning) {
  return std::count_if(events.begin(), events.end(), [beginning](const std::string& event) {
    return event.starts_with(beginning);
  });
}

void check_leaving(const std::string& phase, Leaves leaves, bool is_h2_upstream) {
  CAPTURE(phase, leaves, is_h2_upstream);
  OriginServer h2_origin(H2Served::answering("hello"));
  OriginServer h1_origin(OriginServer::answer_all(OriginServer::ok("hello")));
  HttpPeer peer = is_h2_upstream ? h2_peer(h2_origin.address()) : HttpPeer(h1_origin.address());
  auto recording = std::make_shared<Recording>(Behaviour{.peers = {peer}});
  auto may_go_on = std::make_shared<Event>();
  ProxyUnderTestOptions options;
  options.endpoint.enable_h2c = true;
  KeptLog log;
  ProxyUnderTest proxy(PausingProxy(recording, phase, may_go_on),
                       RecordedProxy::with_two_threads(std::move(options)));
  auto other = std::make_unique<H2TestClient>(proxy.address());
  auto leaver = std::make_unique<H2TestClient>(proxy.address());
  test::H2Response& left =
      leaver->begin({.method = "POST", .target = kLeft, .end = EndOfStream::No});
  leaver->write(left, "a body", EndOfStream::Yes);
  leaver->send();
  recording->take_until("paused");

  if (leaves == Leaves::Stream) {
    leaver->engine().reset(*left.stream, h2::ErrorCode::Cancel);
    // Behind its answer the reset has been looked at too.
    CHECK(leaver->ask({}).body == "hello");
  } else {
    leaver->wire().reset();
  }
  CHECK(other->ask({}).body == "hello");
  may_go_on->set();
  Events events = recording->take_until("logging");
  CHECK(count(events, "logging") == 1);
  if (leaves == Leaves::Stream && phase != "logging") {
    auto logged = std::find_if(events.begin(), events.end(), [](const std::string& event) {
      return event.starts_with("logging");
    });
    CHECK(logged->ends_with(" ConnectionClosed"));
  }
  CHECK(other->ask({}).body == "hello");
  other.reset();
  leaver.reset();
  proxy.stop();
  CHECK(count(recording->take(), "logging") == 0);
}

}  // namespace

TEST_CASE("H2 cancel: a stream that is reset in each phase", "[h2_cancel]") {
  for (const char* phase : kPhases) {
    for (bool is_h2_upstream : {false, true}) check_leaving(phase, Leaves::Stream, is_h2_upstream);
  }
}

TEST_CASE("H2 cancel: a connection that is lost in each phase", "[h2_cancel]") {
  for (const char* phase : kPhases) {
    for (bool is_h2_upstream : {false, true}) {
      check_leaving(phase, Leaves::Connection, is_h2_upstream);
    }
  }
}

TEST_CASE("H2 cancel: while a response is awaited, its stream of the upstream is cancelled",
          "[h2_cancel]") {
  auto seen = std::make_shared<Recording>(Behaviour{});
  OriginServer origin([seen](OriginConnection& connection) {
    H2Served served(connection);
    H2Served::Request* first = served.head(1);
    if (first == nullptr) return;
    seen->add("asked");
    served.until([&] { return first->reset.has_value(); });
    if (first->reset) seen->add("reset " + std::string(h2::to_string(*first->reset)));
    served.answer_all("hello");
  });
  ProxyUnderTestOptions options;
  options.endpoint.enable_h2c = true;
  RecordedProxy proxy({.peers = {h2_peer(origin.address())}}, std::move(options));
  H2TestClient client(proxy.proxy.address());
  test::H2Response& left = client.begin({});
  client.send();
  seen->take_until("asked");
  client.engine().reset(*left.stream, h2::ErrorCode::Cancel);
  client.send();
  CHECK(seen->take_until("reset") == Events{"reset CANCEL"});
  CHECK(count(proxy.recording->take_until("logging"), "logging - ConnectionClosed") == 1);
  CHECK(client.ask({}).body == "hello");
  CHECK(origin.connections() == 1);
}
