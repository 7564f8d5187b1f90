// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/modules/http_module.h"

#include <catch2/catch.hpp>
#include <string>

using namespace pingora;

namespace {

template <int kOrder>
class Tagging : public HttpModule {
 public:
  Result<void> response_body_filter(Bytes& body, EndOfStream) override {
    body = Bytes::copy_of(body.to_string() + std::to_string(kOrder));
    if (is_failing) return fail(ErrorType::InternalError, "as told");
    return {};
  }
  bool is_failing = false;
};

template <int kOrder>
class TaggingBuilder : public HttpModuleBuilder {
 public:
  std::int16_t order() const override { return kOrder; }
  std::unique_ptr<HttpModule> make() const override { return std::make_unique<Tagging<kOrder>>(); }
};

template <int kOrder>
Result<void> add(HttpModules& modules) {
  return modules.add_module<Tagging<kOrder>>(std::make_unique<TaggingBuilder<kOrder>>());
}

}  // namespace

TEST_CASE("HttpModules: a higher order sees the response first", "[modules]") {
  HttpModules modules;
  REQUIRE(add<1>(modules));
  REQUIRE(add<3>(modules));
  REQUIRE(add<2>(modules));
  auto context = modules.make_context();
  Bytes body = Bytes::from_static("x");
  REQUIRE(context.response_body_filter(body, EndOfStream::Yes));
  CHECK(body.view() == "x321");
}

TEST_CASE("HttpModules: a type is added once", "[modules]") {
  HttpModules modules;
  REQUIRE(add<1>(modules));
  CHECK_FALSE(add<1>(modules));
}

TEST_CASE("HttpModules: a module is found by its type, per request", "[modules]") {
  HttpModules modules;
  REQUIRE(add<1>(modules));
  REQUIRE(add<2>(modules));
  auto context = modules.make_context();
  REQUIRE(context.get<Tagging<2>>() != nullptr);
  CHECK(context.get<Tagging<3>>() == nullptr);
  context.get<Tagging<2>>()->is_failing = true;
  Bytes body;
  CHECK_FALSE(context.response_body_filter(body, EndOfStream::Yes));
  CHECK(body.view() == "2");  // the next module is not called behind an error
  auto other = modules.make_context();
  CHECK(other.response_body_filter(body, EndOfStream::Yes));
}
