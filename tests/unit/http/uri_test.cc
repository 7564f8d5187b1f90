// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/uri.h"

#include <catch2/catch.hpp>
#include <string>

namespace pingora {

TEST_CASE("HostPort: takes hosts with and without a port", "[http]") {
  struct Case {
    std::string_view text, host;
    std::optional<std::uint16_t> port;
  };
  for (const Case& c : {Case{"a", "a", {}}, Case{"a-b.c_d~1:80", "a-b.c_d~1", 80},
                        Case{"127.0.0.1:65535", "127.0.0.1", 65535}, Case{"a:", "a", {}},
                        Case{"[::1]", "[::1]", {}}, Case{"[2001:db8::1]:8", "[2001:db8::1]", 8},
                        Case{"[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]", {}}, Case{"%41b", "%41b", {}},
                        Case{"a:00080", "a", 80}}) {
    INFO(c.text);
    std::optional<HostPort> parsed = HostPort::parse(c.text);
    REQUIRE(parsed.has_value());
    CHECK(parsed->host == c.host);
    CHECK(parsed->port == c.port);
  }
}

TEST_CASE("HostPort: refuses everything else", "[http]") {
  using namespace std::string_view_literals;
  for (std::string_view text :
       {""sv,       ":80"sv,       "a:65536"sv,       "a:99999999999999999999"sv,
        "a:-1"sv,   "a:8 "sv,      "a b"sv,           "a,b"sv,
        "u@a"sv,    "a/b"sv,       "a?b"sv,           "a#b"sv,
        "a\\b"sv,   "a\0"sv,       "\x80"sv,          "%4"sv,
        "%zz"sv,    "::1"sv,       "[::1"sv,          "[::1]a"sv,
        "[]"sv,     "[1.2.3.4]"sv, "[fe80::1%25a]"sv, "[::1\0]"sv,
        "[v1.a]"sv, "a:80:80"sv}) {
    INFO(text);
    CHECK_FALSE(HostPort::parse(text).has_value());
  }
  CHECK_FALSE(HostPort::parse("[" + std::string(100, ':') + "]").has_value());
}

TEST_CASE("Uri: takes the four forms apart", "[http]") {
  std::optional<Uri> uri = Uri::parse("https://Example.com/a?b?c");
  REQUIRE(uri.has_value());
  CHECK(uri->form() == TargetForm::Absolute);
  CHECK(uri->scheme() == "https");
  CHECK(uri->host() == "Example.com");
  CHECK(uri->port() == 443);
  CHECK(uri->path() == "/a");
  CHECK(uri->query() == "b?c");
  CHECK(Uri::parse("http://a:81")->port() == 81);
  CHECK(Uri::parse("http://a")->port() == 80);
  CHECK(Uri::parse("ws://a")->port() == std::nullopt);
  CHECK(Uri::parse("//a/b")->form() == TargetForm::Origin);
  CHECK(Uri::parse("//a/b")->host().empty());
  CHECK(Uri::parse("/a")->query() == std::nullopt);
  CHECK(Uri::parse("/a?")->query() == "");
  CHECK(Uri::parse_target(Method::Options, "*")->form() == TargetForm::Asterisk);
  CHECK(Uri::parse_target(Method::Connect, "a:443")->port() == 443);
}

TEST_CASE("Uri: a target has to fit the method and hold no strange byte", "[http]") {
  CHECK_FALSE(Uri::parse_target(Method::Get, "*").has_value());
  CHECK_FALSE(Uri::parse_target(Method::Get, "a:443").has_value());
  CHECK_FALSE(Uri::parse_target(Method::Connect, "/").has_value());
  CHECK_FALSE(Uri::parse_target(Method::Connect, "http://a:1/").has_value());
  CHECK_FALSE(Uri::parse_target(Method::Connect, "a:").has_value());
  CHECK_FALSE(Uri::parse("http:/a").has_value());
  CHECK_FALSE(Uri::parse("1http://a").has_value());
  CHECK_FALSE(Uri::parse("://a").has_value());
  for (int byte = 0; byte < 256; ++byte) {
    std::string target = "/x";
    target[1] = static_cast<char>(byte);
    bool printable = byte > 0x20 && byte < 0x7f && byte != '#';
    CHECK(Uri::parse(target).has_value() == printable);
    bool passes_raw = printable || byte >= 0x80;
    CHECK(Uri::parse_target(Method::Get, target, RawBytes::Allow).has_value() == passes_raw);
  }
}

}  // namespace pingora
