// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// What a phase can do with its Session.
#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "recording_proxy.h"

using namespace pingora;

namespace {

// What `logging` saw.
struct Seen {
  int status = 0;
  unsigned tries = 0;
  std::uint64_t request_bytes = 0;
  std::uint64_t response_bytes = 0;
  std::uint64_t upstream_bytes = 0;
  std::uint64_t requests_of_connection = 0;
};

using Answer = Task<bool> (*)(Session&);

// Answers by a function of the test, or sends to an origin; tells what `logging` saw.
class Answering : public ProxyHttp<> {
 public:
  Answering(Answer answer, SocketAddress origin, std::shared_ptr<std::promise<Seen>> seen)
      : answer_(answer), origin_(std::move(origin)), seen_(std::move(seen)) {}
  Task<bool> request_filter(Session& session, NoContext&) override {
    if (answer_ == nullptr) return false;
    return answer_(session);
  }
  Task<HttpPeer> upstream_peer(Session&, NoContext&) override { return HttpPeer(origin_); }
  Task<> logging(Session& session, const Error*, NoContext&) override {
    const ResponseHeader* written = session.response_written();
    if (session.req_header().path() != "/seen") return {};
    seen_->set_value({.status = written != nullptr ? int{written->status()} : 0,
                      .tries = session.tries(),
                      .request_bytes = session.body_bytes_read(),
                      .response_bytes = session.body_bytes_sent(),
                      .upstream_bytes = session.upstream_body_bytes_received(),
                      .requests_of_connection = session.connection_requests()});
    return {};
  }

 private:
  Answer answer_;
  SocketAddress origin_;
  std::shared_ptr<std::promise<Seen>> seen_;
};

struct Fixture {
  explicit Fixture(Answer answer, SocketAddress origin = {})
      : proxy(Answering(answer, std::move(origin), promise)) {}
  TestClient client() const { return TestClient(proxy.address()); }
  Seen seen() { return promise->get_future().get(); }

  KeptLog log;
  std::shared_ptr<std::promise<Seen>> promise = std::make_shared<std::promise<Seen>>();
  ProxyUnderTest proxy;
};

Task<bool> respond_404(Session& session) {
  co_await session.respond_error(404);
  co_await session.respond_error(500);  // one was begun: does nothing
  co_return true;
}

Task<bool> respond_with_text(Session& session) {
  co_await session.respond_error_with_body(429, Bytes::from_static("slow down"), "text/html");
  co_return true;
}

Task<bool> respond_with_nothing(Session& session) {
  co_await session.respond_error_with_body(429, Bytes());
  co_return true;
}

Task<bool> respond_in_pieces(Session& session) {
  ResponseHeader header = co_await ResponseHeader::build(200);
  co_await session.write_response_header(std::move(header), EndOfStream::No);
  co_await session.write_response_body(Bytes::from_static("one "), EndOfStream::No);
  co_await session.write_response_body(Bytes::from_static("two"), EndOfStream::Yes);
  co_return true;
}

Task<bool> respond_with_length(Session& session) {
  ResponseHeader hint = co_await ResponseHeader::build(103);
  co_await session.write_response_header(std::move(hint), EndOfStream::No);
  ResponseHeader header = co_await ResponseHeader::build(200);
  header.set_content_length(3);
  co_await session.write_response_header(std::move(header), EndOfStream::No);
  co_await session.write_response_body(Bytes::from_static("one"), EndOfStream::Yes);
  co_return true;
}

Task<bool> respond_with_the_body(Session& session) {
  std::string body;
  for (;;) {
    Bytes piece = co_await session.read_request_body();
    if (piece.empty()) break;
    body += piece.view();
  }
  ResponseHeader header = co_await ResponseHeader::build(200);
  header.set_content_length(body.size());
  EndOfStream end = body.empty() ? EndOfStream::Yes : EndOfStream::No;
  co_await session.write_response_header(std::move(header), end);
  if (!body.empty()) co_await session.write_response_body(Bytes::copy_of(body), EndOfStream::Yes);
  co_return true;
}

Task<bool> end_the_connection(Session& session) {
  session.set_keepalive(std::nullopt);
  return false;
}

Task<bool> wait_a_little_for_the_next(Session& session) {
  session.set_keepalive(std::chrono::milliseconds(1));
  return false;
}

}  // namespace

TEST_CASE("Session: respond_error is a page without a body, and the connection's end",
          "[session]") {
  Fixture fixture(respond_404);
  TestClient client = fixture.client();
  WireMessage response = client.get("/seen");
  CHECK(response.status() == 404);
  CHECK(response.get("Server") == "Pingora");
  CHECK(response.get("Content-Length") == "0");
  CHECK(response.get("Cache-Control") == "private, no-store");
  CHECK(response.get("Connection") == "close");
  CHECK(client.is_closed_by_peer());
  Seen seen = fixture.seen();
  CHECK(seen.status == 404);
  CHECK(seen.tries == 0);
  CHECK(seen.upstream_bytes == 0);
}

