// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace pingora {

namespace internal {

inline constexpr auto kTokenChars = [] {
  std::array<bool, 256> table{};
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = table[c - 32] = true;
  for (unsigned char c : std::string_view("!#$%&'*+-.^_`|~")) table[c] = true;
  return table;
}();

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

constexpr bool equals_ignoring_case_by_byte(const char* a, const char* b,
                                            std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

inline std::uint64_t load8(const char* text) noexcept {
  std::uint64_t bytes;
  std::memcpy(&bytes, text, sizeof bytes);
  return bytes;
}

inline std::uint64_t load4(const char* text) noexcept {
  std::uint32_t bytes;
  std::memcpy(&bytes, text, sizeof bytes);
  return bytes;
}

// Makes A to Z in each byte a to z: bit 7 of the two sums says whether the low seven bits are at
// least 'A', and whether they are beyond 'Z'.
constexpr std::uint64_t to_lower8(std::uint64_t bytes) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  std::uint64_t low = bytes & (kOnes * 0x7f);
  std::uint64_t is_upper = (low + kOnes * (0x80 - 'A')) & ~(low + kOnes * (0x7f - 'Z')) & ~bytes;
  return bytes | (is_upper & (kOnes * 0x80)) >> 2;
}

inline bool equals_ignoring_case8(const char* a, const char* b) noexcept {
  std::uint64_t left = load8(a);
  std::uint64_t right = load8(b);
  return left == right || to_lower8(left) == to_lower8(right);
}

/// Whether `text` is that literal: compared without a call.
template <std::size_t kSize>
constexpr bool is_exactly(std::string_view text, const char (&literal)[kSize]) noexcept {
  return text.size() == kSize - 1 && __builtin_memcmp(text.data(), literal, kSize - 1) == 0;
}

}  // namespace internal

/// Whether `c` may stand in a token (RFC 9110 §5.6.2).
constexpr bool is_token_char(char c) noexcept {
  return internal::kTokenChars[static_cast<unsigned char>(c)];
}

/// Whether `text` is a token: what a method or a field name is made of. An empty one is not.
constexpr bool is_token(std::string_view text) noexcept {
  for (char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
}

/// Whether `text` may be a field value: no control bytes but HTAB. Bytes from 0x80 up are allowed
/// (RFC 9110 §5.5, obs-text); surrounding blanks are not looked at.
bool is_field_value(std::string_view text) noexcept;

/// Compares as ASCII does, whatever the case.
constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  std::size_t size = a.size();
  if consteval {
    return internal::equals_ignoring_case_by_byte(a.data(), b.data(), size);
  }
  if (size < 8) return internal::equals_ignoring_case_by_byte(a.data(), b.data(), size);
  for (std::size_t i = 0; i + 8 < size; i += 8) {
    if (!internal::equals_ignoring_case8(a.data() + i, b.data() + i)) return false;
  }
  return internal::equals_ignoring_case8(a.data() + size - 8, b.data() + size - 8);
}

/// `text` without the spaces and tabs around it.
constexpr std::string_view trim_blanks(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The next element of a comma-separated list, without the blanks around it; `rest` becomes what is
/// behind it. Commas in quoted strings do not separate; empty elements are skipped (RFC 9110
/// §5.6.1). Nothing when there is no further element.
std::optional<std::string_view> next_list_element(std::string_view& rest) noexcept;

}  // namespace pingora
