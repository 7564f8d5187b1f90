// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/session/h1_client_session.h"

#include <catch2/catch.hpp>

#include "pingora/metrics/registry.h"
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

namespace {

// What is sent for `request`, and the session's state behind `response`.
struct Fetched {
  std::string sent;
  std::string body;
  std::string trailers;
  std::string error;
  bool is_reusable = false;
};

Task<Fetched> fetch(Method method, BodyLength length, std::string response,
                    MemoryStreamOptions near_options = {}) {
  ClientSessionOptions options;
  auto [near, far] = MemoryStream::make_pair(near_options);
  H1ClientSession session(std::move(near), options);
  RequestHeader request = *RequestHeader::build(method, "/x");
  (void)request.insert_header(HeaderId::Host, "a");
  co_await session.write_head(request, {}, length);
  if (!length.is_empty()) {
    co_await session.write_body(Bytes::from_static("hi"), EndOfStream::Yes);
  }
  Fetched fetched;
  co_await put(*far, std::move(response));
  Buffer sent;
  co_await far->read(sent);
  fetched.sent = sent.view();
  far->shutdown_write();
  Result<void> head;
  do {
    head = co_await session.read_head().as_result();
  } while (head && !session.is_head_final());
  if (!head) {
    fetched.error = to_string(head.error().type());
    co_return fetched;
  }
  fetched.body = co_await read_whole_body(session);
  if (const HeaderMap* trailers = session.response_trailers()) {
    for (HeaderField field : *trailers) fetched.trailers += field.name;
  }
  fetched.is_reusable = session.is_reusable();
  co_return fetched;
}

}  // namespace

