// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/field_syntax.h"

#include "http/byte_scan.h"

namespace pingora {

bool is_field_value(std::string_view text) noexcept {
  if (internal::is_short_and_plain(text)) return true;
  const char* begin = text.data();
  const char* end = begin + text.size();
  return internal::find_forbidden_in_value(begin, end, begin) == end;
}

std::optional<std::string_view> next_list_element(std::string_view& rest) noexcept {
  while (!rest.empty()) {
    std::size_t end = 0;
    bool quoted = false;
    while (end < rest.size() && (quoted || rest[end] != ',')) {
      if (rest[end] == '"') quoted = !quoted;
      if (quoted && rest[end] == '\\' && end + 1 < rest.size()) ++end;
      ++end;
    }
    std::string_view element = trim_blanks(rest.substr(0, end));
    rest.remove_prefix(end == rest.size() ? end : end + 1);
    if (!element.empty()) return element;
  }
  return std::nullopt;
}

}  // namespace pingora
