// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What both consumer projects build: it compiles against the public headers, links with what they
// need, vendors included, and runs.
#include <cstdio>

#include "pingora/base/error.h"
#include "pingora/base/version.h"
#include "pingora/runtime/runtime.h"
#include "pingora/server/configuration.h"

int main() {
  auto configuration = pingora::Configuration::from_yaml("version: 1\nthreads: 2\n", "example");
  if (!configuration) {
    std::fprintf(stderr, "%s\n", configuration.error().to_string().c_str());
    return 1;
  }
  pingora::Runtime runtime(pingora::RuntimeOptions{.threads = configuration->threads});
  runtime.start();
  std::printf("pingora %.*s with %d workers\n", static_cast<int>(pingora::kVersion.size()),
              pingora::kVersion.data(), static_cast<int>(runtime.worker_count()));
}
