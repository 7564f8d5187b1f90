// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "pingora/net/socket_address.h"
#include "pingora/testing/wire_connection.h"

namespace pingora {

/// A client that sends what a test wants it to, and blocks the test's thread while it waits.
///
///     TestClient client(proxy.address());
///     CHECK(client.get("/").status() == 200);
class TestClient : public WireConnection {
 public:
  /// Connects; `is_connected` says whether it could.
  explicit TestClient(const SocketAddress& address);
  bool is_connected() const noexcept { return fd() >= 0; }

  /// A request for `target` with the Host `test` and `fields`, which are whole lines, and its
  /// response.
  WireMessage get(std::string_view target, std::string_view fields = {});
  /// The same with a body, and its length.
  WireMessage post(std::string_view target, std::string_view body, std::string_view fields = {});
};

}  // namespace pingora
