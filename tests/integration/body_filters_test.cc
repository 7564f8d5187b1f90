// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Filters and modules that change what passes.
#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "recording_proxy.h"

using namespace pingora;

namespace {

struct Held {
  std::string request;
  std::string response;
};

// A proxy whose filters are functions of the test.
struct Filters {
  using Body = std::function<Result<void>(Session&, Bytes&, EndOfStream, Held&)>;
  std::function<void(RequestHeader&)> upstream_request{};
  Body request_body{};
  std::function<void(ResponseHeader&)> response{};
  Body upstream_response_body{};
  Body response_body{};
  std::function<std::optional<Bytes>(HeaderMap&)> response_trailers{};
  std::function<void(HttpModules&)> modules{};
};

class Filtering : public ProxyHttp<Held> {
 public:
  Filtering(SocketAddress origin, Filters filters)
      : origin_(std::move(origin)), filters_(std::move(filters)) {}
  void init_downstream_modules(HttpModules& modules) override {
    if (filters_.modules) filters_.modules(modules);
  }
  Task<HttpPeer> upstream_peer(Session&, Held&) override { return HttpPeer(origin_); }
  Task<> upstream_request_filter(Session&, RequestHeader& request, Held&) override {
    if (filters_.upstream_request) filters_.upstream_request(request);
    return {};
  }
  Task<> request_body_filter(Session& session, Bytes& body, EndOfStream end, Held& held) override {
    return filters_.request_body ? filters_.request_body(session, body, end, held) : Result<void>();
  }
  Task<> response_filter(Session&, ResponseHeader& response, Held&) override {
    if (filters_.response) filters_.response(response);
    return {};
  }
  Task<> upstream_response_body_filter(Session& session, Bytes& body, EndOfStream end,
                                       Held& held) override {
    return filters_.upstream_response_body
               ? filters_.upstream_response_body(session, body, end, held)
               : Result<void>();
  }
  Task<> response_body_filter(Session& session, Bytes& body, EndOfStream end, Held& held) override {
    return filters_.response_body ? filters_.response_body(session, body, end, held)
                                  : Result<void>();
  }
  Task<std::optional<Bytes>> response_trailer_filter(Session&, HeaderMap& trailers,
                                                     Held&) override {
    if (!filters_.response_trailers) return std::optional<Bytes>();
    return filters_.response_trailers(trailers);
  }

