// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/reload_hooks.h"

#include <exception>
#include <utility>

#include "pingora/base/log.h"

namespace pingora {

void ReloadHooks::add(Hook hook) {
  std::lock_guard lock(mutex_);
  hooks_.push_back(std::move(hook));
}

void ReloadHooks::run() {
  std::lock_guard one_at_a_time(running_);
  std::vector<Hook> hooks;  // a hook may add others
  {
    std::lock_guard lock(mutex_);
    hooks = hooks_;
  }
  for (const Hook& hook : hooks) {
    try {
      hook();
    } catch (const std::exception& exception) {
      log_error("a reload hook failed: {}", exception.what());
    } catch (...) {
      log_error("a reload hook failed");
    }
  }
}

}  // namespace pingora
