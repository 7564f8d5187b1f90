// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "server/parking_lot.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "pingora/net/memory_stream.h"
#include "pingora/net/stream_layer.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/shutdown_watch.h"

using namespace pingora;
using namespace pingora::internal;
using namespace std::chrono_literals;

namespace {

// A stream that holds something that is no request yet, as TLS does with a part of a record.
class Holding final : public StreamLayer {
 public:
  explicit Holding(std::unique_ptr<Stream> inner) : StreamLayer(std::move(inner)) {}
  bool start_idle_watch(IdleWatch&) override { return false; }
  bool stop_idle_watch() override { return true; }
  std::optional<Result<std::size_t>> try_write(std::span<const iovec>) override {
    return std::nullopt;
  }

 protected:
  ReadAttempt attempt_read(Buffer&) override { return {std::nullopt, false}; }
};

struct Resumed final : ParkingLot::Owner {
  void resume(std::unique_ptr<ParkedConnection> connection) override {
    last = std::move(connection);
  }
  std::unique_ptr<ParkedConnection> last;
};

}  // namespace

TEST_CASE("ParkingLot: a stream that holds something is tried less and less often", "[server]") {
  Runtime runtime{RuntimeOptions{.threads = 1, .name = "test"}};
  OpenConnections open(0);
  ShutdownWatch shutdown;
  Resumed resumed;
  ParkingLot lot(resumed);
  auto [near, far] = MemoryStream::make_pair();
  auto connection = std::make_unique<ParkedConnection>(lot, runtime.least_loaded_worker(),
                                                       OpenConnections::Token(open), shutdown);
  connection->idle.stream = std::make_unique<Holding>(std::move(near));
  connection->park_after = 8ms;
  for (std::chrono::milliseconds expected : {16ms, 32ms, 64ms}) {
    connection->state = ParkedConnection::State::Starting;
    lot.park(std::move(connection));
    REQUIRE(resumed.last != nullptr);
    connection = std::move(resumed.last);
    CHECK(connection->park_after == expected);
  }
  for (int i = 0; i < 40; ++i) {
    connection->state = ParkedConnection::State::Starting;
    lot.park(std::move(connection));
    connection = std::move(resumed.last);
  }
  CHECK(connection->park_after == 1h);
  CHECK(lot.size() == 0);
}
