// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/ip_prefix.h"

#include <catch2/catch.hpp>
#include <string>

using pingora::IpPrefix;
using pingora::SocketAddress;

namespace {

bool contains(std::string_view prefix, std::string_view address) {
  auto parsed = IpPrefix::parse(prefix);
  REQUIRE(parsed);
  return parsed->contains(*SocketAddress::parse(address, 4711));
}

}  // namespace

TEST_CASE("IpPrefix: contains what begins with its bits", "[net]") {
  CHECK(contains("10.0.0.0/8", "10.255.255.255"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  CHECK(contains("10.1.2.3/8", "10.0.0.0"));  // what is behind the bits does not count
  CHECK(contains("192.0.2.128/25", "192.0.2.128"));
  CHECK(contains("192.0.2.128/25", "192.0.2.255"));
  CHECK_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  CHECK(contains("192.0.2.1", "192.0.2.1"));
  CHECK_FALSE(contains("192.0.2.1", "192.0.2.0"));
  CHECK(contains("0.0.0.0/0", "203.0.113.9"));
  CHECK_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  CHECK(contains("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  CHECK(contains("::1", "::1"));
  CHECK(contains("::/0", "2001:db8::1"));
}

TEST_CASE("IpPrefix: a mapped IPv4 address counts as the IPv4 address", "[net]") {
  CHECK(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  CHECK(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
  CHECK_FALSE(contains("10.0.0.0/8", "::ffff:11.1.2.3"));
}

TEST_CASE("IpPrefix: a Unix socket is in none", "[net]") {
  CHECK_FALSE(IpPrefix::parse("::/0")->contains(*SocketAddress::unix_path("/tmp/x")));
  CHECK_FALSE(IpPrefix::parse("::/0")->contains(SocketAddress()));
}

TEST_CASE("IpPrefix: says what is no prefix", "[net]") {
  auto text = GENERATE(as<std::string>(), "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                       "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0/8", "::/129", "localhost/8",
                       "10.0.0.0/8/8", "10.0.0.0/99999999999999999999", "unix:/tmp/x");
  CAPTURE(text);
  CHECK_FALSE(IpPrefix::parse(text));
}
