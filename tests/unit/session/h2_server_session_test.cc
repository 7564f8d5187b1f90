// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Requests on an HTTP/2 connection as sessions: messages in both directions.
#include <catch2/catch.hpp>

#include "unit/session/h2_wire.h"

using namespace pingora;
using namespace pingora::test;

namespace {

constexpr MemoryStreamOptions kRoomy{.capacity = 1 << 24};

Task<> hello(ServerSession& session) {
  ResponseHeader header = response(200, "5");
  co_await header.insert_header("X-Target", session.req_header().raw_target());
  co_await session.write_head(header, EndOfStream::No);
  co_await session.write_body(Bytes::from_static("hello"), EndOfStream::Yes);
}

// One request, to its end.
Task<> exchange(H2Peer& peer, H2Request request, std::string body, H2Response** out) {
  if (!body.empty()) request.end = EndOfStream::No;
  H2Response& response = peer.begin(request);
  if (!body.empty()) peer.write(response, body, EndOfStream::Yes);
  *out = &response;
  co_await peer.until_complete(response);
}

// What a client gets for `request` from `handler`.
struct Conversation {
  explicit Conversation(H2ServerUnderTest::Handler handler, ServerSessionOptions options = {},
                        MemoryStreamOptions near_options = kRoomy)
      : server(std::move(handler), std::move(options)) {
    auto [near, far] = MemoryStream::make_pair(near_options, kRoomy);
    peer.emplace(std::move(far));
    server.start(std::move(near));
  }
  H2Response& ask(H2Request request, std::string body = {}) {
    H2Response* response = nullptr;
    REQUIRE(blocking(exchange(*peer, std::move(request), std::move(body), &response)));
    return *response;
  }
  bool blocking(Task<> task) { return server.run_side(std::move(task)).has_value(); }

  H2ServerUnderTest server;
  std::optional<H2Peer> peer;
};

}  // namespace

TEST_CASE("H2 server session: answers a request", "[h2]") {
  for (std::size_t read_size : kReadSizes) {
    Conversation talk(hello, {}, {.read_size_max = read_size, .capacity = 1 << 24});
    H2Response& got = talk.ask({.target = "/a?b"});
    CHECK(got.status() == 200);
    CHECK(got.head->get_header("X-Target") == "/a?b");
    CHECK(got.head->get_header(HeaderId::Date) == "now");
    CHECK(got.body == "hello");
    CHECK(got.is_complete);
    CHECK_FALSE(got.reset);
  }
}

TEST_CASE("H2 server session: adds a date where there is none", "[h2]") {
  Conversation talk([](ServerSession& session) -> Task<> {
    return session.write_head(ResponseHeader(204), EndOfStream::Yes);
  });
  H2Response& got = talk.ask({});
  CHECK(got.status() == 204);
  CHECK(got.head->headers().contains(HeaderId::Date));
}

