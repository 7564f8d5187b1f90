// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/session/h1_client_session.h"

#include <catch2/catch.hpp>

#include "wire.h"

using namespace pingora;
using namespace pingora::test;

TEST_CASE_METHOD(Workers, "H1 client: carries exchanges one after the other, at any read size",
                 "[session][h1_client]") {
  auto talk = [](std::size_t size) -> Task<> {
    ClientSessionOptions options;
    auto [near, far] = MemoryStream::make_pair({.read_size_max = size});
    H1ClientSession session(std::move(near), options);
    RequestHeader request = *RequestHeader::build(Method::Post, "/x");
    (void)request.insert_header(HeaderId::Host, "a");
    for (bool is_chunked : {false, true}) {
      co_await session.write_head(request, {},
                                  is_chunked ? BodyLength::unknown() : BodyLength::known(5));
      co_await session.write_body(Bytes::from_static("hello"), EndOfStream::Yes);
      CHECK(session.is_request_done());
      std::string sent = co_await read_until(*far, is_chunked ? "0\r\n\r\n" : "hello");
      CHECK(sent == (is_chunked
                         ? "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "5\r\nhello\r\n0\r\n\r\n"
                         : "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));
      co_await put(*far, is_chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                      "3\r\nabc\r\n0\r\n\r\n"
                                    : "HTTP/1.1 100 Continue\r\n\r\n"
                                      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
      do {
        co_await session.read_head();
      } while (!session.is_head_final());
      CHECK(session.resp_header().status() == 200);
      CHECK((co_await read_whole_body(session)) == "abc");
      CHECK(session.is_reusable());
      session.end_exchange();
      session.begin_reuse(options);
    }
  };
  for (std::size_t size : kReadSizes) {
    CAPTURE(size);
    CHECK(run(talk(size)));
  }
}
