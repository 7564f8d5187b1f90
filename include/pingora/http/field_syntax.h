// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
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
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (internal::to_lower(a[i]) != internal::to_lower(b[i])) return false;
  }
  return true;
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
