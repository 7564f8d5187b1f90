// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/home.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <set>
#include <vector>

#include "h2/home_image.h"
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

TEST_CASE("H2 home: an image has the words that are not zero, in their places", "[h2]") {
  for (std::size_t words :
       {std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{640}}) {
    for (std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{61}, words + 1}) {
      INFO(words << " words, every " << step);
      std::vector<std::uint64_t> memory(words);
      for (std::size_t i = step - 1; i < words; i += step) memory[i] = i << 56 | 1;
      HomeImage image =
          HomeImage::of(reinterpret_cast<const char*>(memory.data()), words * sizeof(memory[0]));
      REQUIRE_FALSE(image.empty());
      std::vector<std::uint64_t> other(words);
      image.restore(reinterpret_cast<char*>(other.data()));
      CHECK(other == memory);
    }
  }
}

// As often as anything can happen to an idle connection.
TEST_CASE("H2 home: an engine that was put away wakes up for whatever comes", "[h2]") {
  using namespace testing;
  Pair pair;
  auto put_away = [&pair] {
    pair.pump();
    events_of(pair.client);
    events_of(pair.server);
    pair.server.trim();
    pair.client.trim();
  };
  auto exchange = [&pair](std::string_view path) {
    auto sent = pair.client.submit_request(get(path), {}, EndOfStream::Yes);
    REQUIRE(sent.has_value());
    pair.pump(1);
    auto events = stream_events_of(pair.server);
    REQUIRE(events.size() == 1);
    CHECK(events[0].request->path() == path);
    REQUIRE(
        pair.server.submit_response(*events[0].stream, ResponseHeader(204), {}, EndOfStream::Yes));
    pair.pump(1);
    CHECK(stream_events_of(pair.client).at(0).response->status() == 204);
    pair.client.release(**sent);
    pair.server.release(*events[0].stream);
  };
  put_away();
  for (int i = 0; i < 3; ++i) {
    exchange("/again");  // from the tables of both sides
    put_away();
    CHECK_FALSE(pair.server.has_output());
    CHECK_FALSE(pair.server.is_finished());
    CHECK(pair.client.can_open_stream());
    CHECK(take_all(pair.server).empty());
    pair.client.submit_ping(7);
    pair.pump();
    CHECK(events_of(pair.client).at(0).kind == Event::Kind::PingAck);
    put_away();
    CHECK(pair.server.receive_window() > 0);
    CHECK(pair.server.receive_window_used() == 0);
    CHECK(pair.client.send_window() > 0);
    put_away();
  }
  SECTION("a shutdown") {
    pair.server.begin_shutdown();
    CHECK(pair.server.has_output());
    pair.pump();
    CHECK(pair.client.is_draining());
    CHECK(pair.server.is_finished());
  }
  SECTION("its end by the program") {
    pair.server.terminate(ErrorCode::EnhanceYourCalm, kStart);
    CHECK(pair.server.has_output());
    pair.pump();
    CHECK(pair.client.is_draining());
    CHECK(pair.server.is_finished());
  }
  SECTION("what breaks the rules") {
    feed(pair.server, std::string_view("\0\0\1\0\0\0\0\0\0x", 10));  // DATA of no stream
    CHECK(pair.server.has_output());
    pair.pump();
    CHECK(pair.client.is_draining());
    CHECK(pair.server.is_finished());
  }
  SECTION("nothing") {}
}

}  // namespace pingora::h2