TEST_CASE("H2 server session: echoes bodies of any size", "[h2]") {
  for (std::size_t size : {std::size_t{1}, std::size_t{1000}, std::size_t{65'535},
                           std::size_t{65'536}, std::size_t{1'000'000}}) {
    Conversation talk(echo);
    H2Response& got = talk.ask({.method = "POST"}, std::string(size, 'x'));
    CHECK(got.status() == 200);
    CHECK(got.body == std::string(size, 'x'));
    CHECK(got.is_complete);
  }
}

TEST_CASE("H2 server session: echoes a body however little is read and written at once", "[h2]") {
  for (std::size_t read_size : kReadSizes) {
    Conversation talk(echo, {},
                      {.read_size_max = read_size,
                       .write_size_max = read_size,
                       .always_waits = true,
                       .capacity = 1 << 24});
    H2Response& got = talk.ask({.method = "POST"}, std::string(3000, 'y'));
    CHECK(got.body == std::string(3000, 'y'));
    CHECK(got.is_complete);
  }
}

TEST_CASE("H2 server session: passes trailers both ways", "[h2]") {
  Conversation talk(echo);
  H2Response& got = talk.peer->begin({.method = "POST", .end = EndOfStream::No});
  talk.peer->write(got, "body");
  HeaderMap trailers;
  REQUIRE(trailers.append("x-sum", "17"));
  talk.peer->engine().submit_trailers(*got.stream, trailers);
  REQUIRE(talk.blocking(talk.peer->until_complete(got)));
  CHECK(got.body == "body");
  REQUIRE(got.trailers != nullptr);
  CHECK(got.trailers->get("x-sum") == "17");
}

TEST_CASE("H2 server session: sends 1xx responses before the final one", "[h2]") {
  Conversation talk([](ServerSession& session) -> Task<> {
    co_await session.write_informational(response(103));
    co_await session.write_informational(response(103));
    co_await hello(session);
  });
  H2Response& got = talk.ask({});
  CHECK(got.informational == std::vector<int>{103, 103});
  CHECK(got.status() == 200);
}

TEST_CASE("H2 server session: sends no body with what has none", "[h2]") {
  Conversation talk(hello);
  H2Response& got = talk.ask({.method = "HEAD"});
  CHECK(got.status() == 200);
  CHECK(got.head->get_header(HeaderId::ContentLength) == "5");
  CHECK(got.body.empty());
  CHECK(got.is_complete);
}

TEST_CASE("H2 server session: holds the application to its Content-Length", "[h2]") {
  Conversation too_much([](ServerSession& session) -> Task<> {
    co_await session.write_head(response(200, "3"), EndOfStream::No);
    Result<void> written =
        co_await session.write_body(Bytes::from_static("hello"), EndOfStream::Yes).as_result();
    CHECK(written.error().type() == ErrorType::InternalError);
  });
  CHECK(too_much.ask({}).reset == h2::ErrorCode::InternalError);

  Conversation too_little([](ServerSession& session) -> Task<> {
    co_await session.write_head(response(200, "30"), EndOfStream::No);
    Result<void> written =
        co_await session.write_body(Bytes::from_static("hello"), EndOfStream::Yes).as_result();
    CHECK(written.error().type() == ErrorType::InternalError);
  });
  CHECK(too_little.ask({}).reset == h2::ErrorCode::InternalError);

  Conversation exact([](ServerSession& session) -> Task<> {
    co_await session.write_head(response(200, "5"), EndOfStream::No);
    co_await session.write_body(Bytes::from_static("hello"), EndOfStream::No);
    CHECK(session.is_response_done());
  });
  H2Response& got = exact.ask({});
  CHECK(got.body == "hello");
  CHECK(got.is_complete);
}

TEST_CASE("H2 server session: a response that is not complete ends with a reset", "[h2]") {
  Conversation talk([](ServerSession& session) -> Task<> {
    co_await session.write_head(response(200), EndOfStream::No);
    co_await session.write_body(Bytes::from_static("hello"), EndOfStream::No);
    co_await session.flush();
  });
  H2Response& got = talk.ask({});
  CHECK(got.status() == 200);
  CHECK(got.body == "hello");
  CHECK(got.reset == h2::ErrorCode::InternalError);
}

TEST_CASE("H2 server session: an early response is whole, and the request's rest is refused",
          "[h2]") {
  Conversation talk(hello);
  H2Response& got = talk.peer->begin({.method = "POST", .end = EndOfStream::No});
  talk.peer->write(got, "the beginning");
  H2Peer& peer = *talk.peer;
  REQUIRE(talk.blocking(peer.until([&] { return got.reset.has_value(); })));
  CHECK(got.is_complete);
  CHECK(got.body == "hello");
  CHECK(got.reset == h2::ErrorCode::NoError);
  // The connection goes on.
  CHECK(talk.ask({}).status() == 200);
}

TEST_CASE("H2 server session: the windows are whole again behind bodies that nobody read", "[h2]") {
  Conversation talk(hello);
  std::int64_t window = 0;
  for (int i = 0; i < 100; ++i) {
    H2Response& got = talk.peer->begin({.method = "POST", .end = EndOfStream::No});
    talk.peer->write(got, std::string(60'000, 'z'), EndOfStream::Yes);
    REQUIRE(talk.blocking(talk.peer->until_complete(got)));
    talk.peer->engine().release(*got.stream);
    window = talk.peer->engine().send_window();
  }
  CHECK(window > 60'000);
}

TEST_CASE("H2 server session: a body larger than allowed is 413", "[h2]") {
  for (std::size_t size : {99, 100, 101}) {
    ServerSessionOptions options;
    options.body_bytes_max = 100;
    int status = 0;
    Conversation talk(
        [&status](ServerSession& session) -> Task<> {
          std::string body;
          while (!session.is_body_done()) {
            Result<Bytes> piece = co_await session.read_body().as_result();
            if (!piece) status = piece.error().status();
            if (!piece) co_return;
          }
          co_await hello(session);
        },
        options);
    H2Response& got = talk.ask({.method = "POST"}, std::string(size, 'x'));
    CHECK(status == (size > 100 ? 413 : 0));
    CHECK(got.is_complete == (size <= 100));
  }
}

TEST_CASE("H2 server session: shows an extended CONNECT as an upgrade", "[h2]") {
  Conversation talk([](ServerSession& session) -> Task<> {
    const RequestHeader& request = session.req_header();
    CHECK(request.method() == Method::Get);
    CHECK(request.raw_target() == "/chat");
    CHECK(request.get_header(HeaderId::Upgrade) == "websocket");
    CHECK(request.headers().contains(HeaderId::SecWebSocketKey));
    CHECK(session.is_upgrade_request());
    CHECK(session.is_body_done());
    ResponseHeader header = response(101);
    co_await header.append_header("Connection", "upgrade");
    co_await header.append_header("Upgrade", "websocket");
    co_await header.append_header("Sec-WebSocket-Accept", "whatever");
    co_await header.append_header("Sec-WebSocket-Protocol", "chat");
    co_await session.write_head(header, EndOfStream::Yes);  // of the head: a 101 has no body
    session.start_tunnel();
    for (;;) {
      Bytes piece = co_await session.read_body();
      bool is_end = piece.empty();
      co_await session.write_body(std::move(piece), is_end ? EndOfStream::Yes : EndOfStream::No);
      if (is_end) co_return;
    }
  });
  // The server's settings allow it, once they are known.
  REQUIRE(talk.blocking(
      talk.peer->until([&] { return talk.peer->engine().peer_settings().extended_connect; })));
  H2Response& got = talk.peer->begin({.method = "CONNECT",
                                      .target = "/chat",
                                      .fields = {{"sec-websocket-version", "13"}},
                                      .protocol = "websocket",
                                      .end = EndOfStream::No});
  talk.peer->write(got, "ping");
  REQUIRE(talk.blocking(talk.peer->until([&] { return got.body == "ping"; })));
  CHECK(got.status() == 200);
  CHECK(got.head->get_header("Sec-WebSocket-Protocol") == "chat");
  CHECK_FALSE(got.head->headers().contains("Sec-WebSocket-Accept"));
  talk.peer->write(got, "bye", EndOfStream::Yes);
  REQUIRE(talk.blocking(talk.peer->until_complete(got)));
  CHECK(got.body == "pingbye");
}

TEST_CASE("H2 server session: refuses other protocols", "[h2]") {
  Conversation talk(hello);
  REQUIRE(talk.blocking(
      talk.peer->until([&] { return talk.peer->engine().peer_settings().extended_connect; })));
  H2Response& got = talk.peer->begin(
      {.method = "CONNECT", .target = "/", .protocol = "gopher", .end = EndOfStream::No});
  REQUIRE(talk.blocking(talk.peer->until_complete(got)));
  CHECK(got.status() == 501);
}
