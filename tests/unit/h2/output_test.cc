// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h2/output.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

namespace pingora::h2 {
namespace {

std::string text_of(const Output& output) {
  std::string text;
  for (const Bytes& piece : output.pieces()) text.append(piece.view());
  return text;
}

}  // namespace

TEST_CASE("H2 output: what is small is gathered in one piece", "[h2]") {
  Output output;
  output.append(std::string_view("head"));
  output.append(Bytes::copy_of("body"));
  output.append(std::string_view("tail"));
  CHECK(output.pieces().size() == 1);
  CHECK(text_of(output) == "headbodytail");
  CHECK(output.size() == 12);
}

TEST_CASE("H2 output: a payload is shared from the limit on", "[h2]") {
  for (std::size_t size : {Output::kSharedBytesMin - 1, Output::kSharedBytesMin}) {
    Output output;
    Bytes payload = Bytes::copy_of(std::string(size, 'x'));
    output.append(std::string_view("head"));
    output.append(payload);
    bool is_shared = output.pieces().back().data() == payload.data();
    CHECK(is_shared == (size == Output::kSharedBytesMin));
    output.append(std::string_view("tail"));
    CHECK(text_of(output) == "head" + std::string(size, 'x') + "tail");
  }
}

TEST_CASE("H2 output: more than a block holds goes on in the next", "[h2]") {
  Output output;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    std::string part(999, static_cast<char>('a' + i % 26));
    output.append(std::string_view(part));
    expected += part;
  }
  CHECK(output.pieces().size() > 5);
  CHECK(text_of(output) == expected);
}

TEST_CASE("H2 output: what was written is dropped, in pieces of any size", "[h2]") {
  for (std::size_t step : {1, 3, 1000, 5000}) {
    Output output;
    std::string expected;
    for (int i = 0; i < 5; ++i) {
      output.append(std::string_view("head"));
      output.append(Bytes::copy_of(std::string(2000, static_cast<char>('a' + i))));
      expected += "head" + std::string(2000, static_cast<char>('a' + i));
    }
    while (!output.empty()) {
      std::size_t size = std::min(step, output.size());
      output.consume(size);
      expected.erase(0, size);
      REQUIRE(text_of(output) == expected);
    }
    CHECK(output.pieces().empty());
    // It can be used again.
    output.append(std::string_view("more"));
    CHECK(text_of(output) == "more");
  }
}

}  // namespace pingora::h2
