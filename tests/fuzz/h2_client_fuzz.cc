// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "fuzz/h2_engine_invariants.h"

// What a server sends, to a client with a few requests on their way.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pingora;
  fuzz::H2Input input(data, size);
  fuzz::H2Program program(h2::Role::Client, input);
  h2::Engine& engine = program.engine();
  for (Method method : {Method(Method::Get), Method(Method::Head), Method(Method::Post)}) {
    RequestHeader request = *RequestHeader::build(method, "/");
    PINGORA_ASSERT(request.insert_header(HeaderId::Host, "example.com"));
    bool has_body = method == Method::Post;
    auto stream = engine.submit_request(request, {}, has_body ? EndOfStream::No : EndOfStream::Yes);
    PINGORA_ASSERT(stream.has_value());
    program.adopt(**stream);
    if (has_body) engine.submit_data(**stream, Bytes::from_static("body"), EndOfStream::No);
  }
  h2::Output output;
  engine.take_output(output);
  program.feed_all();
  program.finish();
  return 0;
}
