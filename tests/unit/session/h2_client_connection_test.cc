// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The life of an HTTP/2 connection to an origin.
#include "pingora/session/h2_client_connection.h"

#include <catch2/catch.hpp>

#include "unit/session/h2_wire.h"

using namespace pingora;
using namespace pingora::test;

namespace {

constexpr MemoryStreamOptions kRoomy{.capacity = 1 << 24};
// SETTINGS that acknowledge ours and yet have a payload, of which the last byte is still to come.
constexpr std::string_view kBadFrame("\0\0\1\4\1\0\0\0\0", 9);
constexpr std::string_view kLateByte("\0", 1);

Task<> carry(H2ClientConnection connection, Event& ended) {
  (void)co_await connection.run({}).as_result();
  ended.set();
}

// An origin that goes on sending when it has already been told what was wrong.
Task<> break_rules(std::unique_ptr<MemoryStream> origin, Event& ended) {
  co_await origin->write({kBadFrame});
  std::string told = co_await read_all(*origin);
  REQUIRE(told.starts_with(kPreface));
  CHECK(goaway_code(std::string_view(told).substr(kPreface.size())) > 0);
  co_await origin->write({kLateByte});
  CHECK_FALSE(ended.is_set());
  origin.reset();
  co_await ended.wait();
}

}  // namespace

TEST_CASE("H2 client: an origin that breaks the rules can read why before the connection closes",
          "[h2]") {
  H2Options options;
  options.linger_timeout = std::chrono::minutes(1);
  auto [near, far] = MemoryStream::make_pair(kRoomy, kRoomy);
  Workers workers;
  Event ended;
  TaskGroup tasks(workers.runtime);
  tasks.spawn(carry(H2ClientConnection(std::move(near), options, 1), ended));
  CHECK(workers.run(break_rules(std::move(far), ended)).has_value());
  tasks.join_blocking();
}
