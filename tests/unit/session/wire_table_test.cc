// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The codec's table of wire messages, through sessions.
#include <catch2/catch.hpp>

#include "../h1/wire_messages.h"
#include "wire.h"

using namespace pingora;
using namespace pingora::test;
using pingora::h1::testing::WireMessage;

namespace {

struct Served {
  int refused = 0;  // the status of the head or body that was refused
  std::string body;
  std::string output;
};

Task<Served> serve_one(const WireMessage& message, std::size_t read_size) {
  ServerSessionOptions options;
  auto [near, far] = MemoryStream::make_pair({.read_size_max = read_size}, {.capacity = 1 << 24});
  co_await put(*far, std::string(message.bytes));
  far->shutdown_write();
  Served served;
  {
    H1ServerSession session(std::move(near), options);
    Result<bool> head = co_await session.read_request().as_result();
    if (!head) {
      served.refused = head.error().status();
    } else if (*head) {
      Result<Bytes> piece = Bytes();
      do {
        piece = co_await session.read_body().as_result();
        if (piece) served.body += piece->view();
      } while (piece && !piece->empty());
      if (!piece) served.refused = piece.error().status();
    }
    if (head && !*head) co_return served;
    int status = served.refused == 0 ? 200 : served.refused;
    co_await session.write_head(response(status, "0"), EndOfStream::Yes);
    bool goes_on = co_await session.finish();
    CHECK((served.refused == 0 || !goes_on));
  }
  served.output = co_await read_all(*far);
  co_return served;
}

Task<> fetch_one(const WireMessage& message, std::size_t read_size) {
  ClientSessionOptions options;
  auto [near, far] = MemoryStream::make_pair({.read_size_max = read_size}, {.capacity = 1 << 24});
  H1ClientSession session(std::move(near), options);
  RequestHeader request = *RequestHeader::build(Method::Get, "/");
  co_await session.write_head(request, {}, {});
  co_await put(*far, std::string(message.bytes));
  far->shutdown_write();
  Result<void> head;
  do {
    head = co_await session.read_head().as_result();
  } while (head && !session.is_head_final());
  std::string body;
  if (head) body = co_await read_whole_body(session);
  if (message.status == 0 && head) {
    CHECK(body == message.body);
    CHECK(session.is_body_done());
  } else {
    CHECK((!head || body.ends_with(">")));
    CHECK_FALSE(session.is_reusable());
  }
}

}  // namespace

TEST_CASE_METHOD(Workers, "H1 server: serves or refuses each message of the table",
                 "[session][h1_server]") {
  for (const WireMessage& message : h1::testing::kRequests) {
    for (std::size_t size : kReadSizes) {
      CAPTURE(message.name, size);
      Served served = *run(serve_one(message, size));
      CHECK(served.refused == message.status);
      CHECK(served.body == message.body);
      if (message.status == 0) {
        CHECK_THAT(served.output, Catch::StartsWith("HTTP/1.1 200 OK\r\n"));
      } else {
        CHECK_THAT(served.output, Catch::StartsWith("HTTP/1.1 " + std::to_string(message.status)));
        CHECK_THAT(served.output, Catch::Contains("\r\nConnection: close\r\n"));
      }
    }
  }
}

TEST_CASE_METHOD(Workers, "H1 client: takes or refuses each message of the table",
                 "[session][h1_client]") {
  for (const WireMessage& message : h1::testing::kResponses) {
    for (std::size_t size : kReadSizes) {
      CAPTURE(message.name, size);
      run(fetch_one(message, size)).value();
    }
  }
}