 private:
  SocketAddress origin_;
  Filters filters_;
};

OriginServer::Script echo() {
  return OriginServer::answer_with(
      [](const WireMessage& request) { return OriginServer::ok(request.body); });
}

template <class Header>
void drop_length(Header& header) {
  header.remove_header("Content-Length");
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

Result<void> to_upper(Session&, Bytes& body, EndOfStream, Held&) {
  body = Bytes::copy_of(upper(body.view()));
  return {};
}

// All at the end, in reverse.
Result<void> hold_back(std::string& held, Bytes& body, EndOfStream end) {
  held += body.view();
  body = {};
  if (end == EndOfStream::Yes) body = Bytes::copy_of(std::string(held.rbegin(), held.rend()));
  return {};
}

}  // namespace

TEST_CASE("Body filters: change pieces without changing their size", "[body_filters]") {
  KeptLog log;
  OriginServer origin(echo());
  bool changes_request = GENERATE(false, true);
  Filters filters;
  (changes_request ? filters.request_body : filters.response_body) = to_upper;
  ProxyUnderTest proxy(Filtering(origin.address(), filters));
  TestClient client(proxy.address());
  std::string body(100'000, 'b');
  for (int i = 0; i < 2; ++i) CHECK(client.post("/", body).body == upper(body));
  CHECK(origin.requests()[0].body == (changes_request ? upper(body) : body));
}

TEST_CASE("Body filters: hold back until the end", "[body_filters]") {
  KeptLog log;
  OriginServer origin(echo());
  Filters filters;
  bool is_request = GENERATE(false, true);
  if (is_request) {
    filters.request_body = [](Session&, Bytes& body, EndOfStream end, Held& held) {
      return hold_back(held.request, body, end);
    };
  } else {
    filters.response_body = [](Session&, Bytes& body, EndOfStream end, Held& held) {
      return hold_back(held.response, body, end);
    };
  }
  ProxyUnderTest proxy(Filtering(origin.address(), filters));
  TestClient client(proxy.address());
  std::string body = std::string(50'000, 'a') + std::string(50'000, 'z');
  CHECK(client.post("/", body).body == std::string(body.rbegin(), body.rend()));
  CHECK(client.post("/", "abc").body == "cba");
}

TEST_CASE("Body filters: a body of another size goes without Content-Length", "[body_filters]") {
  KeptLog log;
  OriginServer origin(echo());
  auto replace = [](Session&, Bytes& body, EndOfStream end, Held&) -> Result<void> {
    body = end == EndOfStream::Yes ? Bytes::from_static("other") : Bytes();
    return {};
  };
  SECTION("of the request") {
    Filters filters{.upstream_request = drop_length<RequestHeader>, .request_body = replace};
    ProxyUnderTest proxy(Filtering(origin.address(), filters));
    CHECK(TestClient(proxy.address()).post("/", "a long body").body == "other");
    CHECK(origin.requests()[0].get("Transfer-Encoding") == "chunked");
  }
  SECTION("of the request, with the right length") {
    Filters filters;
    filters.upstream_request = [](RequestHeader& request) {
      (void)request.insert_header("Content-Length", "5");
    };
    filters.request_body = replace;
    ProxyUnderTest proxy(Filtering(origin.address(), filters));
    CHECK(TestClient(proxy.address()).post("/", "a long body").body == "other");
    CHECK(origin.requests()[0].get_all("Content-Length") == std::vector<std::string>{"5"});
  }
  SECTION("of the response") {
    Filters filters{.response = drop_length<ResponseHeader>, .response_body = replace};
    ProxyUnderTest proxy(Filtering(origin.address(), filters));
    WireMessage response = TestClient(proxy.address()).post("/", "a long body");
    CHECK(response.body == "other");
    CHECK(response.get("Transfer-Encoding") == "chunked");
  }
  SECTION("of the response, which is dropped") {
    Filters filters{
        .response = drop_length<ResponseHeader>,
        .upstream_response_body = [](Session&, Bytes& body, EndOfStream, Held&) -> Result<void> {
          body = {};
          return {};
        }};
    ProxyUnderTest proxy(Filtering(origin.address(), filters));
    WireMessage response = TestClient(proxy.address()).post("/", "a long body");
    CHECK(response.is_complete);
    CHECK(response.body.empty());
  }
}

TEST_CASE("Body filters: a size that is not what was announced is that request's failure",
          "[body_filters]") {
  KeptLog log;
  OriginServer origin(echo());
  auto grow = [](Session&, Bytes& body, EndOfStream, Held&) -> Result<void> {
    body = Bytes::copy_of(body.to_string() + "more");
    return {};
  };
  auto shrink = [](Session&, Bytes& body, EndOfStream, Held&) -> Result<void> {
    body = {};
    return {};
  };
  Filters::Body filter = GENERATE_COPY(values<Filters::Body>({grow, shrink}));
  SECTION("of the request") {
    ProxyUnderTest proxy(Filtering(origin.address(), {.request_body = filter}));
    CHECK(TestClient(proxy.address()).post("/", "body").status() == 500);
  }
  SECTION("of the response") {
    ProxyUnderTest proxy(Filtering(origin.address(), {.response_body = filter}));
    CHECK_FALSE(TestClient(proxy.address()).post("/", "body").is_complete);
  }
}

TEST_CASE("Body filters: a body cannot be made where there is none", "[body_filters]") {
  KeptLog log;
  OriginServer origin(echo());
  Filters filters;
  filters.request_body = [](Session&, Bytes& body, EndOfStream end, Held&) -> Result<void> {
    if (!body.empty() || end != EndOfStream::Yes) return fail(ErrorType::Custom, "not the end");
    body = Bytes::from_static("made");
    return {};
  };
  ProxyUnderTest proxy(Filtering(origin.address(), filters));
  TestClient client(proxy.address());
  CHECK(client.get("/").status() == 500);
  CHECK(client.is_closed_by_peer());
  CHECK(log.text().find("a filter made a body") != std::string::npos);
}

TEST_CASE("Body filters: trailers are changed, or replaced by a last piece", "[body_filters]") {
  KeptLog log;
  OriginServer origin(
      OriginServer::answer_all("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"));
  constexpr std::string_view kWantsTrailers = "TE: trailers\r\nConnection: TE\r\n";
  SECTION("changed") {
    Filters filters;
    filters.response_trailers = [](HeaderMap& trailers) -> std::optional<Bytes> {
      (void)trailers.insert("X-Sum", "2");
      return std::nullopt;
    };
    ProxyUnderTest proxy(Filtering(origin.address(), filters));
    WireMessage response = TestClient(proxy.address()).get("/", kWantsTrailers);
    CHECK(response.body == "hello");
    CHECK(response.trailers == "X-Sum: 2\r\n");
  }
  SECTION("replaced") {
    Filters filters;
    filters.response_trailers = [](HeaderMap& trailers) -> std::optional<Bytes> {
      return Bytes::copy_of(" sum " + std::string(*trailers.get("X-Sum")));
    };
    ProxyUnderTest proxy(Filtering(origin.address(), filters));
    TestClient client(proxy.address());
    for (int i = 0; i < 2; ++i) {
      WireMessage response = client.get("/", kWantsTrailers);
      CHECK(response.body == "hello sum 1");
      CHECK(response.trailers.empty());
    }
  }
}

namespace {

// Appends its letter to whatever passes.
template <char kLetter>
class Marking : public HttpModule {
 public:
  Task<> request_header_filter(RequestHeader& request) override {
    return request.append_header("X-Seen", std::string(1, kLetter));
  }
  Task<> request_body_filter(Bytes& body, EndOfStream end) override {
    mark(body, end);
    return {};
  }
  Task<> response_header_filter(ResponseHeader& response, EndOfStream) override {
    response.remove_header("Content-Length");
    return response.append_header("X-Seen", std::string(1, kLetter));
  }
  Result<void> response_body_filter(Bytes& body, EndOfStream end) override {
    mark(body, end);
    return {};
  }

 private:
  static void mark(Bytes& body, EndOfStream end) {
    if (end == EndOfStream::Yes) body = Bytes::copy_of(body.to_string() + kLetter);
  }
};

template <char kLetter, int kOrder>
class MarkingBuilder : public HttpModuleBuilder {
 public:
  std::int16_t order() const override { return kOrder; }
  std::unique_ptr<HttpModule> make() const override { return std::make_unique<Marking<kLetter>>(); }
};

}  // namespace

TEST_CASE("Body filters: modules stand between the client and the filters", "[body_filters]") {
  KeptLog log;
  OriginServer origin(echo());
  auto append = [](std::string text) {
    return [text](Session&, Bytes& body, EndOfStream end, Held&) -> Result<void> {
      if (end == EndOfStream::Yes) body = Bytes::copy_of(body.to_string() + text);
      return {};
    };
  };
  Filters filters{.upstream_request = drop_length<RequestHeader>,
                  .request_body = append("f"),
                  .upstream_response_body = append("u"),
                  .response_body = append("r")};
  filters.modules = [](HttpModules& modules) {
    (void)modules.add_module<Marking<'b'>>(std::make_unique<MarkingBuilder<'b', 1>>());
    (void)modules.add_module<Marking<'a'>>(std::make_unique<MarkingBuilder<'a', 2>>());
  };
  ProxyUnderTest proxy(Filtering(origin.address(), filters));
  TestClient client(proxy.address());
  for (int i = 0; i < 2; ++i) {
    WireMessage response = client.post("/", ">");
    CHECK(response.body == ">abfurab");
    CHECK(response.get_all("X-Seen") == std::vector<std::string>{"a", "b"});
  }
  CHECK(origin.requests()[0].body == ">abf");
  CHECK(origin.requests()[0].get_all("X-Seen") == std::vector<std::string>{"a", "b"});
}
