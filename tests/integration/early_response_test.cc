// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Responses that do not wait for the request's end.
#include <catch2/catch.hpp>
#include <future>
#include <string>
#include <thread>

#include "recording_proxy.h"

using namespace pingora;

namespace {

class Plain : public ProxyHttp<> {
 public:
  explicit Plain(HttpPeer peer) : peer_(std::move(peer)) {}
  Task<HttpPeer> upstream_peer(Session&, NoContext&) override { return peer_; }

 private:
  HttpPeer peer_;
};

// Uploads until nobody takes more, and returns the response that comes meanwhile.
WireMessage upload(const SocketAddress& address) {
  TestClient client(address);
  client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000000\r\n\r\n");
  std::thread uploading([&] {
    std::string piece(1 << 16, 'x');
    while (client.send(piece)) {
    }
  });
  WireMessage response = client.receive_response();
  client.wake();
  uploading.join();
  return response;
}

void check_early_response(const OriginServer& origin, bool overrides_all) {
  KeptLog log;
  HttpPeer peer(origin.address());
  auto recording = std::make_shared<Recording>(Behaviour{.peers = {peer}});
  std::optional<ProxyUnderTest> proxy;
  if (overrides_all) {
    proxy.emplace(RecordingProxy(recording));
  } else {
    proxy.emplace(Plain(peer));
  }
  WireMessage response = upload(proxy->address());
  CAPTURE(log.text());
  CHECK(response.status() == 413);
  CHECK(response.body == "enough");
}

const std::string kResponse = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 6\r\n\r\nenough";

}  // namespace

TEST_CASE("Early response: reaches a client whose upload nobody reads", "[early_response]") {
  std::promise<void> over;
  auto is_over = over.get_future().share();
  {
    OriginServer origin([is_over](OriginConnection& connection) {
      connection.receive_until("\r\n\r\n");
      connection.send(kResponse);
      is_over.wait();
    });
    check_early_response(origin, GENERATE(false, true));
    over.set_value();
  }
}

TEST_CASE("Early response: reaches the client if the upstream closes behind it",
          "[early_response]") {
  OriginServer origin([](OriginConnection& connection) {
    connection.receive_until("\r\n\r\n");
    connection.send(kResponse);
    connection.finish_sending();
    while (!connection.receive(1 << 16).empty()) {
    }
  });
  check_early_response(origin, GENERATE(false, true));
}
