// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/header_map.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

namespace pingora {
namespace {

std::vector<std::string> lines_of(const HeaderMap& headers) {
  std::vector<std::string> lines;
  for (HeaderField field : headers) {
    lines.push_back(std::string(field.name).append(": ").append(field.value));
  }
  return lines;
}

using Lines = std::vector<std::string>;

HeaderMap make(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  HeaderMap headers;
  for (auto [name, value] : fields) REQUIRE(headers.append(name, value).has_value());
  return headers;
}

}  // namespace

TEST_CASE("Header names: each known name is found in any case", "[http]") {
  for (std::size_t i = 1; i < internal::kHeaderNameCount; ++i) {
    auto id = static_cast<HeaderId>(i);
    std::string lower(header_name(id));
    std::string upper = lower;
    for (char& c : lower) c = internal::to_lower(c);
    for (char& c : upper) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    }
    CHECK(header_id(header_name(id)) == id);
    CHECK(header_id(lower) == id);
    CHECK(header_id(upper) == id);
  }
}

TEST_CASE("Header names: one byte changed is another name", "[http]") {
  for (std::size_t i = 1; i < internal::kHeaderNameCount; ++i) {
    std::string name(header_name(static_cast<HeaderId>(i)));
    for (char& c : name) {
      char original = c;
      for (int byte = 0; byte < 256; ++byte) {
        c = static_cast<char>(byte);
        HeaderId found = header_id(name);
        bool same = internal::to_lower(c) == internal::to_lower(original);
        bool is_found = found == static_cast<HeaderId>(i);
        if (is_found != same) FAIL(name << " with byte " << byte);
      }
      c = original;
    }
  }
}

TEST_CASE("Header names: short and long text has no id", "[http]") {
  CHECK(header_id("") == HeaderId::Other);
  CHECK(header_id("a") == HeaderId::Other);
  CHECK(header_id(std::string(300, 'a')) == HeaderId::Other);
  CHECK(header_id("X-Custom") == HeaderId::Other);
}

TEST_CASE("HeaderMap: keeps order, case and duplicates", "[http]") {
  HeaderMap headers = make({{"X-b", "1"}, {"hOST", "a"}, {"x-B", "2"}, {"X-A", "3"}});
  CHECK(lines_of(headers) == Lines{"X-b: 1", "hOST: a", "x-B: 2", "X-A: 3"});
  CHECK(headers.size() == 4);
  CHECK(headers.count("X-B") == 2);
}

TEST_CASE("HeaderMap: looks up by name, text or id, in any case", "[http]") {
  HeaderMap headers = make({{"Host", "a"}, {"X-Custom", "b"}, {"x-custom", "c"}});
  CHECK(headers.get("host") == "a");
  CHECK(headers.get(HeaderId::Host) == "a");
  CHECK(headers.get(std::string("HOST")) == "a");
  CHECK(headers.get("x-CUSTOM") == "b");
  CHECK_FALSE(headers.get("x-other").has_value());
  CHECK_FALSE(headers.get(HeaderId::Date).has_value());
  CHECK(headers.contains("X-Custom"));
  std::vector<std::string_view> values;
  for (std::string_view value : headers.get_all("X-custom")) values.push_back(value);
  CHECK(values == std::vector<std::string_view>{"b", "c"});
}

TEST_CASE("HeaderMap: insert replaces all, in the place of the first", "[http]") {
  HeaderMap headers = make({{"A", "1"}, {"Vary", "x"}, {"B", "2"}, {"vary", "y"}, {"a", "3"}});
  REQUIRE(headers.insert("Vary", "z").has_value());
  CHECK(lines_of(headers) == Lines{"A: 1", "Vary: z", "B: 2", "a: 3"});
  REQUIRE(headers.insert("A", "4").has_value());
  CHECK(lines_of(headers) == Lines{"A: 4", "Vary: z", "B: 2"});
  REQUIRE(headers.insert("C", "5").has_value());
  CHECK(lines_of(headers) == Lines{"A: 4", "Vary: z", "B: 2", "C: 5"});
}

TEST_CASE("HeaderMap: a value may be a view into the map itself", "[http]") {
  HeaderMap headers = make({{"A", "one"}, {"B", "two"}, {"A", "three"}});
  REQUIRE(headers.insert("A", *headers.get("B")).has_value());
  REQUIRE(headers.insert("B", *headers.get("B")).has_value());
  CHECK(lines_of(headers) == Lines{"A: two", "B: two"});
}

TEST_CASE("HeaderMap: remove takes all and counts them", "[http]") {
  HeaderMap headers = make({{"A", "1"}, {"Date", "x"}, {"a", "2"}, {"date", "y"}});
  CHECK(headers.remove("a") == 2);
  CHECK(headers.remove("a") == 0);
  CHECK(headers.remove(HeaderId::Date) == 2);
  CHECK_FALSE(headers.contains("date"));
  CHECK(headers.empty());
}

