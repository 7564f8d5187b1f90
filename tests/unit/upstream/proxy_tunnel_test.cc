// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "upstream/proxy_tunnel.h"

#include <catch2/catch.hpp>
#include <mutex>
#include <string>

#include "connector_fixture.h"
#include "pingora/runtime/event.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// A proxy that gives `answer` to CONNECT, in pieces of `piece` bytes, and then is the origin too.
struct TunnelFixture : ConnectorFixture {
  std::string head() {
    std::lock_guard lock(mutex);
    return last_head;
  }
  ScriptedOrigin::Script proxy(std::string answer, std::size_t piece = 1000) {
    return [this, answer, piece](Stream& stream, int) -> Task<> {
      Buffer input;
      std::string request = co_await read_request_head(stream, input);
      {
        std::lock_guard lock(mutex);
        last_head = request;
      }
      for (std::size_t at = 0; at < answer.size(); at += piece) {
        co_await stream.write({std::string_view(answer).substr(at, piece)});
      }
      if (answer.empty()) co_return;
      while (!(co_await read_request_head(stream, input)).empty()) co_await stream.write({kOk});
    };
  }
  static HttpPeer through(const SocketAddress& proxy, const char* target = "192.0.2.1:443") {
    HttpPeer peer(target);
    peer.options.edit_rare().proxy = UpstreamProxy{proxy, {{"Proxy-Authorization", "Basic QQ=="}}};
    return peer;
  }
  Error failure(const HttpPeer& peer) {
    auto result = block_on(runtime, connector.connect_stream(peer));
    REQUIRE_FALSE(result);
    return std::move(result.error());
  }

  std::mutex mutex;
  std::string last_head;  // guarded by mutex
};

ScriptedOrigin::Over any_transport() {
  return GENERATE(ScriptedOrigin::Over::Tcp, ScriptedOrigin::Over::Unix);
}

}  // namespace

TEST_CASE_METHOD(TunnelFixture, "proxy tunnel: requests go through it, and it is reused",
                 "[connector]") {
  std::string answer =
      GENERATE(as<std::string>(), "HTTP/1.1 200 Connection established\r\n\r\n",
               "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 299 \r\nContent-Length: 5\r\n\r\n",
               "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
  ScriptedOrigin origin(runtime, proxy(answer), any_transport());
  HttpPeer peer = through(origin.address());
  peer.options.edit_rare().extra_proxy_headers = {{"X-Extra", "1"}};
  CHECK(run(fetch(peer)) == "new ok");
  CHECK(head() ==
        "CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: 192.0.2.1:443\r\n"
        "Proxy-Authorization: Basic QQ==\r\nX-Extra: 1\r\n\r\n");
  CHECK(run(fetch(peer)) == "reused ok");
  CHECK(origin.connections() == 1);
}

TEST_CASE_METHOD(TunnelFixture, "proxy tunnel: names are the proxy's to resolve", "[connector]") {
  ScriptedOrigin origin(runtime, proxy("HTTP/1.1 200 OK\r\n\r\n", 1));
  CHECK(run(fetch(through(origin.address(), "origin.example:80"))) == "new ok");
  CHECK(head().starts_with("CONNECT origin.example:80 HTTP/1.1\r\n"));
}

TEST_CASE_METHOD(TunnelFixture, "proxy tunnel: an answer other than 2xx is a failure with a status",
                 "[connector]") {
  int status = GENERATE(101, 300, 403, 407, 502, 999);
  ScriptedOrigin origin(
      runtime, proxy("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n"),
      any_transport());
  Error error = failure(through(origin.address()));
  CHECK(error.type() == ErrorType::ConnectProxyFailure);
  CHECK(error.source() == ErrorSource::Upstream);
  CHECK(error.status() == status);
}

TEST_CASE_METHOD(TunnelFixture, "proxy tunnel: bad answers and early closes are failures",
                 "[connector]") {
  std::string answer =
      GENERATE(as<std::string>(), "", "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\nX: y\n\n",
               "SSH-2.0-OpenSSH\r\n");
  ScriptedOrigin origin(runtime, proxy(answer), any_transport());
  Error error = failure(through(origin.address()));
  CHECK(error.type() == ErrorType::ConnectProxyFailure);
  CHECK(error.status() == 0);
}

TEST_CASE_METHOD(TunnelFixture, "proxy tunnel: a close in the middle of the answer",
                 "[connector]") {
  ScriptedOrigin origin(runtime, [](Stream& stream, int) -> Task<> {
    Buffer input;
    co_await read_request_head(stream, input);
    co_await stream.write({"HTTP/1.1 200 OK\r\n"});
  });
  CHECK(failure(through(origin.address())).type() == ErrorType::ConnectProxyFailure);
}

TEST_CASE_METHOD(TunnelFixture, "proxy tunnel: floods of 1xx are refused", "[connector]") {
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += "HTTP/1.1 102 Processing\r\n\r\n";
  ScriptedOrigin origin(runtime, proxy(flood));
  CHECK(failure(through(origin.address())).type() == ErrorType::ConnectProxyFailure);
}

TEST_CASE_METHOD(TunnelFixture, "proxy tunnel: a proxy that does not answer is ConnectTimedout",
                 "[connector]") {
  ScriptedOrigin origin(runtime, [](Stream& stream, int) -> Task<> {
    Buffer input;
    while (!(co_await read_request_head(stream, input)).empty()) {
    }
  });
  HttpPeer peer = through(origin.address());
  peer.options.connection_timeout = 20ms;
  CHECK(failure(peer).type() == ErrorType::ConnectTimedout);
}

TEST_CASE_METHOD(TunnelFixture, "proxy tunnel: what follows the answer belongs to the peer",
                 "[connector]") {
  ScriptedOrigin origin(runtime, proxy("HTTP/1.1 200 OK\r\n\r\n220 mail ready\r\n"),
                        any_transport());
  HttpPeer peer = through(origin.address());
  auto scenario = [](HttpConnector* connector, HttpPeer* peer) -> Task<std::string> {
    ConnectedStream connected = co_await connector->connect_stream(*peer);
    while (connected.received.size() < 16) co_await connected.stream->read(connected.received);
    co_return std::string(connected.received.view());
  };
  CHECK(run(scenario(&connector, &peer)) == "220 mail ready\r\n");
}

TEST_CASE_METHOD(TunnelFixture, "proxy tunnel: a response before the request is refused",
                 "[connector]") {
  ScriptedOrigin origin(runtime, proxy("HTTP/1.1 200 OK\r\n\r\n" + kOk));
  CHECK(run(fetch(through(origin.address()))) == "ConnectProxyFailure");
}

TEST_CASE_METHOD(TunnelFixture, "proxy tunnel: no header can smuggle another", "[connector]") {
  ScriptedOrigin origin(runtime, proxy("HTTP/1.1 200 OK\r\n\r\n"));
  HttpPeer peer = through(origin.address());
  peer.options.edit_rare().extra_proxy_headers = {{"X", "a\r\nY: b"}};
  CHECK(failure(peer).type() == ErrorType::InternalError);
  peer.options.edit_rare().extra_proxy_headers = {{"X Y", "a"}};
  CHECK(failure(peer).type() == ErrorType::InternalError);
  CHECK(head().empty());
}

TEST_CASE_METHOD(TunnelFixture, "proxy tunnel: Unix paths are no target", "[connector]") {
  ScriptedOrigin origin(runtime, proxy("HTTP/1.1 200 OK\r\n\r\n"));
  CHECK(failure(through(origin.address(), "unix:/run/x")).type() == ErrorType::InternalError);
}
