// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <thread>

#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task_group.h"
#include "pingora/upstream/http_connector.h"
#include "scripted_origin.h"

namespace pingora {

/// A connector on a runtime of two workers, and what a test does with it.
struct ConnectorFixture {
  Runtime runtime{RuntimeOptions{.threads = 2, .name = "test"}};
  HttpConnector connector{ConnectorOptions{.keepalive_pool_size = 8, .workers = 2}};

  ConnectorFixture() { runtime.start(); }

  /// A GET on `session`: its response's body.
  Task<std::string> exchange(ClientSession& session) {
    RequestHeader request = co_await RequestHeader::build(Method::Get, "/");
    co_await request.insert_header(HeaderId::Host, "origin.example");
    co_await session.write_head(request, {}, BodyLength::none());
    co_await session.flush();
    do {
      co_await session.read_head();
    } while (!session.is_head_final());
    std::string body;
    for (;;) {
      Bytes piece = co_await session.read_body();
      if (piece.view().empty()) co_return body;
      body += piece.view();
    }
  }
  /// A whole exchange: "new BODY", "reused BODY", or the type of the error.
  Task<std::string> fetch(HttpPeer peer) {
    auto result = co_await try_fetch(peer).as_result();
    co_return result ? *result : std::string(result.error().type_name());
  }
  Task<std::string> try_fetch(const HttpPeer& peer) {
    UpstreamSession upstream = co_await connector.get_http_session(peer);
    std::string body = co_await exchange(*upstream.session);
    connector.release(std::move(upstream.session), peer);
    co_return (upstream.reused ? "reused " : "new ") + body;
  }
  /// Runs `task` on a worker and gives its value.
  template <class T>
  T run(Task<T> task, std::size_t worker = 0) {
    std::optional<Result<T>> result;
    TaskGroup group(runtime);
    group.spawn_on(runtime.worker(worker), internal::store_result(std::move(task), &result));
    group.join_blocking();
    REQUIRE(result->has_value());
    return std::move(**result);
  }
  /// For what happens on other threads; the test's own timeout ends it.
  template <class Condition>
  static void wait_until(Condition condition) {
    while (!condition()) std::this_thread::yield();
  }
};

}  // namespace pingora
