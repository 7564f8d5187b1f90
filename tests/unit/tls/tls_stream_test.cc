// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/tls_stream.h"

#include <catch2/catch.hpp>
#include <string>

#include "pingora/runtime/combinators.h"
#include "tls_fixture.h"

using namespace pingora;

namespace {

std::string text_of(std::size_t size) {
  std::string text;
  text.reserve(size);
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

}  // namespace

TEST_CASE_METHOD(TlsFixture, "TLS stream: bytes pass both ways at once at any size of attempts",
                 "[tls]") {
  auto size = GENERATE(1U, 2U, 3U, 7U, 16U, 1000000U);
  auto waits = GENERATE(false, true);
  MemoryStreamOptions options{
      .read_size_max = size, .write_size_max = size, .always_waits = waits, .capacity = 20000};
  TlsPair pair = connected(options, options);
  std::string up = text_of(size < 16 ? 3000 : 100000);
  std::string down = text_of(size < 16 ? 5000 : 150000);
  auto result = block_on(
      runtime, when_all(write_bytes(pair.client->get(), up), write_bytes(pair.server->get(), down),
                        read_bytes(pair.server->get(), up.size()),
                        read_bytes(pair.client->get(), down.size())));
  if (!result) FAIL(result.error().to_string());
  CHECK(std::get<2>(*result) == up);
  CHECK(std::get<3>(*result) == down);
}
