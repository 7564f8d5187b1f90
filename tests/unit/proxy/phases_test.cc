// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Which phases the engine calls is known from the program's type.
#include "pingora/proxy/phases.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>

using namespace pingora;
using internal::Phase;
using internal::PhasesOf;

namespace {

constexpr std::initializer_list<Phase> kAllPhases = {Phase::OnConnectionReuse,
                                                     Phase::EarlyRequestFilter,
                                                     Phase::RequestFilter,
                                                     Phase::ProxyUpstreamFilter,
                                                     Phase::ConnectedToUpstream,
                                                     Phase::UpstreamRequestFilter,
                                                     Phase::RequestBodyFilter,
                                                     Phase::UpstreamResponseFilter,
                                                     Phase::UpstreamResponseBodyFilter,
                                                     Phase::UpstreamResponseTrailerFilter,
                                                     Phase::ResponseFilter,
                                                     Phase::ResponseBodyFilter,
                                                     Phase::ResponseTrailerFilter,
                                                     Phase::Logging,
                                                     Phase::PersistConnectionContext};

template <class P>
void check_overrides(std::initializer_list<Phase> expected) {
  PhasesOf<P> phases{P()};
  for (Phase phase : kAllPhases) {
    CAPTURE(static_cast<int>(phase));
    bool is_expected = std::find(expected.begin(), expected.end(), phase) != expected.end();
    CHECK(phases.overrides(phase) == is_expected);
  }
}

class Bare : public ProxyHttp<> {
 public:
  Task<HttpPeer> upstream_peer(Session&, NoContext&) override { return HttpPeer("127.0.0.1:1"); }
};

// What a company's proxies have in common.
template <class Ctx>
class House : public ProxyHttp<Ctx> {
 public:
  Task<HttpPeer> upstream_peer(Session&, Ctx&) override { return HttpPeer("127.0.0.1:1"); }
  Task<bool> request_filter(Session&, Ctx&) override { return false; }
  Task<> logging(Session&, const Error*, Ctx&) override { return {}; }
};

class OfTheHouse : public House<NoContext> {
 public:
  Task<> response_filter(Session&, ResponseHeader&, NoContext&) override { return {}; }
  Task<> logging(Session&, const Error*, NoContext&) override { return {}; }
};

class Inheriting : public OfTheHouse {};

class Everything : public House<int> {
 public:
  void on_connection_reuse(Session&, int&, std::any&) override {}
  Task<> early_request_filter(Session&, int&) override { return {}; }
  Task<bool> proxy_upstream_filter(Session&, int&) override { return true; }
  Task<> connected_to_upstream(Session&, ConnectionReuse, const HttpPeer&, int, const Digest&,
                               int&) override {
    return {};
  }
  Task<> upstream_request_filter(Session&, RequestHeader&, int&) override { return {}; }
  Task<> request_body_filter(Session&, Bytes&, EndOfStream, int&) override { return {}; }
  Task<> upstream_response_filter(Session&, ResponseHeader&, int&) override { return {}; }
  Task<> upstream_response_body_filter(Session&, Bytes&, EndOfStream, int&) override { return {}; }
  Task<> upstream_response_trailer_filter(Session&, HeaderMap&, int&) override { return {}; }
  Task<> response_filter(Session&, ResponseHeader&, int&) override { return {}; }
  Task<> response_body_filter(Session&, Bytes&, EndOfStream, int&) override { return {}; }
  Task<std::optional<Bytes>> response_trailer_filter(Session&, HeaderMap&, int&) override {
    return std::optional<Bytes>();
  }
  std::any persist_connection_context(const Session&, const int&) override { return {}; }
};

struct Counted {
  explicit Counted(int& alive) : alive_(&alive) { ++alive; }
  Counted(Counted&& other) noexcept : alive_(other.alive_) { ++*alive_; }
  ~Counted() { --*alive_; }
  int* alive_;
};

int counted_alive = 0;

// Has a context without a default.
class Counting : public ProxyHttp<Counted> {
 public:
  Counted new_ctx() override { return Counted(counted_alive); }
  Task<HttpPeer> upstream_peer(Session&, Counted&) override { return HttpPeer("127.0.0.1:1"); }
};

class Forgetful : public ProxyHttp<Counted> {
 public:
  Task<HttpPeer> upstream_peer(Session&, Counted&) override { return HttpPeer("127.0.0.1:1"); }
};

}  // namespace

TEST_CASE("Phases: a program that overrides nothing has none called", "[proxy]") {
  check_overrides<Bare>({});
}

TEST_CASE("Phases: an override counts in whichever class it is", "[proxy]") {
  check_overrides<House<std::string>>({Phase::RequestFilter, Phase::Logging});
  check_overrides<OfTheHouse>({Phase::RequestFilter, Phase::ResponseFilter, Phase::Logging});
  check_overrides<Inheriting>({Phase::RequestFilter, Phase::ResponseFilter, Phase::Logging});
  check_overrides<Everything>(kAllPhases);
}

TEST_CASE("Phases: make a request's context and take it away", "[proxy]") {
  PhasesOf<Counting> phases{Counting()};
  auto first = phases.new_ctx();
  auto second = phases.new_ctx();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(counted_alive == 2);
  phases.delete_ctx(*first);
  CHECK(counted_alive == 1);
  phases.delete_ctx(*second);
  phases.delete_ctx(nullptr);
  CHECK(counted_alive == 0);
}

TEST_CASE("Phases: a context that nobody can make is an error of the request", "[proxy]") {
  PhasesOf<Forgetful> phases{Forgetful()};
  auto made = phases.new_ctx();
  REQUIRE_FALSE(made);
  CHECK(made.error().type() == ErrorType::InternalError);
  CHECK(made.error().to_string().find("new_ctx is not overridden") != std::string::npos);
}
