// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>

#include "pingora/net/connect.h"
#include "pingora/net/listener.h"
#include "pingora/net/socket_stream.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task_group.h"

namespace pingora {

/// A path for a Unix socket that no other test uses; removed at the end.
class SocketPath {
 public:
  SocketPath() {
    static std::atomic<int> next{0};
    path_ = "/tmp/pingora-test-" + std::to_string(::getpid()) + "-" + std::to_string(next++);
  }
  SocketPath(const SocketPath&) = delete;
  SocketPath& operator=(const SocketPath&) = delete;
  ~SocketPath() { ::unlink(path_.c_str()); }
  SocketAddress address() const { return *SocketAddress::unix_path(path_); }
  const std::string& string() const { return path_; }

 private:
  std::string path_;
};

/// A runtime of two workers, and a group whose tasks are waited for at the end.
struct NetFixture {
  using Pair = std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>>;

  Runtime runtime{RuntimeOptions{.threads = 2, .name = "test"}};
  TaskGroup group{runtime};

  NetFixture() { runtime.start(); }
  ~NetFixture() { group.join_blocking(); }

  static SocketAddress loopback() { return *SocketAddress::parse("127.0.0.1:0"); }

  /// Two ends of a connection, both in the caller's strand: the connecting one, the accepted one.
  Task<Pair> connected_pair(bool over_unix) {
    Strand& strand = co_await current_strand();
    SocketPath path;
    Listener listener = co_await Listener::bind(over_unix ? path.address() : loopback());
    listener.start(strand.worker());
    ConnectOptions options;
    auto near = co_await connect(listener.local_address(), options);
    Accepted accepted = co_await listener.accept();
    auto far = std::make_unique<SocketStream>(strand.worker(), accepted.fd.release(),
                                              std::move(accepted.peer));
    co_return Pair(std::move(near), std::move(far));
  }
};

}  // namespace pingora
