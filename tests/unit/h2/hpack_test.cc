// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What our encoder makes, read by nghttp2's decoder.
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "h2/hpack_decoder.h"
#include "h2/hpack_encoder.h"
#include "h2/huffman.h"
#include "h2/memory.h"

namespace pingora::h2 {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::uint32_t kTableBytes = 4096;

HpackField field_of(std::string_view name, std::string_view value,
                    StaticName static_name = static_name::kNone,
                    HpackIndexing indexing = HpackIndexing::Yes) {
  return {name.data(),
          value.data(),
          static_cast<std::uint32_t>(name.size()),
          static_cast<std::uint32_t>(value.size()),
          static_name,
          indexing};
}

// An encoder and the decoder at the other end.
struct Ends {
  explicit Ends(std::uint32_t table_bytes_max = kTableBytes)
      : encoder(table_bytes_max), decoder(memory) {}

  std::string encode(const std::vector<HpackField>& fields) {
    std::string block(HpackEncoder::size_max(fields), '\0');
    block.resize(encoder.encode(fields, block.data()));
    return block;
  }
  // What the decoder finds in a block that comes in pieces.
  Fields decode(std::string_view block, std::size_t piece = 1000000) {
    Fields fields;
    auto on_field = [&](std::string_view name, std::string_view value) {
      fields.emplace_back(name, value);
      return true;
    };
    while (!block.empty()) {
      std::string_view part = block.substr(0, piece);
      REQUIRE(decoder.decode(part, on_field) == HpackDecoder::Status::Ok);
      block.remove_prefix(part.size());
    }
    REQUIRE(decoder.finish() == HpackDecoder::Status::Ok);
    return fields;
  }
  // As it is when the peer has announced that size, and we have read it.
  void resize(std::uint32_t bytes) {
    REQUIRE(decoder.set_table_size(bytes));
    encoder.set_table_size(bytes);
  }

  Memory memory{1 << 24};
  HpackEncoder encoder;
  HpackDecoder decoder;
};

// Sends each list through both, and gives the sizes of the blocks.
std::vector<std::size_t> sizes_through(Ends& ends, const std::vector<Fields>& lists) {
  std::vector<std::size_t> sizes;
  for (const Fields& list : lists) {
    std::vector<HpackField> fields;
    for (const auto& [name, value] : list) fields.push_back(field_of(name, value));
    std::string block = ends.encode(fields);
    REQUIRE(ends.decode(block) == list);
    sizes.push_back(block.size());
  }
  return sizes;
}

}  // namespace

TEST_CASE("HPACK: every byte survives, coded or not", "[h2]") {
  Ends ends;
  std::string all;
  for (int c = 0; c < 256; ++c) {
    std::string value(3, static_cast<char>(c));
    all += value;
    CHECK(sizes_through(ends, {{{"x", value}}}).size() == 1);
    std::string coded(huffman_size(value), '\0');
    CHECK(huffman_encode(value, coded.data()) == coded.data() + coded.size());
  }
  sizes_through(ends, {{{"x", all}}, {{"x", ""}}});
}

TEST_CASE("HPACK: text takes less than its bytes, and what does not is sent as it is", "[h2]") {
  CHECK(huffman_size("www.example.com") == 12);  // RFC 7541, C.4.1
  std::string coded(12, '\0');
  huffman_encode("www.example.com", coded.data());
  CHECK(coded == "\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff");
  Ends ends;
  std::string large(1000, '\xff');
  CHECK(ends.encode({field_of("x", large, static_name::kNone, HpackIndexing::No)}).size() < 1010);
}

TEST_CASE("HPACK: what is in the static table takes one byte", "[h2]") {
  const std::vector<std::pair<HpackField, int>> known = {
      {field_of(":method", "GET", static_name::kMethod), 2},
      {field_of(":method", "POST", static_name::kMethod), 3},
      {field_of(":path", "/", static_name::kPath, HpackIndexing::No), 4},
      {field_of(":path", "/index.html", static_name::kPath, HpackIndexing::No), 5},
      {field_of(":scheme", "http", static_name::kScheme), 6},
      {field_of(":scheme", "https", static_name::kScheme), 7},
      {field_of(":status", "200", static_name::kStatus), 8},
      {field_of(":status", "304", static_name::kStatus), 11},
      {field_of(":status", "500", static_name::kStatus), 14},
      {field_of("accept-encoding", "gzip, deflate", static_name::kAcceptEncoding), 16},
      {field_of("www-authenticate", "", static_name_of(HeaderId::WwwAuthenticate)), 61},
  };
  for (const auto& [field, index] : known) {
    CAPTURE(field.name(), field.value());
    Ends ends;
    std::string block = ends.encode({field});
    CHECK(block == std::string(1, static_cast<char>(0x80 | index)));
    Fields decoded = ends.decode(block);
    REQUIRE(decoded.size() == 1);
    CHECK(decoded[0].first == field.name());
    CHECK(decoded[0].second == field.value());
  }
}

TEST_CASE("HPACK: every name of the static table has its place", "[h2]") {
  for (std::size_t i = 0; i < pingora::internal::kHeaderNameCount; ++i) {
    auto id = static_cast<HeaderId>(i);
    StaticName name = static_name_of(id);
    if (name == static_name::kNone) continue;
    std::string lower;
    for (char c : pingora::internal::kHeaderNames[i]) lower += pingora::internal::to_lower(c);
    Ends ends;
    Fields decoded = ends.decode(ends.encode({field_of(lower, "some", name)}));
    REQUIRE(decoded.size() == 1);
    CHECK(decoded[0] == std::pair<std::string, std::string>(lower, "some"));
  }
}