TEST_CASE("HeaderMap: what is no field does not get in", "[http]") {
  using namespace std::string_view_literals;
  HeaderMap headers;
  for (std::string_view name : {""sv, "a b"sv, "a:"sv, "a\r"sv, "a\n"sv, "a\0"sv, "\x80"sv}) {
    CHECK_FALSE(headers.append(name, "x").has_value());
    CHECK_FALSE(headers.insert(name, "x").has_value());
  }
  for (std::string_view value :
       {"a\rb"sv, "a\nb"sv, "\0"sv, "\x01"sv, "\x7f"sv, "0123456789abcdef0123456789abcdef\n"sv}) {
    CHECK_FALSE(headers.append("A", value).has_value());
    CHECK_FALSE(headers.insert("A", value).has_value());
  }
  CHECK_FALSE(headers.append(HeaderId::Other, "x").has_value());
  CHECK_FALSE(headers.append(std::string(70000, 'a'), "x").has_value());
  CHECK(headers.empty());
  CHECK(headers.append("A", "tab\tand \x80 pass").has_value());
}

TEST_CASE("HeaderMap: moves with what it holds inline and on the heap", "[http]") {
  for (int count : {1, 5, 23, 24, 25, 60}) {
    HeaderMap headers;
    Lines expected;
    for (int i = 0; i < count; ++i) {
      std::string name = "X-Name-" + std::to_string(i);
      REQUIRE(headers.append(name, std::to_string(i)).has_value());
      expected.push_back(name + ": " + std::to_string(i));
    }
    HeaderMap moved = std::move(headers);
    CHECK(headers.empty());  // NOLINT(bugprone-use-after-move): is documented to be empty
    CHECK(lines_of(moved) == expected);
    REQUIRE(headers.append("B", "again").has_value());
    headers = std::move(moved);
    CHECK(lines_of(headers) == expected);
    CHECK(headers.get("x-name-0") == "0");
  }
}

TEST_CASE("HeaderMap: a clone lives on its own", "[http]") {
  HeaderMap copy;
  {
    HeaderMap headers;
    Bytes block = Bytes::copy_of("Host: a\r\n");
    HeaderMap::Entry entry{block.data(),   block.data() + 6,    1, 4,
                           HeaderId::Host, HeaderMap::kVerbatim};
    headers.push_received(entry);
    headers.retain(block);
    REQUIRE(headers.append(std::string("x-long-") + std::string(400, 'n'), "v").has_value());
    REQUIRE(headers.append("B", std::string(2000, 'w')).has_value());
    copy = headers.clone();
    CHECK(copy.received().data() == headers.received().data());
    REQUIRE(headers.insert("Host", "other").has_value());
  }
  CHECK(copy.get("host") == "a");
  CHECK(copy.get("b") == std::string(2000, 'w'));
  CHECK(copy.size() == 3);
}

TEST_CASE("HeaderMap: can be cleared and used again", "[http]") {
  HeaderMap headers;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 40; ++i) {
      REQUIRE(headers.append("X-Many", std::string(100, 'x')).has_value());
    }
    CHECK(headers.count("x-many") == 40);
    headers.clear();
    CHECK(headers.empty());
    CHECK_FALSE(headers.contains("x-many"));
  }
}

TEST_CASE("HeaderMap: lists are read over all fields of a name", "[http]") {
  HeaderMap headers = make({{"Connection", "a, ,B ,"}, {"X", "no"}, {"connection", "\"c,d\",e"}});
  std::vector<std::string_view> elements;
  for (std::string_view element : headers.list_elements(HeaderId::Connection)) {
    elements.push_back(element);
  }
  CHECK(elements == std::vector<std::string_view>{"a", "B", "\"c,d\"", "e"});
  CHECK(headers.has_token(HeaderId::Connection, "b"));
  CHECK(headers.has_token("Connection", "E"));
  CHECK_FALSE(headers.has_token("Connection", "d"));
  CHECK_FALSE(headers.has_token("Upgrade", "x"));
  CHECK(headers.list_elements("Accept").begin() == std::default_sentinel);
}

TEST_CASE("HeaderMap: remove_if keeps what it is not told to remove", "[http]") {
  HeaderMap headers = make({{"A", "1"}, {"Date", "2"}, {"C", "3"}, {"Host", "4"}});
  auto is_even = [](const HeaderField& field) { return (field.value[0] - '0') % 2 == 0; };
  CHECK(headers.remove_if(is_even) == 2);
  CHECK(lines_of(headers) == Lines{"A: 1", "C: 3"});
  CHECK_FALSE(headers.contains(HeaderId::Host));
}

}  // namespace pingora
