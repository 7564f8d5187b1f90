// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Changing protocols, on both sides.
#include <catch2/catch.hpp>

#include "pingora/runtime/combinators.h"
#include "wire.h"

using namespace pingora;
using namespace pingora::test;

namespace {

constexpr std::string_view kHandshake =
    "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
// The key's, as RFC 6455 §1.3 has it.
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

ResponseHeader switching(std::string_view accept = kAccept) {
  ResponseHeader header = *ResponseHeader::build(101);
  (void)header.insert_header(HeaderId::Upgrade, "websocket");
  (void)header.insert_header(HeaderId::Connection, "Upgrade");
  (void)header.insert_header(HeaderId::SecWebSocketAccept, accept);
  return header;
}

RequestHeader handshake() {
  RequestHeader request = *RequestHeader::build(Method::Get, "/chat");
  (void)request.insert_header(HeaderId::Host, "a");
  (void)request.insert_header(HeaderId::Upgrade, "websocket");
  (void)request.insert_header(HeaderId::Connection, "Upgrade");
  (void)request.insert_header(HeaderId::SecWebSocketKey, "dGhlIHNhbXBsZSBub25jZQ==");
  (void)request.insert_header(HeaderId::SecWebSocketVersion, "13");
  return request;
}

std::string with_replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string result(text);
  result.replace(result.find(what), what.size(), by);
  return result;
}

}  // namespace

