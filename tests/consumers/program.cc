// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What both consumer projects build: it compiles against the public headers, links, and runs.
#include <cstdio>

#include "pingora/base/error.h"
#include "pingora/base/version.h"

namespace {

pingora::Result<int> half(int number) {
  if (number % 2 != 0) return std::unexpected(pingora::Error::internal("odd"));
  return number / 2;
}

}  // namespace

int main() {
  std::printf("pingora %.*s\n", static_cast<int>(pingora::kVersion.size()),
              pingora::kVersion.data());
  return half(4) == 2 && !half(3).has_value() ? 0 : 1;
}
