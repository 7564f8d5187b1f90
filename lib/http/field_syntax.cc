// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/field_syntax.h"

#include "http/byte_scan.h"

namespace pingora {

bool is_field_value(std::string_view text) noexcept {
  const char* begin = text.data();
  const char* end = begin + text.size();
  // What most are: short, and without HTAB. The first and the last bytes, which may overlap.
  if (text.size() >= 8 && text.size() <= 16) {
    bool is_plain = !internal::has_control(internal::load8(begin)) &&
                    !internal::has_control(internal::load8(end - 8));
    if (is_plain) return true;
  } else if (text.size() >= 4 && text.size() < 8) {
    if (!internal::has_control(internal::load4(begin) | internal::load4(end - 4) << 32))
      return true;
  }
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
