// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h1/field_line.h"

#include <cstring>
#include <limits>

namespace pingora::h1 {

LineKind read_field_line(Input& in, const LinePolicy& policy, HeaderMap::Entry& entry,
                         std::string_view& reason) noexcept {
  const char* name = in.at;
  if (name == in.end) return LineKind::NeedMore;
  if (*name == '\r' || *name == '\n') {
    reason = "a bare CR or LF as a line end";
    return step_over_line_end(in, name, policy, LineKind::Empty);
  }
  LineKind kind = LineKind::Field;
  std::uint8_t flags = HeaderMap::kVerbatim;
  const char* value = name;
  if (*name == ' ' || *name == '\t') {
    reason = "a line that begins with a blank";
    if (!policy.obs_fold) return LineKind::Bad;
    kind = LineKind::Fold;
  } else {
    const char* colon = internal::find_colon(name, in.end, in.begin);
    if (colon == in.end) {
      reason = "a field without a colon";
      bool is_whole = std::memchr(name, '\n', static_cast<std::size_t>(in.end - name)) != nullptr;
      return is_whole ? LineKind::Bad : LineKind::NeedMore;
    }
    std::string_view text(name, static_cast<std::size_t>(colon - name));
    entry.id = header_id(text);
    if (entry.id == HeaderId::Other && !is_token(text)) {
      reason = "a field name that is not a token";
      if (!policy.spaces_after_name) return LineKind::Bad;
      while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
      entry.id = header_id(text);
      if (!is_token(text)) return LineKind::Bad;
      flags = 0;
    }
    reason = "a field name is too long";
    if (text.size() > std::numeric_limits<std::uint16_t>::max()) return LineKind::Bad;
    entry.name = name;
    entry.name_size = static_cast<std::uint16_t>(text.size());
    value = colon + 1;
  }
  while (value != in.end && (*value == ' ' || *value == '\t')) ++value;
  const char* stop = internal::find_forbidden_in_value(value, in.end, in.begin);
  reason = "a control byte in a field value, or a bare CR or LF as a line end";
  kind = step_over_line_end(in, stop, policy, kind);
  if (kind == LineKind::NeedMore || kind == LineKind::Bad) return kind;
  if (in.at != stop + 2) flags = 0;
  const char* value_end = stop;
  while (value_end != value && (value_end[-1] == ' ' || value_end[-1] == '\t')) {
    --value_end;
    flags = 0;
  }
  entry.value = value;
  entry.value_size = static_cast<std::uint32_t>(value_end - value);
  entry.flags = flags;
  return kind;
}

}  // namespace pingora::h1
