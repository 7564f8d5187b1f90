// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace pingora::internal {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "pingora: invariant broken: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace pingora::internal
