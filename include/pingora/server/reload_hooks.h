// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <vector>

namespace pingora {

/// Those who read something again when a server is told to reload (SIGHUP, `Server::reload`), such
/// as the certificates of its listeners. Any thread may call anything.
class ReloadHooks {
 public:
  /// May block; an exception is logged.
  using Hook = std::function<void()>;

  /// `hook` stays until the server is gone.
  void add(Hook hook);
  /// Calls all, in the order in which they were added, one run at a time.
  void run();

 private:
  std::mutex mutex_;  // guards hooks_
  std::mutex running_;
  std::vector<Hook> hooks_;
};

}  // namespace pingora