TEST_CASE("HPACK: a field that comes again takes one byte, and a name less than its bytes",
          "[h2]") {
  Ends ends;
  auto sizes = sizes_through(ends, {{{"x-own-field", "its value"}},
                                    {{"x-own-field", "its value"}},
                                    {{"x-own-field", "another"}},
                                    {{"x-own-field", "its value"}, {"x-own-field", "another"}}});
  CHECK(sizes[0] > 12);
  CHECK(sizes[1] == 1);
  CHECK(sizes[2] < 9);
  CHECK(sizes[3] == 2);
}

TEST_CASE("HPACK: what is not to be kept is not, and a secret says so", "[h2]") {
  Ends ends;
  for (int i = 0; i < 2; ++i) {
    std::string once =
        ends.encode({field_of("etag", "abc", static_name_of(HeaderId::ETag), HpackIndexing::No)});
    CHECK((once[0] & 0xf0) == 0x00);
    std::string secret = ends.encode({field_of(
        "authorization", "abc", static_name_of(HeaderId::Authorization), HpackIndexing::Never)});
    CHECK((secret[0] & 0xf0) == 0x10);
    ends.decode(once);
    ends.decode(secret);
  }
  CHECK(ends.encoder.memory() == 0);
  CHECK(indexing_of(HeaderId::Authorization, "Basic x") == HpackIndexing::Never);
  CHECK(indexing_of(HeaderId::Cookie, std::string(19, 'a')) == HpackIndexing::Never);
  CHECK(indexing_of(HeaderId::Cookie, std::string(20, 'a')) == HpackIndexing::Yes);
  CHECK(indexing_of(HeaderId::Other, "") == HpackIndexing::Yes);
}

TEST_CASE("HPACK: a field of more than half the table is not put there", "[h2]") {
  Ends ends;
  std::size_t most = kTableBytes / 2 - 32 - 1;
  CHECK(sizes_through(ends,
                      {{{"x", std::string(most, '~')}}, {{"x", std::string(most, '~')}}})[1] == 1);
  std::string more(most + 1, '!');
  CHECK(sizes_through(ends, {{{"x", more}}, {{"x", more}}})[1] > 1000);
}

// However the table changes, and whatever goes out of it.
TEST_CASE("HPACK: both ends agree through thousands of blocks and sizes of the table", "[h2]") {
  std::mt19937 random(42);  // NOLINT: the same each time
  auto below = [&random](std::uint32_t n) { return random() % n; };
  for (std::uint32_t max : {0U, 40U, 100U, 4096U, 100000U}) {
    CAPTURE(max);
    Ends ends(max);
    for (int round = 0; round < 2000; ++round) {
      if (below(20) == 0) {
        for (std::uint32_t i = below(3) + 1; i != 0; --i) {
          ends.resize(below(4) == 0 ? 0 : below(5000));
        }
      }
      Fields list;
      for (std::uint32_t i = below(8); i != 0; --i) {
        list.emplace_back(
            "x-" + std::to_string(below(40)),
            std::string(below(5) == 0 ? below(500) : below(8), static_cast<char>('a' + below(3))));
      }
      sizes_through(ends, {list});
      // The table as large as it may get, and the places of its entries.
      REQUIRE(ends.encoder.memory() <= 2 * std::size_t{5000} + 4096);
    }
  }
}

TEST_CASE("HPACK: the numbers of entries begin again", "[h2]") {
  Ends ends;
  for (int i = 0; i < 70000; ++i) {
    std::string value = std::to_string(i);
    std::string block = ends.encode({field_of("x-count", value), field_of("x-same", "same")});
    Fields decoded = ends.decode(block);
    REQUIRE(decoded.size() == 2);
    REQUIRE(decoded[0].second == value);
    REQUIRE(decoded[1].second == "same");
  }
}

TEST_CASE("HPACK: a block is read however it is cut", "[h2]") {
  Ends whole;
  Ends cut;
  Fields list = {{"x-first", "one"}, {"x-second", std::string(300, 'b')}, {"x-first", "one"}};
  std::vector<HpackField> fields;
  for (const auto& [name, value] : list) fields.push_back(field_of(name, value));
  for (std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{100}}) {
    CHECK(cut.decode(cut.encode(fields), piece) == list);
  }
}

TEST_CASE("HPACK: a block that is none is found out, and so is one that ends too soon", "[h2]") {
  auto on_field = [](std::string_view, std::string_view) { return true; };
  Ends bad;
  CHECK(bad.decoder.decode("\xff\xff\xff\xff\xff\xff", on_field) ==
        HpackDecoder::Status::Malformed);
  Ends cut;
  std::string block = cut.encode({field_of("x-own", "value")});
  REQUIRE(cut.decoder.decode(block.substr(0, block.size() - 1), on_field) ==
          HpackDecoder::Status::Ok);
  CHECK(cut.decoder.finish() == HpackDecoder::Status::Malformed);
  Ends stopped;
  CHECK(stopped.decoder.decode(block, [](std::string_view, std::string_view) { return false; }) ==
        HpackDecoder::Status::Stopped);
}

}  // namespace pingora::h2
