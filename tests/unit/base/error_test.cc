// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/error.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

using pingora::append_escaped;
using pingora::Error;
using pingora::ErrorSource;
using pingora::ErrorType;
using pingora::fail;
using pingora::Result;
using pingora::RetryType;

namespace {

std::string escaped(std::string_view bytes, std::size_t bytes_max = 2048) {
  std::string out;
  append_escaped(out, bytes, bytes_max);
  return out;
}

}  // namespace

TEST_CASE("Error: is one pointer", "[error]") { CHECK(sizeof(Error) == sizeof(void*)); }

TEST_CASE("Error: explain sets type and context and nothing else", "[error]") {
  Error error = Error::explain(ErrorType::ReadError, "reading the head");
  CHECK(error.type() == ErrorType::ReadError);
  CHECK(error.type_name() == "ReadError");
  CHECK(error.context() == "reading the head");
  CHECK(error.source() == ErrorSource::Unset);
  CHECK(error.retry_type() == RetryType::No);
  CHECK(error.status() == 0);
  CHECK(error.cause() == nullptr);
  CHECK(&error.root_cause() == &error);
  CHECK(error.peer_text().empty());
  CHECK(error.to_string() == "ReadError context: reading the head");
}

TEST_CASE("Error: without context its text is its type", "[error]") {
  CHECK(Error::explain(ErrorType::Cancelled).to_string() == "Cancelled");
}

TEST_CASE("Error: because inherits retry and source and keeps the cause", "[error]") {
  Error cause = Error::explain(ErrorType::ConnectRefused, "10.0.0.1:80").into_up();
  cause.set_retry(true);
  Error error = Error::because(ErrorType::ConnectError, "connecting", std::move(cause));
  CHECK(error.retry());
  CHECK(error.source() == ErrorSource::Upstream);
  REQUIRE(error.cause() != nullptr);
  CHECK(error.cause()->type() == ErrorType::ConnectRefused);
  CHECK(error.root_cause().context() == "10.0.0.1:80");
}

TEST_CASE("Error: the text of a chain names a source once", "[error]") {
  Error error =
      Error::because(ErrorType::HttpStatus, "answering",
                     Error::because(ErrorType::ConnectError, "connecting",
                                    Error::explain(ErrorType::ConnectRefused, "a:80").into_up()));
  CHECK(error.to_string() ==
        "Upstream HttpStatus context: answering cause: ConnectError context: connecting"
        " cause: ConnectRefused context: a:80");
  error.set_source(ErrorSource::Internal);
  CHECK(error.to_string() ==
        "Internal HttpStatus context: answering cause: Upstream ConnectError context: connecting"
        " cause: ConnectRefused context: a:80");
}

TEST_CASE("Error: internal, http_status and custom say so", "[error]") {
  CHECK(Error::internal("no peer").to_string() == "Internal InternalError context: no peer");
  Error status = Error::http_status(429, "too fast");
  CHECK(status.type() == ErrorType::HttpStatus);
  CHECK(status.status() == 429);
  CHECK(status.to_string() == "HttpStatus 429 context: too fast");
  Error custom = Error::custom("OutOfTea", "at five");
  CHECK(custom.type() == ErrorType::Custom);
  CHECK(custom.type_name() == "OutOfTea");
  CHECK(custom.to_string() == "OutOfTea context: at five");
}

TEST_CASE("Error: from_errno adds the text of the error number", "[error]") {
  Error error = Error::from_errno(ErrorType::BindError, EADDRINUSE, "binding :80");
  CHECK(error.context() == "binding :80: Address already in use");
  CHECK(Error::from_errno(ErrorType::BindError, EACCES, "").context() == "Permission denied");
}

TEST_CASE("Error: contexts are joined from the outermost inwards", "[error]") {
  Error error = Error::explain(ErrorType::ReadError);
  error.add_context("inner");
  error = std::move(error).more_context("outer");
  CHECK(error.context() == "outer: inner");
}

