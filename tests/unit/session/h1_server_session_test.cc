// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/session/h1_server_session.h"

#include <catch2/catch.hpp>

#include "wire.h"

using namespace pingora;
using namespace pingora::test;

TEST_CASE_METHOD(Workers, "H1 server: serves requests one after the other, at any read size",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  std::string input =
      "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
      "POST /d HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n"
      "1;x=y\r\na\r\n1\r\nb\r\n0\r\nX-Sum: 1\r\n\r\n"
      "GET /e HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
      "GET /f HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t size : kReadSizes) {
    CAPTURE(size);
    CHECK(*run(converse(input, echo, options, {.read_size_max = size})) ==
          "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n"
          "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 5\r\n\r\nhello"
          "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n"
          "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n"
          "1\r\na\r\n1\r\nb\r\n0\r\nX-Sum: 1\r\n\r\n"
          "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }
}
