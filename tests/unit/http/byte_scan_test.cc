// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "http/byte_scan.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pingora/http/field_syntax.h"

namespace pingora::internal {
namespace {

// Every function against its scalar twin: each byte at each place of each size, with bytes before
// and none behind, so that the sanitizer sees a read beyond the end.
template <class Fast, class Scalar>
void compare(Fast fast, Scalar scalar) {
  for (std::size_t size = 0; size <= 50; ++size) {
    for (std::size_t before : {0, 5, 20}) {
      std::vector<char> text(before + size, 'a');
      const char* readable = text.data();
      for (std::size_t at = before; at < text.size(); ++at) {
        for (int byte = 0; byte < 256; ++byte) {
          text[at] = static_cast<char>(byte);
          const char* begin = readable + before;
          const char* end = readable + text.size();
          if (fast(begin, end, readable) != scalar(begin, end)) {
            FAIL("byte " << byte << " at " << at << " of " << size);
          }
        }
        text[at] = 'a';
      }
    }
  }
}

}  // namespace

TEST_CASE("Byte scan: finds what its scalar twin finds", "[http]") {
  compare(find_forbidden_in_value, find_forbidden_in_value_scalar);
  compare(find_target_stop, find_target_stop_scalar);
  compare(find_colon,
          [](const char* begin, const char* end) { return find_byte_scalar(begin, end, ':'); });
}

TEST_CASE("Byte scan: finds the first of several", "[http]") {
  std::string text = "0123456789012345678\r\n\r\n";
  const char* end = text.data() + text.size();
  CHECK(find_forbidden_in_value(text.data(), end, text.data()) == text.data() + 19);
}

TEST_CASE("Field syntax: lists split at commas outside quotes", "[http]") {
  auto split = [](std::string_view text) {
    std::vector<std::string_view> elements;
    while (auto element = next_list_element(text)) elements.push_back(*element);
    return elements;
  };
  using Elements = std::vector<std::string_view>;
  CHECK(split("") == Elements{});
  CHECK(split(" , ,\t") == Elements{});
  CHECK(split("a") == Elements{"a"});
  CHECK(split(" a ,b\t,, c") == Elements{"a", "b", "c"});
  CHECK(split("\"a,b\\\",\",c") == Elements{"\"a,b\\\",\"", "c"});
  CHECK(split("\"open, c") == Elements{"\"open, c"});
}

TEST_CASE("Field syntax: tokens and values", "[http]") {
  CHECK(is_token("GET"));
  CHECK_FALSE(is_token(""));
  CHECK_FALSE(is_token("a b"));
  CHECK(is_field_value(""));
  CHECK(is_field_value("a b\t\x80"));
  CHECK_FALSE(is_field_value("a\n"));
  CHECK(equals_ignoring_case("aBc-1", "AbC-1"));
  CHECK_FALSE(equals_ignoring_case("a@", "a`"));
}

}  // namespace pingora::internal