TEST_CASE("Error: a source that is set stays", "[error]") {
  Error error = Error::explain(ErrorType::ReadError).into_down();
  CHECK(error.source() == ErrorSource::Downstream);
  error = std::move(error).into_up();
  error = std::move(error).into_in();
  CHECK(error.source() == ErrorSource::Downstream);
  error.set_source(ErrorSource::Upstream);
  CHECK(error.source() == ErrorSource::Upstream);
}

TEST_CASE("Error: ReusedOnly is decided once and counts as no until then", "[error]") {
  Error error = Error::explain(ErrorType::ReadError);
  error.set_retry_type(RetryType::ReusedOnly);
  CHECK_FALSE(error.retry());
  Error on_fresh = error.clone();
  error.decide_reuse(true);
  CHECK(error.retry());
  on_fresh.decide_reuse(false);
  CHECK_FALSE(on_fresh.retry());
  on_fresh.decide_reuse(true);
  CHECK(on_fresh.retry_type() == RetryType::No);
}

TEST_CASE("Error: a clone is equal and independent", "[error]") {
  Error error = Error::because(ErrorType::Custom, "outer",
                               Error::custom("Odd", "inner").with_peer_text("go away"))
                    .with_peer_text("sorry");
  error.set_retry(true);
  Error copy = error.clone();
  error.add_context("later");
  CHECK(copy.context() == "outer");
  CHECK(copy.peer_text() == "sorry");
  CHECK(copy.retry());
  REQUIRE(copy.cause() != nullptr);
  CHECK(copy.cause() != error.cause());
  CHECK(copy.cause()->type_name() == "Odd");
  CHECK(copy.cause()->peer_text() == "go away");
}

TEST_CASE("Error: peer text never reaches the log text nor the other way", "[error]") {
  Error error = Error::explain(ErrorType::H1Error, "secret").with_peer_text("bad request");
  CHECK(error.peer_text() == "bad request");
  CHECK(error.to_string().find("bad request") == std::string::npos);
}

TEST_CASE("Error: its text is one line whatever a peer sent", "[error]") {
  Error error = Error::explain(ErrorType::H1Error, "got 'a\r\nb\x00\xff'");
  CHECK(error.to_string().find('\n') == std::string::npos);
  Error named = Error::custom("Odd\nname", "x");
  CHECK(named.to_string() == "Odd\\x0aname context: x");
}

TEST_CASE("Error: every type and source has a name of its own", "[error]") {
  std::vector<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(ErrorType::Custom); ++i) {
    std::string_view name = to_string(static_cast<ErrorType>(i));
    CHECK_FALSE(name.empty());
    CHECK(std::find(seen.begin(), seen.end(), name) == seen.end());
    seen.push_back(name);
  }
  CHECK(to_string(ErrorSource::Unset).empty());
  CHECK(to_string(ErrorSource::Upstream) == "Upstream");
  CHECK(to_string(ErrorSource::Downstream) == "Downstream");
  CHECK(to_string(ErrorSource::Internal) == "Internal");
}

TEST_CASE("Result: fail makes its error side", "[error]") {
  Result<int> typed = fail(ErrorType::ReadTimedout, "head");
  REQUIRE_FALSE(typed.has_value());
  CHECK(typed.error().type() == ErrorType::ReadTimedout);
  Result<int> moved = fail(Error::http_status(404));
  CHECK(moved.error().status() == 404);
}

TEST_CASE("append_escaped: leaves printable ASCII and escapes the rest", "[error]") {
  CHECK(escaped("GET /a~ HTTP/1.1") == "GET /a~ HTTP/1.1");
  CHECK(escaped({"\0\t\r\n\x1b\x7f\x80\xff", 8}) == "\\x00\\x09\\x0d\\x0a\\x1b\\x7f\\x80\\xff");
  CHECK(escaped("a\\x41") == "a\\x5cx41");
}

TEST_CASE("append_escaped: cuts above the limit and says so", "[error]") {
  CHECK(escaped("abc", 4) == "abc");
  CHECK(escaped("abcd", 4) == "abcd");
  CHECK(escaped("abcde", 4) == "abcd...");
  CHECK(escaped("abc", 0) == "...");
}
