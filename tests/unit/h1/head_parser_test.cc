// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h1/head_parser.h"

#include <catch2/catch.hpp>
#include <string>

#include "unit/h1/message_reader.h"

namespace pingora::h1::testing {
namespace {

constexpr Leniency kAllow = Leniency::Allow;

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result.append(text);
  return result;
}

// Whole and in pieces: a limit strikes either way. Of a byte, unless there are many: the reader
// moves to other memory with each.
template <class Header>
int status_of(std::string_view bytes, const ParserOptions& options = {}) {
  const std::size_t piece = bytes.size() <= 4096 ? 1 : 61;
  int whole = read_whole<Header>(bytes, options).status;
  int dribbled = read_dribbled<Header>(bytes, piece, options).status;
  CHECK(whole == dribbled);
  return whole;
}

std::string request_with(std::string_view lines) {
  return std::string("GET / HTTP/1.1\r\nHost: a\r\n").append(lines).append("\r\n");
}

}  // namespace

TEST_CASE("H1 head parser: a request line up to its limit", "[h1]") {
  ParserOptions options;
  for (std::size_t limit : {std::size_t{64}, options.start_line_bytes_max}) {
    options.start_line_bytes_max = limit;
    auto request = [&](std::size_t line_size) {
      std::string path(line_size - std::string_view("GET / HTTP/1.1").size(), 'p');
      return "GET /" + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    CHECK(status_of<RequestHeader>(request(limit - 1), options) == 0);
    CHECK(status_of<RequestHeader>(request(limit), options) == 0);
    CHECK(status_of<RequestHeader>(request(limit + 1), options) == 414);
    CHECK(status_of<RequestHeader>(request(limit + 200), options) == 414);
    std::string endless(limit + 3, 'M');
    CHECK(status_of<RequestHeader>(endless, options) == 414);
  }
}

TEST_CASE("H1 head parser: a status line up to its limit", "[h1]") {
  ParserOptions options;
  options.start_line_bytes_max = 64;
  auto response = [&](std::size_t line_size) {
    std::string reason(line_size - std::string_view("HTTP/1.1 204 ").size(), 'r');
    return "HTTP/1.1 204 " + reason + "\r\n\r\n";
  };
  CHECK(status_of<ResponseHeader>(response(63), options) == 0);
  CHECK(status_of<ResponseHeader>(response(64), options) == 0);
  CHECK(status_of<ResponseHeader>(response(65), options) == 502);
}

TEST_CASE("H1 head parser: a head up to its limit", "[h1]") {
  ParserOptions options;
  for (std::size_t limit : {std::size_t{128}, options.head_bytes_max}) {
    options.head_bytes_max = limit;
    auto request = [&](std::size_t size) {
      return request_with("X: " + std::string(size - request_with("X: \r\n").size(), 'v') + "\r\n");
    };
    CHECK(status_of<RequestHeader>(request(limit - 1), options) == 0);
    CHECK(status_of<RequestHeader>(request(limit), options) == 0);
    CHECK(status_of<RequestHeader>(request(limit + 1), options) == 431);
    CHECK(status_of<RequestHeader>(request(limit + 1).substr(0, limit), options) == 431);
    CHECK(status_of<RequestHeader>(request(limit).substr(0, limit - 1), options) == -1);
  }
}

TEST_CASE("H1 head parser: as many fields as allowed, cookies apart", "[h1]") {
  ParserOptions options;
  auto fields = [](std::size_t count) { return request_with(repeated("X: y\r\n", count - 1)); };
  CHECK(status_of<RequestHeader>(fields(options.fields_max - 1)) == 0);
  CHECK(status_of<RequestHeader>(fields(options.fields_max)) == 0);
  CHECK(status_of<RequestHeader>(fields(options.fields_max + 1)) == 431);
  auto cookies = [](std::size_t count) {
    return request_with(repeated("X: y\r\n", 127) + repeated("Cookie: a=b\r\n", count));
  };
  CHECK(status_of<RequestHeader>(cookies(options.cookie_fields_max - 1)) == 0);
  CHECK(status_of<RequestHeader>(cookies(options.cookie_fields_max)) == 0);
  CHECK(status_of<RequestHeader>(cookies(options.cookie_fields_max + 1)) == 431);
  std::string response = "HTTP/1.1 204 No Content\r\n" + repeated("X: y\r\n", 129) + "\r\n";
  CHECK(status_of<ResponseHeader>(response) == 431);
}

TEST_CASE("H1 head parser: trailers up to their limits", "[h1]") {
  ParserOptions options;
  options.trailer_bytes_max = 64;
  std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  auto request = [&](std::size_t size) {
    return head + "X: " + std::string(size - 7, 'v') + "\r\n\r\n";
  };
  CHECK(status_of<RequestHeader>(request(63), options) == 0);
  CHECK(status_of<RequestHeader>(request(64), options) == 0);
  CHECK(status_of<RequestHeader>(request(65), options) == 431);
  options = {};
  CHECK(status_of<RequestHeader>(head + repeated("X: y\r\n", 128) + "\r\n") == 0);
  CHECK(status_of<RequestHeader>(head + repeated("X: y\r\n", 129) + "\r\n") == 431);
}

TEST_CASE("H1 head parser: chunk extensions up to their limit, over the whole body", "[h1]") {
  ParserOptions options;
  options.chunk_extension_bytes_max = 10;
  auto request = [](std::string_view first, std::string_view second) {
    return std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1")
        .append(first)
        .append("\r\na\r\n1")
        .append(second)
        .append("\r\nb\r\n0\r\n\r\n");
  };
  CHECK(status_of<RequestHeader>(request(";1234", ";123"), options) == 0);
  CHECK(status_of<RequestHeader>(request(";1234", ";1234"), options) == 0);
  CHECK(status_of<RequestHeader>(request(";1234", ";12345"), options) == 400);
  CHECK(status_of<RequestHeader>(request(";1234567890", ""), options) == 400);
}

TEST_CASE("H1 head parser: a name of more than 65535 bytes is refused", "[h1]") {
  ParserOptions options;
  options.head_bytes_max = 200000;
  CHECK(read_whole<RequestHeader>(request_with(std::string(65535, 'n') + ": v\r\n"), options)
            .status == 0);
  CHECK(read_whole<RequestHeader>(request_with(std::string(65536, 'n') + ": v\r\n"), options)
            .status == 400);
}

TEST_CASE("H1 head parser: bare LF only by leave, and never in chunks", "[h1]") {
  ParserOptions options;
  options.allow_bare_lf = kAllow;
  std::string_view request = "\nGET / HTTP/1.1\nHost: a\nX: b \r\n\n";
  CHECK(status_of<RequestHeader>(request) == 400);
  Outcome outcome = read_whole<RequestHeader>(request, options);
  CHECK(outcome.status == 0);
  CHECK(outcome.fields == std::vector<std::string>{"Host: a", "X: b"});
  CHECK(status_of<RequestHeader>(request, options) == 0);
  CHECK(status_of<ResponseHeader>("HTTP/1.1 204 No\nX: b\n\n", options) == 0);
  CHECK(status_of<RequestHeader>("GET / HTTP/1.1\nHost: a\rX: b\n\n", options) == 400);
  CHECK(status_of<RequestHeader>("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n"
                                 "1\na\r\n0\r\n\r\n",
                                 options) == 400);
}

TEST_CASE("H1 head parser: spaces before a response's colon only by leave", "[h1]") {
  ParserOptions options;
  options.allow_spaces_after_response_header_name = kAllow;
  std::string_view response = "HTTP/1.1 200 OK\r\nContent-Length \t: 1\r\nX : y\r\n\r\na";
  CHECK(status_of<ResponseHeader>(response) == 502);
  Outcome outcome = read_whole<ResponseHeader>(response, options);
  CHECK(outcome.fields == std::vector<std::string>{"Content-Length: 1", "X: y"});
  CHECK(outcome.body == "a");
  CHECK(status_of<ResponseHeader>("HTTP/1.1 200 OK\r\nX\x85: y\r\n\r\n", options) == 502);
  CHECK(status_of<ResponseHeader>("HTTP/1.1 200 OK\r\n : y\r\n\r\n", options) == 502);
  CHECK(status_of<RequestHeader>(request_with("X : y\r\n"), options) == 400);
}

TEST_CASE("H1 head parser: folded response values only by leave", "[h1]") {
  ParserOptions options;
  options.allow_obs_fold_in_responses = kAllow;
  std::string_view response = "HTTP/1.1 204 OK\r\nX: a\r\n  b\r\n\tc\r\nY: d\r\n \r\n\r\n";
  CHECK(status_of<ResponseHeader>(response) == 502);
  Outcome outcome = read_whole<ResponseHeader>(response, options);
  CHECK(outcome.status == 0);
  CHECK(outcome.fields == std::vector<std::string>{"X: a b c", "Y: d"});
  CHECK(read_dribbled<ResponseHeader>(response, 1, options) == outcome);
  CHECK(status_of<ResponseHeader>("HTTP/1.1 204 OK\r\n X: a\r\n\r\n", options) == 502);
  CHECK(status_of<RequestHeader>(request_with("X: a\r\n b\r\n"), options) == 400);
  CHECK(status_of<ResponseHeader>("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 0\r\n\r\n0123456789",
                                  options) == 502);
  CHECK(status_of<ResponseHeader>("HTTP/1.1 204 OK\r\nX: a\r\n" + repeated(" b\r\n", 128) + "\r\n",
                                  options) == 431);
}

TEST_CASE("H1 head parser: no leniency reaches into trailers", "[h1]") {
  ParserOptions options;
  options.allow_bare_lf = kAllow;
  options.allow_spaces_after_response_header_name = kAllow;
  options.allow_obs_fold_in_responses = kAllow;
  for (std::string_view trailers :
       {"\n", "X: a\n\r\n", "X: a\r\n\n", "X : a\r\n\r\n", "X: a\r\n b\r\n\r\n"}) {
    std::string response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    CHECK(status_of<ResponseHeader>(response.append(trailers), options) == 502);
  }
}

TEST_CASE("H1 framing: an invalid response Content-Length only by leave", "[h1]") {
  ParserOptions options;
  options.allow_invalid_response_content_length = kAllow;
  for (std::string_view value : {"x", "-1", "1,1", "1\r\nContent-Length: 1"}) {
    std::string response =
        std::string("HTTP/1.1 200 OK\r\nContent-Length: ").append(value) + "\r\n\r\nall of it";
    CHECK(status_of<ResponseHeader>(response) == 502);
    CHECK(read_whole<ResponseHeader>(response, options).body == "all of it");
  }
  CHECK(status_of<ResponseHeader>("HTTP/1.1 200 OK\r\nContent-Length: x\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                                  options) == 502);
  CHECK(status_of<RequestHeader>(request_with("Content-Length: x\r\n"), options) == 400);
}

TEST_CASE("H1 head parser: raw bytes in a target only by leave", "[h1]") {
  ParserOptions options;
  options.allow_raw_bytes_in_target = kAllow;
  std::string_view request = "GET /\xc3\xa9?\xff HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK(status_of<RequestHeader>(request) == 400);
  CHECK(read_whole<RequestHeader>(request, options).start_line ==
        "GET|/\xc3\xa9?\xff|/\xc3\xa9?\xff|HTTP/1.1|a");
  CHECK(status_of<RequestHeader>(request, options) == 0);
  CHECK(status_of<RequestHeader>("GET /\x80\x01 HTTP/1.1\r\nHost: a\r\n\r\n", options) == 400);
  CHECK(status_of<RequestHeader>("GET /\x80#a HTTP/1.1\r\nHost: a\r\n\r\n", options) == 400);
}

TEST_CASE("H1 head parser: a target that names a host replaces the Host field", "[h1]") {
  struct Case {
    std::string_view head, host, path;
  };
  for (const Case& c : {Case{"GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "b:81", "/x?y"},
                        Case{"GET http://b HTTP/1.0\r\n\r\n", "b", "/"},
                        Case{"OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n", "b", "*"},
                        Case{"CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n", "b:443", ""}}) {
    Buffer in;
    in.append(c.head);
    HeadProgress progress;
    RequestHeader header;
    REQUIRE(parse_request_head(in, progress, {}, header).status == ParseStatus::Done);
    CHECK(header.get_header("host") == c.host);
    CHECK(header.headers().count("host") == 1);
    CHECK(header.authority() == c.host);
    CHECK(header.path_and_query() == c.path);
  }
}

TEST_CASE("H1 head parser: the header lives on when the buffer is gone", "[h1]") {
  RequestHeader header;
  {
    Buffer in;
    in.append("GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: b\r\n\r\n");
    HeadProgress progress;
    REQUIRE(parse_request_head(in, progress, {}, header).status == ParseStatus::Done);
    CHECK_FALSE(progress.has_begun());
    RequestHeader second;
    REQUIRE(parse_request_head(in, progress, {}, second).status == ParseStatus::Done);
    CHECK(in.empty());
    CHECK(second.path() == "/y");
  }
  CHECK(header.path() == "/x");
  CHECK(header.get_header("host") == "a");
}

TEST_CASE("H1 head parser: a refused head can still be looked at", "[h1]") {
  RequestHeader header;
  {
    Buffer in;
    in.append("GET /x HTTP/1.1\r\nHost: a\r\nbad line\r\n\r\n");
    HeadProgress progress;
    CHECK(parse_request_head(in, progress, {}, header).status == ParseStatus::Error);
  }
  CHECK(header.path() == "/x");
  CHECK(header.get_header("host") == "a");
}

}  // namespace pingora::h1::testing
