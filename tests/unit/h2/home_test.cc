// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/home.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <set>
#include <vector>

#include "pingora/h2/engine.h"
#include "unit/h2/engine_pair.h"

namespace pingora::h2 {

TEST_CASE("H2 home: each is of its own, and what is given back is taken again", "[h2]") {
  std::vector<Home> homes(200);
  std::set<char*> begins;
  for (Home& home : homes) {
    home = take_home();
    if (home.begin == nullptr) return;  // under AddressSanitizer
    CHECK(begins.insert(home.begin).second);
    bool is_zero = std::all_of(home.begin, home.begin + Home::kSize, [](char c) { return c == 0; });
    if (home.is_zero) CHECK(is_zero);
    std::memset(home.begin, 'x', Home::kSize);
  }
  for (Home& home : homes) give_home(home.begin);
  for (Home& home : homes) {
    home = take_home();
    bool is_zero = std::all_of(home.begin, home.begin + Home::kSize, [](char c) { return c == 0; });
    if (home.is_zero) CHECK(is_zero);
    CHECK(begins.contains(home.begin));
  }
  for (Home& home : homes) give_home(home.begin);
}

TEST_CASE("H2 home: a page is forgotten only if it is zero", "[h2]") {
  Home home = take_home();
  if (home.begin == nullptr) return;
  std::memset(home.begin, 0, Home::kSize);
  home.last_page()[Home::kPageSize - 1] = 'x';
  forget_zero_page(home.last_page());
  CHECK(home.last_page()[Home::kPageSize - 1] == 'x');
  home.last_page()[Home::kPageSize - 1] = 0;
  forget_zero_page(home.last_page());
  CHECK(home.last_page()[Home::kPageSize - 1] == 0);
  give_home(home.begin);
}

TEST_CASE("H2 home: engines come and go in the same ones, and are trimmed between requests",
          "[h2]") {
  using namespace testing;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<Pair>> pairs;
    for (int i = 0; i < 50; ++i) pairs.push_back(std::make_unique<Pair>());
    for (int request = 0; request < 3; ++request) {
      for (auto& pair : pairs) {
        auto sent = pair->client.submit_request(get("/"), {}, EndOfStream::Yes);
        REQUIRE(sent.has_value());
        pair->pump();
        EngineStream& stream = *stream_events_of(pair->server).at(0).stream;
        // With a stream open there is nothing to give back.
        pair->server.trim();
        REQUIRE(pair->server.submit_response(stream, ResponseHeader(204), {}, EndOfStream::Yes));
        pair->pump();
        events_of(pair->client);
        events_of(pair->server);
        pair->client.release(**sent);
        pair->server.release(stream);
        pair->server.trim();
        pair->client.trim();
        CHECK(pair->server.streams() == 0);
      }
    }
  }
}

}  // namespace pingora::h2
