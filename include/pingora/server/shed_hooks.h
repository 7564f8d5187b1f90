// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

namespace pingora {

/// Those who can give up file descriptors when the process has none left, such as pools of idle
/// connections. Any thread may call anything.
class ShedHooks {
 public:
  /// Closes up to `count` descriptors that are not in use, at once, and returns how many.
  using Hook = std::function<std::size_t(std::size_t count)>;

  /// `hook` stays until the server is gone.
  void add(Hook hook);
  /// Asks one after the other until `count` are closed; returns how many are.
  std::size_t shed(std::size_t count);

 private:
  std::mutex mutex_;  // guards hooks_
  std::vector<Hook> hooks_;
};

}  // namespace pingora