TEST_CASE_METHOD(Workers, "H1 client: frames a request by the length of its body",
                 "[session][h1_client]") {
  std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  CHECK(run(fetch(Method::Get, {}, ok))->sent == "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(run(fetch(Method::Post, BodyLength::known(0), ok))->sent ==
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  CHECK(run(fetch(Method::Post, BodyLength::known(2), ok))->sent ==
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  CHECK(run(fetch(Method::Get, BodyLength::unknown(), ok))->sent ==
        "GET /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
}

TEST_CASE_METHOD(Workers, "H1 client: fields of the connection are written for this hop",
                 "[session][h1_client]") {
  auto send = [](RequestHeader request, BodyLength length, HeaderEdits edits) -> Task<std::string> {
    ClientSessionOptions options;
    auto [near, far] = MemoryStream::make_pair();
    H1ClientSession session(std::move(near), options);
    co_await session.write_head(request, edits, length);
    co_await session.flush();
    co_return co_await read_until(*far, "\r\n\r\n");
  };
  auto request = [](std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    RequestHeader header = *RequestHeader::build(Method::Get, "http://b/x");
    for (auto [name, value] : fields) (void)header.append_header(name, value);
    return header;
  };
  std::string start = "GET /x HTTP/1.1\r\n";
  CHECK(*run(send(request({{"Connection", "close, X-Mine, Cookie"},
                           {"X-Mine", "1"},
                           {"Cookie", "c"},
                           {"Keep-Alive", "5"},
                           {"Proxy-Connection", "x"},
                           {"Proxy-Authorization", "x"},
                           {"Upgrade", "h2c"},
                           {"HTTP2-Settings", "x"},
                           {"TE", "gzip"}}),
                  {}, {})) == start + "Cookie: c\r\n\r\n");
  CHECK(*run(send(request({{"TE", "gzip, trailers"}}), {}, {})) ==
        start + "Connection: TE\r\nTE: trailers\r\n\r\n");
  // A Content-Length that is right stays where it is, any other goes.
  CHECK(*run(send(request({{"Content-Length", "7"}, {"X", "1"}}), BodyLength::known(7), {})) ==
        start + "Content-Length: 7\r\nX: 1\r\n\r\n");
  CHECK(*run(send(request({{"Content-Length", "7"}, {"X", "1"}}), BodyLength::known(8), {})) ==
        start + "X: 1\r\nContent-Length: 8\r\n\r\n");
  CHECK(*run(send(request({{"Content-Length", "7"}, {"X", "1"}}), BodyLength::unknown(), {})) ==
        start + "X: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
  // Edits, few and many.
  HeaderEdits edits;
  edits.skip.insert(HeaderId::Cookie);
  std::vector<ExtraField> extra(3, ExtraField{"X-A", "a"});
  edits.add = extra;
  std::string lines = "X-A: a\r\nX-A: a\r\nX-A: a\r\n";
  CHECK(*run(send(request({{"Cookie", "c"}}), {}, edits)) == start + lines + "\r\n");
  extra.resize(40, ExtraField{"X-B", "b"});
  edits.add = extra;
  for (int i = 3; i < 40; ++i) lines += "X-B: b\r\n";
  CHECK(*run(send(request({{"Cookie", "c"}}), BodyLength::known(8), edits)) ==
        start + lines + "Content-Length: 8\r\n\r\n");
}

TEST_CASE_METHOD(Workers, "H1 client: takes bodies as they are framed, and says what can be reused",
                 "[session][h1_client]") {
  struct Case {
    Method method;
    std::string_view response;
    std::string_view body;
    bool is_reusable;
    std::string_view trailers = {};
  };
  const Case kCases[] = {
      {Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", true},
      {Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", "hi", false},
      {Method::Get, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", "hi<ConnectionClosed>",
       false},
      {Method::Get, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", "hi",
       false},
      {Method::Get, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", false},
      {Method::Get, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
       "hi", true},
      {Method::Get, "HTTP/1.1 200 OK\r\n\r\nup to the end", "up to the end", false},
      {Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
       "hi", true},
      {Method::Get,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n",
       "hi", true, "X-Sum"},
      {Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nx",
       "hi", false},
      {Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
       "hi<ConnectionClosed>", false},
      {Method::Get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhiX",
       "hi<InvalidHttpHeader>", false},
      {Method::Head, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "", true},
      {Method::Head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", true},
      {Method::Head, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "", false},
      {Method::Get, "HTTP/1.1 204 No Content\r\n\r\n", "", true},
      {Method::Get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "", true},
      {Method::Get, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
       "", true},
  };
  for (const Case& each : kCases) {
    for (std::size_t size : kReadSizes) {
      CAPTURE(each.response, size);
      Fetched fetched =
          *run(fetch(each.method, {}, std::string(each.response), {.read_size_max = size}));
      CHECK(fetched.error.empty());
      CHECK(fetched.body == each.body);
      CHECK(fetched.trailers == each.trailers);
      // What comes behind the message may not have been read: then the pool's watch finds it.
      bool may_differ = !each.is_reusable && size != StreamFault::kNowhere;
      if (!may_differ) CHECK(fetched.is_reusable == each.is_reusable);
    }
  }
}

TEST_CASE_METHOD(Workers, "H1 client: informational responses have a bound",
                 "[session][h1_client]") {
  auto response = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "HTTP/1.1 103 Early Hints\r\n\r\n";
    return text + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  };
  CHECK(run(fetch(Method::Get, {}, response(16)))->error.empty());
  CHECK(run(fetch(Method::Get, {}, response(17)))->error == "InvalidHttpHeader");
}

TEST_CASE_METHOD(Workers, "H1 client: a head over a limit is counted", "[session][h1_client]") {
  Counter& struck = Registry::global().counter("pingora_session_limits_total", "",
                                               {{"side", "upstream"}, {"limit", "head"}});
  std::uint64_t before = struck.value();
  auto response = [](std::size_t fields) {
    std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    while (--fields > 0) text += "X: y\r\n";
    return text + "\r\n";
  };
  std::size_t fields_max = h1::ParserOptions().fields_max;
  CHECK(run(fetch(Method::Get, {}, response(fields_max - 1)))->error.empty());
  CHECK(run(fetch(Method::Get, {}, response(fields_max)))->error.empty());
  CHECK(struck.value() == before);
  CHECK(run(fetch(Method::Get, {}, response(fields_max + 1)))->error == "InvalidHttpHeader");
  CHECK(struck.value() == before + 1);
  // What is malformed is over no limit.
  CHECK(run(fetch(Method::Get, {}, "HTTP/1.1 2\r\n\r\n"))->error == "InvalidHttpHeader");
  CHECK(struck.value() == before + 1);
}

TEST_CASE_METHOD(Workers, "H1 client: a Content-Length that is ignored is not passed on",
                 "[session][h1_client]") {
  auto talk = [](h1::Leniency leniency) -> Task<> {
    ClientSessionOptions options;
    options.parser.allow_invalid_response_content_length = leniency;
    auto [near, far] = MemoryStream::make_pair();
    H1ClientSession session(std::move(near), options);
    RequestHeader request = *RequestHeader::build(Method::Get, "/x");
    co_await session.write_head(request, {}, {});
    co_await put(*far, "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nall of it");
    far->shutdown_write();
    auto head = co_await session.read_head().as_result();
    CHECK(head.has_value() == (leniency == h1::Leniency::Allow));
    if (!head) co_return;
    CHECK_FALSE(session.resp_header().get_header(HeaderId::ContentLength).has_value());
    CHECK((co_await read_whole_body(session)) == "all of it");
  };
  run(talk(h1::Leniency::Allow)).value();
  run(talk(h1::Leniency::Reject)).value();
}

TEST_CASE_METHOD(Workers, "H1 client: options for a forward proxy upstream",
                 "[session][h1_client]") {
  auto talk = []() -> Task<> {
    ClientSessionOptions options;
    options.target = h1::WriteTarget::AsReceived;
    options.hop_by_hop = HopByHopPolicy::Keep;
    auto [near, far] = MemoryStream::make_pair();
    H1ClientSession session(std::move(near), options);
    RequestHeader request = *RequestHeader::build(Method::Get, "http://b/x");
    (void)request.insert_header(HeaderId::ProxyAuthorization, "Basic x");
    (void)request.insert_header(HeaderId::Connection, "close");
    co_await session.write_head(request, {}, {});
    CHECK((co_await read_until(*far, "\r\n\r\n")) ==
          "GET http://b/x HTTP/1.1\r\nProxy-Authorization: Basic x\r\n\r\n");
  };
  run(talk()).value();
}

TEST_CASE_METHOD(Workers, "H1 client: says whether a body can be read without waiting",
                 "[session][h1_client]") {
  auto talk = []() -> Task<> {
    ClientSessionOptions options;
    auto [near, far] = MemoryStream::make_pair();
    H1ClientSession session(std::move(near), options);
    RequestHeader request = *RequestHeader::build(Method::Get, "/");
    co_await session.write_head(request, {}, {});
    CHECK_FALSE(session.has_buffered_input());
    // The second chunk is there but for its size line's end.
    co_await put(*far,
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "1\r\na\r\n1\r\nb\r\n1\r");
    co_await session.read_head();
    CHECK((co_await session.read_body()) == "a");
    CHECK(session.has_buffered_input());
    Task<Bytes> second = session.read_body();
    CHECK(second.is_ready());
    CHECK((co_await std::move(second)) == "b");
    CHECK_FALSE(session.has_buffered_input());
    CHECK_FALSE(session.is_body_done());
    co_await put(*far, "\nc\r\n0\r\n\r\n");
    CHECK((co_await session.read_body()) == "c");
    CHECK(session.is_body_done());  // known along with the last bytes
    CHECK(session.has_buffered_input());
    CHECK(session.body_bytes_read() == 3);
  };
  run(talk()).value();
}
