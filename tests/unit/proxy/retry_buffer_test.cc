// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "proxy/retry_buffer.h"

#include <catch2/catch.hpp>
#include <string>

using pingora::Bytes;
using pingora::internal::RetryBuffer;

namespace {

std::string all_of(RetryBuffer& buffer) {
  std::string all;
  for (const Bytes& piece : buffer.pieces()) all += piece.view();
  return all;
}

}  // namespace

TEST_CASE("Retry buffer: small pieces share memory, and the order is kept", "[proxy]") {
  RetryBuffer buffer(64 * 1024);
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    std::string piece(i % 100 == 99 ? 5000 : 1, static_cast<char>('a' + i % 26));
    if (expected.size() + piece.size() > 64 * 1024) break;
    buffer.push(Bytes::copy_of(piece));
    expected += piece;
  }
  CHECK(all_of(buffer) == expected);
  CHECK(buffer.pieces().size() <= 20);
  CHECK_FALSE(buffer.is_truncated());
}

TEST_CASE("Retry buffer: a body up to the limit is kept, a longer one is dropped", "[proxy]") {
  RetryBuffer buffer(10);
  buffer.push(Bytes::from_static("0123456"));
  buffer.push(Bytes::from_static("789"));
  CHECK(all_of(buffer) == "0123456789");
  buffer.push(Bytes::from_static("a"));
  CHECK(buffer.is_truncated());
  CHECK(buffer.pieces().empty());
}
