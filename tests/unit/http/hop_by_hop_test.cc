// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/hop_by_hop.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace pingora {
namespace {

std::vector<std::string> names_left(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  HeaderMap headers;
  for (auto [name, value] : fields) REQUIRE(headers.append(name, value).has_value());
  remove_hop_by_hop(headers);
  std::vector<std::string> names;
  for (HeaderField field : headers) names.emplace_back(field.name);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("Hop-by-hop fields: go with Connection", "[http]") {
  CHECK(names_left({{"Host", "a"},
                    {"Keep-Alive", "timeout=5"},
                    {"Connection", "keep-alive"},
                    {"TE", "trailers"},
                    {"Transfer-Encoding", "chunked"},
                    {"Upgrade", "h2c"},
                    {"HTTP2-Settings", "x"},
                    {"Proxy-Connection", "close"},
                    {"Accept", "b"}}) == Names{"Host", "Accept"});
}

TEST_CASE("Hop-by-hop fields: those that Connection nominates go too", "[http]") {
  CHECK(names_left({{"X-Mine", "a"},
                    {"Connection", "close, x-mine"},
                    {"X-Other", "b"},
                    {"Accept", "c"},
                    {"connection", "ACCEPT"},
                    {"x-MINE", "d"}}) == Names{"X-Other"});
}

TEST_CASE("Hop-by-hop fields: nominations that would change the message are ignored", "[http]") {
  for (std::string_view name :
       {"Host", "Content-Length", "Cookie", "Set-Cookie", "Authorization", "X-Forwarded-For",
        "X-Forwarded-Proto", "X-Forwarded-Client-Cert", "X-Real-IP", "Forwarded", "Cache-Control",
        "Content-Type", "Content-Encoding", "Via", "Origin", "Range"}) {
    INFO(name);
    CHECK(names_left({{"Connection", name}, {name, "x"}}) == Names{std::string(name)});
  }
}

}  // namespace pingora
