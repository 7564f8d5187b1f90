// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "pingora/http/field_syntax.h"
#include "pingora/http/header_id.h"

namespace pingora::h2 {

namespace internal {

inline constexpr std::size_t kLowerNameSizeMax = 40;

// The names that the library knows as HTTP/2 has them: in lower case.
inline constexpr auto kLowerNames = [] {
  std::array<std::array<char, kLowerNameSizeMax>, pingora::internal::kHeaderNameCount> names{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string_view name = pingora::internal::kHeaderNames[i];
    for (std::size_t j = 0; j < name.size(); ++j) {
      names[i][j] = pingora::internal::to_lower(name[j]);
    }
  }
  return names;
}();

}  // namespace internal

/// The name in lower case. Static memory; empty for `Other`.
constexpr std::string_view lower_name(HeaderId id) noexcept {
  auto i = static_cast<std::size_t>(id);
  return {internal::kLowerNames[i].data(), pingora::internal::kHeaderNames[i].size()};
}

/// The id of a name as it arrives; `Other` for those in upper case too.
inline HeaderId lower_name_id(std::string_view name) noexcept {
  if (name.size() < pingora::internal::kHeaderNameSizeMin) return HeaderId::Other;
  auto slot = pingora::internal::header_name_slot(name.data(), name.size());
  auto id = static_cast<HeaderId>(pingora::internal::kHeaderNameSlots[slot]);
  return lower_name(id) == name ? id : HeaderId::Other;
}

/// Whether `name` may be a field name in HTTP/2: a token without upper-case letters (RFC 9113
/// §8.2.1).
constexpr bool is_lower_token(std::string_view name) noexcept {
  for (char c : name) {
    if (!is_token_char(c) || (c >= 'A' && c <= 'Z')) return false;
  }
  return !name.empty();
}

}  // namespace pingora::h2
