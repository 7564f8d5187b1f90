// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "h2/hpack_field.h"
#include "h2/hpack_table.h"

namespace pingora::h2 {

/// Header compression (RFC 7541) as it is sent. Strings are Huffman coded where that is shorter.
///
/// Fields are found in the table by what it remembers of their hashes, each in one place: another
/// field may take the place, which then costs bytes and never time.
class HpackEncoder {
 public:
  /// Uses at most `table_bytes_max` of the table that the peer offers.
  explicit HpackEncoder(std::uint32_t table_bytes_max) noexcept;

  /// The peer offers a table of that size, from the next block on.
  void set_table_size(std::uint32_t bytes) noexcept;
  /// How large a block of these fields can get, in bytes.
  static std::size_t size_max(std::span<const HpackField> fields) noexcept;
  /// Encodes a block to `place`, which has room for `size_max(fields)` bytes, and gives its size.
  std::size_t encode(std::span<const HpackField> fields, char* place) noexcept;
  /// Bytes that it holds.
  std::size_t memory() const noexcept { return table_.memory(); }

 private:
  static constexpr std::size_t kFieldPlaces = 64;
  static constexpr std::size_t kNamePlaces = 16;

  char* put_size_updates(char* place) noexcept;
  char* put_field(const HpackField& field, char* place) noexcept;

  std::uint32_t table_bytes_max_;
  HpackTable table_;
  // The size of the table is to be told to the peer, and the smallest that it had in between.
  bool is_resized_ = false;
  std::uint32_t size_min_ = 0;
  // Numbers of entries, by hashes of fields and of names that are not in the static table.
  std::array<std::uint16_t, kFieldPlaces> by_field_{};
  std::array<std::uint16_t, kNamePlaces> by_name_{};
};

}  // namespace pingora::h2
