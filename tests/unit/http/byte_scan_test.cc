// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "http/byte_scan.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pingora/http/field_syntax.h"
#include "pingora/http/uri.h"

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

TEST_CASE("Field syntax: a value is judged alike at each size", "[http]") {
  compare(
      [](const char* begin, const char* end, const char*) {
        return is_field_value({begin, static_cast<std::size_t>(end - begin)});
      },
      [](const char* begin, const char* end) {
        return find_forbidden_in_value_scalar(begin, end) == end;
      });
}

#if defined(__SSE2__)

TEST_CASE("Byte scan: finds the first byte that is not printable", "[http]") {
  auto scalar = [](const char* begin, const char* end) -> const char* {
    while (begin != end && *begin >= ' ' && *begin != 0x7f) ++begin;
    return begin != end ? begin : nullptr;
  };
  auto fast = [&](const char* begin, const char* end, const char* readable) {
    return end - readable < 16 ? scalar(begin, end) : find_unprintable(begin, end);
  };
  compare(fast, scalar);
}

TEST_CASE("Byte scan: a plain host is a host for the whole parser", "[http]") {
  const std::string before(16, 'x');
  std::size_t plain = 0;
  auto check = [&](const std::string& host) {
    std::string text = before + host;
    if (!is_plain_host_port(std::string_view(text).substr(before.size()))) return;
    ++plain;
    if (!HostPort::parse(host)) FAIL("not a host: " << host);
  };
  for (std::string host :
       {"a", "127.0.0.1:6188", "example.com", "example.com:", "a-b.c:1", "a:65536", "a:1:2", ":80",
        "", "a:b", "abcdefghijklmnop", "abcdefghijklmnopq"}) {
    check(host);
    for (char& c : host) {
      char original = c;
      for (int byte = 0; byte < 256; ++byte) {
        c = static_cast<char>(byte);
        check(host);
      }
      c = original;
    }
  }
  CHECK(plain > 1000);
  for (std::string_view host : {"127.0.0.1:6188", "example.com:", "a-b.c:1"}) {
    std::string text = before + std::string(host);
    CHECK(is_plain_host_port(std::string_view(text).substr(before.size())));
  }
}

TEST_CASE("Byte scan: the start of a line is a known name and nothing else", "[http]") {
  for (std::size_t i = 1; i < kHeaderNameCount; ++i) {
    auto id = static_cast<HeaderId>(i);
    std::string_view name = header_name(id);
    bool is_plain = name.size() >= kPlainNameSizeMin && name.size() <= kPlainNameSizeMax &&
                    id != HeaderId::Cookie;
    std::string line = std::string(name) + ": 0123456789abcdef";
    CHECK(begins_with(load16(line.data()), id) == is_plain);
    if (!is_plain) continue;
    CHECK(plain_name_candidate(line.data(), name.size()) == id);
    for (std::size_t at = 0; at <= name.size(); ++at) {
      char original = line[at];
      for (int byte = 0; byte < 256; ++byte) {
        line[at] = static_cast<char>(byte);
        bool is_same = to_lower(line[at]) == to_lower(original);
        if (begins_with(load16(line.data()), id) != is_same) FAIL(name << " with byte " << byte);
      }
      line[at] = original;
    }
  }
}

#endif

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
