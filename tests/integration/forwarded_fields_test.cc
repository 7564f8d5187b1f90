// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// What the upstream is told about the client, and whose word is taken for it.
#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "recording_proxy.h"

using namespace pingora;

namespace {

constexpr std::string_view kClaims =
    "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\nX-Forwarded-Proto: https\r\n"
    "Forwarded: for=192.0.2.3\r\n";

using Values = std::vector<std::string>;

struct Received {
  Values for_values;
  Values proto;
  Values forwarded;
};

class Plain : public ProxyHttp<> {
 public:
  explicit Plain(SocketAddress origin) : origin_(std::move(origin)) {}
  Task<HttpPeer> upstream_peer(Session&, NoContext&) override { return HttpPeer(origin_); }

 private:
  SocketAddress origin_;
};

// As Plain, by way of a filter, which works on a copy.
class Filtering : public Plain {
 public:
  using Plain::Plain;
  Task<> upstream_request_filter(Session&, RequestHeader&, NoContext&) override { return {}; }
};

// What reaches the origin of `fields`.
Received pass(HttpProxyOptions options, std::string_view fields, bool filters,
              std::string listen = "127.0.0.1:0") {
  OriginServer origin(OriginServer::answer_all(OriginServer::ok("")));
  ProxyUnderTestOptions all{.proxy = std::move(options), .listen = std::move(listen)};
  std::optional<ProxyUnderTest> proxy;
  if (filters) {
    proxy.emplace(Filtering(origin.address()), std::move(all));
  } else {
    proxy.emplace(Plain(origin.address()), std::move(all));
  }
  CHECK(TestClient(proxy->address()).get("/", fields).status() == 200);
  auto requests = origin.requests();
  REQUIRE(requests.size() == 1);
  return {requests[0].get_all("X-Forwarded-For"), requests[0].get_all("X-Forwarded-Proto"),
          requests[0].get_all("Forwarded")};
}

HttpProxyOptions trusting(std::string_view prefix) {
  HttpProxyOptions options;
  options.trusted_proxies.push_back(*IpPrefix::parse(prefix));
  return options;
}

}  // namespace

TEST_CASE("Forwarded fields: a client's own word does not count", "[forwarded_fields]") {
  bool filters = GENERATE(false, true);
  auto options = GENERATE(0, 1);
  auto fields = GENERATE(as<std::string_view>(), "", kClaims);
  Received received =
      pass(options == 0 ? HttpProxyOptions() : trusting("192.0.2.0/24"), fields, filters);
  CHECK(received.for_values == Values{"127.0.0.1"});
  CHECK(received.proto == Values{"http"});
  CHECK(received.forwarded.empty());
}

TEST_CASE("Forwarded fields: a trusted proxy's word is passed on", "[forwarded_fields]") {
  bool filters = GENERATE(false, true);
  Received received = pass(trusting("127.0.0.0/8"), kClaims, filters);
  CHECK(received.for_values == Values{"192.0.2.1, 192.0.2.2, 127.0.0.1"});
  CHECK(received.proto == Values{"https"});
  CHECK(received.forwarded == Values{"for=192.0.2.3"});
  received = pass(trusting("127.0.0.1"), "", filters);
  CHECK(received.for_values == Values{"127.0.0.1"});
  CHECK(received.proto == Values{"http"});
}

TEST_CASE("Forwarded fields: PassOn adds nothing and drops nothing", "[forwarded_fields]") {
  bool filters = GENERATE(false, true);
  HttpProxyOptions options;
  options.forwarded = ForwardedPolicy::PassOn;
  Received received = pass(options, kClaims, filters);
  CHECK(received.for_values == Values{"192.0.2.1", "192.0.2.2"});
  CHECK(received.proto == Values{"https"});
  CHECK(received.forwarded == Values{"for=192.0.2.3"});
  CHECK(pass(options, "", filters).for_values.empty());
}

TEST_CASE("Forwarded fields: Drop adds nothing and passes nothing on", "[forwarded_fields]") {
  bool filters = GENERATE(false, true);
  HttpProxyOptions options = trusting("127.0.0.1");
  options.forwarded = ForwardedPolicy::Drop;
  Received received = pass(options, kClaims, filters);
  CHECK(received.for_values.empty());
  CHECK(received.proto.empty());
  CHECK(received.forwarded.empty());
}

TEST_CASE("Forwarded fields: an IPv6 client has no brackets", "[forwarded_fields]") {
  try {
    Received received = pass({}, kClaims, false, "[::1]:0");
    CHECK(received.for_values == Values{"::1"});
    received = pass(trusting("::/64"), "X-Forwarded-For: 2001:db8::1\r\n", true, "[::1]:0");
    CHECK(received.for_values == Values{"2001:db8::1, ::1"});
  } catch (const std::runtime_error& error) {
    WARN("no IPv6 here: " << error.what());
  }
}
