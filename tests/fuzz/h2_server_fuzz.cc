// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "fuzz/h2_engine_invariants.h"

// The preface goes without saying; the rest is what a client sends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pingora;
  fuzz::H2Input input(data, size);
  fuzz::H2Program program(h2::Role::Server, input);
  Bytes preface = Bytes::from_static("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  PINGORA_ASSERT(program.engine().feed(preface, TimePoint()));
  program.feed_all();
  program.finish();
  return 0;
}