TEST_CASE_METHOD(Workers, "H1 server: an accepted upgrade makes a tunnel of both directions",
                 "[session][upgrade]") {
  ServerSessionOptions options;
  auto talk = [&](std::size_t read_size) -> Task<> {
    auto [near, far] = MemoryStream::make_pair({.read_size_max = read_size});
    co_await put(*far, std::string(kHandshake) + "early");
    H1ServerSession session(std::move(near), options);
    CHECK(co_await session.read_request());
    CHECK(session.is_upgrade_request());
    CHECK(session.body_length().is_empty());
    co_await session.write_head(switching(), EndOfStream::No);
    CHECK((co_await read_until(*far, "\r\n\r\n")) ==
          "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + std::string(kAccept) +
              "\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    session.start_tunnel();
    co_await session.write_body(Bytes::from_static("to the client"), EndOfStream::No);
    CHECK((co_await read_until(*far, "client")) == "to the client");
    co_await put(*far, " and late");
    far->shutdown_write();
    CHECK((co_await read_whole_body(session)) == "early and late");
    co_await session.write_body(Bytes::from_static("bye"), EndOfStream::Yes);
    CHECK((co_await read_all(*far)) == "bye");
    CHECK_FALSE(co_await session.finish());
  };
  for (std::size_t size : kReadSizes) run(talk(size)).value();
}

TEST_CASE_METHOD(Workers, "H1 server: what lacks anything, or is not allowed, is no upgrade",
                 "[session][upgrade]") {
  ServerSessionOptions options;
  const std::string kInputs[] = {
      with_replaced(kHandshake, "websocket", "h2c"),
      with_replaced(kHandshake, "websocket", "websocket, h2c"),
      with_replaced(kHandshake, "keep-alive, Upgrade", "keep-alive"),
      with_replaced(kHandshake, "Sec-WebSocket-Key", "X"),
      with_replaced(kHandshake, "Version: 13", "Version: 8"),
      with_replaced(kHandshake, "HTTP/1.1", "HTTP/1.0"),
      with_replaced(kHandshake, "GET", "POST"),
      with_replaced(kHandshake, "Host: a", "Host: a\r\nContent-Length: 1"),
  };
  auto handler = [](H1ServerSession& session) -> Task<> {
    CHECK_FALSE(session.is_upgrade_request());
    auto head = co_await session.write_head(switching(), EndOfStream::No).as_result();
    CHECK(head.error().type() == ErrorType::InternalError);
    co_await session.write_head(response(200, "0"), EndOfStream::Yes);
  };
  for (const std::string& input : kInputs) {
    CAPTURE(input);
    CHECK_THAT(*run(converse(input, handler, options)), Catch::StartsWith("HTTP/1.1 200 "));
  }
}

TEST_CASE_METHOD(Workers, "H1 server: an upgrade that is answered otherwise is a usual request",
                 "[session][upgrade]") {
  ServerSessionOptions options;
  auto handler = [](H1ServerSession& session) -> Task<> {
    co_await session.write_head(response(200, "0"), EndOfStream::Yes);
  };
  // What follows the head is the next request, and is served as one (RFC 9931).
  std::string output = *run(
      converse(std::string(kHandshake) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n", handler, options));
  CHECK(output.find("HTTP/1.1 200 ", 5) != std::string::npos);
}

TEST_CASE_METHOD(Workers, "H1 server: a 2xx to CONNECT makes a tunnel", "[session][upgrade]") {
  ServerSessionOptions options;
  auto talk = [&]() -> Task<> {
    auto [near, far] = MemoryStream::make_pair();
    co_await put(*far, "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\nhello");
    H1ServerSession session(std::move(near), options);
    CHECK(co_await session.read_request());
    co_await session.write_head(response(200), EndOfStream::No);
    session.start_tunnel();
    CHECK((co_await read_until(*far, "\r\n\r\n")) == "HTTP/1.1 200 OK\r\nDate: now\r\n\r\n");
    CHECK((co_await session.read_body()) == "hello");
    CHECK_FALSE(co_await session.finish());
  };
  run(talk()).value();
}

TEST_CASE_METHOD(Workers, "H1 client: an upgrade is asked for, and taken if the accept key fits",
                 "[session][upgrade]") {
  ClientSessionOptions options;
  auto talk = [&](std::string response, bool fits) -> Task<> {
    auto [near, far] = MemoryStream::make_pair();
    H1ClientSession session(std::move(near), options);
    RequestHeader request = handshake();
    co_await session.write_head(request, {}, {});
    CHECK((co_await read_until(*far, "\r\n\r\n")) ==
          "GET /chat HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
          "Sec-WebSocket-Version: 13\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    co_await put(*far, response + "early");
    auto head = co_await session.read_head().as_result();
    CHECK(head.has_value() == fits);
    CHECK_FALSE(session.is_reusable());
    if (!fits) {
      CHECK(head.error().type() == ErrorType::InvalidHttpHeader);
      CHECK(head.error().source() == ErrorSource::Upstream);
      co_return;
    }
    CHECK(session.is_head_final());
    session.start_tunnel();
    CHECK((co_await session.read_body()) == "early");
    co_await session.write_body(Bytes::from_static("up"), EndOfStream::Yes);
    CHECK((co_await read_all(*far)) == "up");
    far->shutdown_write();
    CHECK((co_await read_whole_body(session)).empty());
    CHECK_FALSE(session.is_reusable());
  };
  std::string accepted =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      std::string(kAccept) + "\r\n\r\n";
  run(talk(accepted, true)).value();
  run(talk(with_replaced(accepted, "s3p", "S3p"), false)).value();
  run(talk(with_replaced(accepted, "Sec-WebSocket-Accept", "X"), false)).value();
  run(talk(with_replaced(accepted, "websocket", "h2c"), false)).value();
  run(talk(with_replaced(accepted, "Connection: Upgrade", "X: y"), false)).value();
}

TEST_CASE_METHOD(Workers, "H1 client: a 101 that was not asked for is refused",
                 "[session][upgrade]") {
  ClientSessionOptions options;
  auto talk = [&](bool asks_for_other) -> Task<> {
    auto [near, far] = MemoryStream::make_pair();
    H1ClientSession session(std::move(near), options);
    RequestHeader request = handshake();
    (void)request.insert_header(HeaderId::Upgrade, "h2c");
    (void)request.insert_header(HeaderId::Http2Settings, "x");
    if (!asks_for_other) request.remove_header(HeaderId::Upgrade);
    co_await session.write_head(request, {}, {});
    std::string sent = co_await read_until(*far, "\r\n\r\n");
    CHECK_THAT(sent, !Catch::Contains("Upgrade") && !Catch::Contains("HTTP2-Settings"));
    co_await put(*far,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
    auto head = co_await session.read_head().as_result();
    CHECK(head.error().type() == ErrorType::InvalidHttpHeader);
  };
  run(talk(false)).value();
  run(talk(true)).value();
}

TEST_CASE_METHOD(Workers, "H1: other protocols can be allowed", "[session][upgrade]") {
  auto talk = []() -> Task<> {
    ServerSessionOptions server_options;
    server_options.upgrade_protocols = {"echo/1"};
    auto [near, far] = MemoryStream::make_pair();
    co_await put(*far,
                 "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: Echo/1\r\n\r\n");
    H1ServerSession server(std::move(near), server_options);
    CHECK(co_await server.read_request());
    CHECK(server.is_upgrade_request());

    ClientSessionOptions client_options;
    client_options.upgrade_protocols = {"echo/1"};
    auto [up_near, up_far] = MemoryStream::make_pair();
    H1ClientSession client(std::move(up_near), client_options);
    co_await client.write_head(server.req_header(), {}, server.body_length());
    CHECK_THAT(co_await read_until(*up_far, "\r\n\r\n"),
               Catch::EndsWith("Connection: upgrade\r\nUpgrade: echo/1\r\n\r\n"));
    co_await put(*up_far, "HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: echo/1\r\n\r\n");
    co_await client.read_head();
    CHECK(client.is_head_final());
    co_await server.write_head(client.resp_header(), EndOfStream::No);
    CHECK((co_await read_until(*far, "\r\n\r\n")) ==
          "HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: Echo/1\r\n\r\n");
  };
  run(talk()).value();
}
