// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "recording_proxy.h"

namespace pingora {

/// What is asked for.
enum class Sends : std::uint8_t { Get, Post, SmallPost, LargePost };

/// What a body may have to be sent again.
constexpr std::size_t kRetryBuffer = 1000;

inline std::string body_of(Sends request) {
  switch (request) {
    case Sends::Get:
    case Sends::Post: return {};
    case Sends::SmallPost: return std::string(kRetryBuffer, 's');
    case Sends::LargePost: return std::string(kRetryBuffer + 1, 'l');
  }
  return {};
}

struct Expected {
  int tries;
  int status;  // 0: none that is complete
};

constexpr Expected kRetried{2, 200};

inline std::ptrdiff_t tries(const Events& events) {
  return std::count_if(events.begin(), events.end(),
                       [](const std::string& event) { return event.starts_with("upstream_peer"); });
}

/// A row of the table of what is tried again.
struct RetryRow {
  HttpPeer first;          // which fails, and behind which there is one that does not
  bool is_reused = false;  // its connection: it answers one request before
  bool is_forced = false;  // the program says that the request is to be tried again
  Sends request = Sends::Get;
};

inline void check_retry(const RetryRow& row, Expected right) {
  OriginServer good(OriginServer::answer_all(OriginServer::ok("good")));
  Behaviour behaviour{.peers = {row.first, HttpPeer(good.address())}};
  if (row.is_forced) behaviour.retries_connect = behaviour.retries_request = true;
  ProxyUnderTestOptions options;
  options.proxy.retry_buffer_bytes_max = kRetryBuffer;
  RecordedProxy proxy(std::move(behaviour), std::move(options));
  TestClient client = proxy.client();
  if (row.is_reused) {
    REQUIRE(client.get("/").body == "warm");
    proxy.recording->take_until("persist");
  }
  WireMessage response =
      row.request == Sends::Get ? client.get("/") : client.post("/", body_of(row.request));
  CHECK((response.is_complete ? response.status() : 0) == right.status);
  CHECK(tries(proxy.recording->take_until("logging")) == right.tries);
  auto served = good.requests();
  REQUIRE(served.size() == (right.status == 200 ? 1 : 0));
  if (!served.empty()) CHECK(served[0].body == body_of(row.request));
}

}  // namespace pingora