TEST_CASE("Session: respond_error_with_body", "[session]") {
  SECTION("to a GET") {
    Fixture fixture(respond_with_text);
    TestClient client = fixture.client();
    WireMessage response = client.get("/seen");
    CHECK(response.status() == 429);
    CHECK(response.get("Content-Type") == "text/html");
    CHECK(response.body == "slow down");
    CHECK(client.is_closed_by_peer());
    CHECK(fixture.seen().response_bytes == 9);
  }
  SECTION("to a HEAD") {
    Fixture fixture(respond_with_text);
    TestClient client = fixture.client();
    client.send("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
    WireMessage response = client.receive_response(AnswerTo::Head);
    CHECK(response.get("Content-Length") == "9");
    CHECK(client.is_closed_by_peer());
  }
  SECTION("without a body") {
    Fixture fixture(respond_with_nothing);
    WireMessage response = fixture.client().get("/");
    CHECK(response.status() == 429);
    CHECK(response.get("Content-Length") == "0");
  }
}

TEST_CASE("Session: a response of the program's own keeps the connection", "[session]") {
  SECTION("in chunks, where its length is not said") {
    Fixture fixture(respond_in_pieces);
    TestClient client = fixture.client();
    for (int i = 0; i < 2; ++i) {
      WireMessage response = client.get("/");
      CHECK(response.get("Transfer-Encoding") == "chunked");
      CHECK(response.body == "one two");
    }
    client.get("/seen");
    Seen seen = fixture.seen();
    CHECK(seen.status == 200);
    CHECK(seen.response_bytes == 7);
    CHECK(seen.requests_of_connection == 3);
  }
  SECTION("behind a 103") {
    Fixture fixture(respond_with_length);
    TestClient client = fixture.client();
    for (int i = 0; i < 2; ++i) {
      CHECK(client.get("/").status() == 103);
      WireMessage response = client.receive_response();
      CHECK(response.get("Content-Length") == "3");
      CHECK(response.body == "one");
    }
    client.get("/seen");
    CHECK(fixture.seen().status == 200);
  }
}

TEST_CASE("Session: read_request_body gives the body to who answers", "[session]") {
  Fixture fixture(respond_with_the_body);
  TestClient client = fixture.client();
  std::string body(100'000, 'b');
  CHECK(client.post("/", body).body == body);
  CHECK(client.get("/").body.empty());
  CHECK(client.post("/seen", "hello").body == "hello");
  CHECK(fixture.seen().request_bytes == 5);
}

TEST_CASE("Session: set_keepalive", "[session]") {
  OriginServer origin(OriginServer::answer_all(OriginServer::ok("hello")));
  SECTION("with nothing, ends the connection behind the response") {
    Fixture fixture(end_the_connection, origin.address());
    TestClient client = fixture.client();
    WireMessage response = client.get("/");
    CHECK(response.body == "hello");
    CHECK(response.get("Connection") == "close");
    CHECK(client.is_closed_by_peer());
  }
  SECTION("with a time, ends the connection when it is up") {
    Fixture fixture(wait_a_little_for_the_next, origin.address());
    TestClient client = fixture.client();
    WireMessage response = client.get("/");
    CHECK(response.body == "hello");
    CHECK_FALSE(response.get("Connection"));
    CHECK(client.is_closed_by_peer());
  }
}

TEST_CASE("Session: logging sees what went through", "[session]") {
  SECTION("of a response that is complete") {
    OriginServer origin(OriginServer::answer_all(OriginServer::ok("hello")));
    Fixture fixture(nullptr, origin.address());
    CHECK(fixture.client().post("/seen", "a body").body == "hello");
    Seen seen = fixture.seen();
    CHECK(seen.status == 200);
    CHECK(seen.tries == 1);
    CHECK(seen.request_bytes == 6);
    CHECK(seen.response_bytes == 5);
    CHECK(seen.upstream_bytes == 5);
    CHECK(seen.requests_of_connection == 1);
  }
  SECTION("of one that broke off") {
    OriginServer origin([](OriginConnection& connection) {
      connection.read_request();
      connection.send("HTTP/1.1 203 Whatever\r\nContent-Length: 100\r\n\r\nhello");
    });
    Fixture fixture(nullptr, origin.address());
    CHECK_FALSE(fixture.client().get("/seen").is_complete);
    Seen seen = fixture.seen();
    CHECK(seen.status == 203);
    CHECK(seen.upstream_bytes == 5);
  }
}
