// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/hpack_encoder.h"

#include <algorithm>
#include <cstring>

#include "h2/frame.h"
#include "h2/huffman.h"

namespace pingora::h2 {
namespace {

// Entries of the table are behind the 61 that are always there.
constexpr std::uint64_t kFirstDynamic = 62;
// A number takes no more than so many bytes here, of which the first has other bits, too.
constexpr std::size_t kNumberSizeMax = 6;
// A field that takes more than a half of the table would leave little for the others.
constexpr std::uint32_t kTableShare = 2;
// Spreads what little differs over a number's high bits.
constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;

// How what is sent begins (RFC 7541 §5, §6): the bits above a number of so many bits.
struct Prefix {
  std::uint8_t high;
  unsigned bits;
};
constexpr Prefix kIndexed = {0x80, 7};
constexpr Prefix kLiteralIndexed = {0x40, 6};
constexpr Prefix kSizeUpdate = {0x20, 5};
constexpr Prefix kLiteralNeverIndexed = {0x10, 4};
constexpr Prefix kLiteral = {0x00, 4};
constexpr Prefix kHuffmanString = {0x80, 7};
constexpr Prefix kString = {0x00, 7};

// The values in the static table of names that have more than one, or one that is not empty.
constexpr std::string_view kStaticValues[] = {
    "GET", "POST", "/",   "/index.html", "http", "https",  // from 2 on
    "200", "204",  "206", "304",         "400",  "404",   "500"};
constexpr std::size_t kFirstStaticValue = 2;

// RFC 7541 §5.1.
char* put_number(char* place, Prefix prefix, std::uint64_t number) noexcept {
  std::uint64_t max = (std::uint64_t{1} << prefix.bits) - 1;
  if (number < max) {
    *place++ = static_cast<char>(prefix.high | number);
    return place;
  }
  *place++ = static_cast<char>(prefix.high | max);
  for (number -= max; number >= 0x80; number >>= 7) {
    *place++ = static_cast<char>(0x80 | (number & 0x7f));
  }
  *place++ = static_cast<char>(number);
  return place;
}

char* put_string(char* place, std::string_view text) noexcept {
  std::size_t coded = huffman_size(text);
  if (coded < text.size()) {
    return huffman_encode(text, put_number(place, kHuffmanString, coded));
  }
  place = put_number(place, kString, text.size());
  return std::copy(text.begin(), text.end(), place);
}

// `name_index` is that of an entry with the same name, or 0; in the table as it was before the
// field was added.
char* put_literal(const HpackField& field, Prefix prefix, std::uint64_t name_index,
                  char* place) noexcept {
  place = put_number(place, prefix, name_index);
  if (name_index == 0) place = put_string(place, field.name());
  return put_string(place, field.value());
}

// The entry of the static table that is this field; 0 if there is none.
std::uint64_t static_field(const HpackField& field) noexcept {
  StaticName name = field.static_name;
  if (name < static_name::kMethod) return 0;
  if (name < static_name::kAcceptEncoding - 1) {
    std::size_t end =
        name == static_name::kStatus ? std::size(kStaticValues) : name - kFirstStaticValue + 2;
    for (std::size_t i = name - kFirstStaticValue; i < end; ++i) {
      if (kStaticValues[i] == field.value()) return i + kFirstStaticValue;
    }
    return 0;
  }
  std::string_view value = name == static_name::kAcceptEncoding ? "gzip, deflate" : "";
  return field.value() == value ? name : 0;
}

// Of a text's size, its first eight bytes and its last: it only says where to look.
std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (text.size() >= sizeof(first)) {
    std::memcpy(&first, text.data(), sizeof(first));
    std::memcpy(&last, text.data() + text.size() - sizeof(last), sizeof(last));
  } else {
    for (char c : text) first = first << 8 | static_cast<unsigned char>(c);
  }
  std::uint64_t hash = first ^ (last * kOdd) ^ text.size();
  return (hash ^ hash >> 32) * kOdd;
}

}  // namespace

HpackEncoder::HpackEncoder(std::uint32_t table_bytes_max) noexcept
    : table_bytes_max_(table_bytes_max),
      table_(std::min(table_bytes_max, kHeaderTableBytesDefault)) {
  // The peer keeps that much until it is told otherwise.
  is_resized_ = table_.bytes_max() != kHeaderTableBytesDefault;
  size_min_ = table_.bytes_max();
}

void HpackEncoder::set_table_size(std::uint32_t bytes) noexcept {
  bytes = std::min(bytes, table_bytes_max_);
  if (bytes == table_.bytes_max()) return;
  size_min_ = is_resized_ ? std::min(size_min_, bytes) : bytes;
  is_resized_ = true;
  table_.set_bytes_max(bytes);
}

std::size_t HpackEncoder::size_max(std::span<const HpackField> fields) noexcept {
  std::size_t size = 2 * kNumberSizeMax;
  for (const HpackField& field : fields) {
    size += 3 * kNumberSizeMax + field.name_size + field.value_size;
  }
  return size;
}

std::size_t HpackEncoder::encode(std::span<const HpackField> fields, char* place) noexcept {
  char* end = is_resized_ ? put_size_updates(place) : place;
  for (const HpackField& field : fields) end = put_field(field, end);
  return static_cast<std::size_t>(end - place);
}

// RFC 7541 §4.2: the smallest that it was, and what it is.
char* HpackEncoder::put_size_updates(char* place) noexcept {
  is_resized_ = false;
  if (size_min_ < table_.bytes_max()) place = put_number(place, kSizeUpdate, size_min_);
  return put_number(place, kSizeUpdate, table_.bytes_max());
}

char* HpackEncoder::put_field(const HpackField& field, char* place) noexcept {
  if (std::uint64_t index = static_field(field)) return put_number(place, kIndexed, index);
  std::uint64_t name_hash = field.static_name;
  std::uint64_t name_index = field.static_name;
  std::uint16_t* same_name = nullptr;
  if (field.static_name == static_name::kNone) {
    name_hash = hash_of(field.name());
    same_name = &by_name_[(name_hash >> 32) % kNamePlaces];
    if (table_.is_name(*same_name, field.name())) {
      name_index = kFirstDynamic + table_.distance(*same_name);
    }
  }
  if (field.indexing == HpackIndexing::Never) {
    return put_literal(field, kLiteralNeverIndexed, name_index, place);
  }
  std::uint64_t size = HpackTable::size_of(field.name_size, field.value_size);
  if (field.indexing == HpackIndexing::No || size > table_.bytes_max() / kTableShare) {
    return put_literal(field, kLiteral, name_index, place);
  }
  std::uint64_t hash = hash_of(field.value()) + name_hash * kOdd;
  std::uint16_t& same = by_field_[(hash >> 40) % kFieldPlaces];
  if (table_.is_field(same, field)) {
    return put_number(place, kIndexed, kFirstDynamic + table_.distance(same));
  }
  if (!table_.add(field)) {
    return put_literal(field, kLiteral, name_index, place);
  }
  same = table_.last_number();
  if (same_name != nullptr) *same_name = same;
  return put_literal(field, kLiteralIndexed, name_index, place);
}

}  // namespace pingora::h2
