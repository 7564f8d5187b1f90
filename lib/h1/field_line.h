// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "http/byte_scan.h"
#include "pingora/h1/head_parser.h"
#include "pingora/http/field_syntax.h"
#include "pingora/http/header_map.h"

namespace pingora::h1 {

/// Bytes that are being parsed. `begin` is the first byte of the message part, `at` of the line.
struct Input {
  const char* begin;
  const char* at;
  const char* end;
};

/// What of ParserOptions bears on lines, for one role.
struct LinePolicy {
  bool bare_lf;
  bool spaces_after_name;
  bool obs_fold;

  LinePolicy(const ParserOptions& options, MessageRole role) noexcept
      : bare_lf(options.allow_bare_lf == Leniency::Allow),
        spaces_after_name(role == MessageRole::Response &&
                          options.allow_spaces_after_response_header_name == Leniency::Allow),
        obs_fold(role == MessageRole::Response &&
                 options.allow_obs_fold_in_responses == Leniency::Allow) {}
};

enum class LineKind : std::uint8_t { Field, Fold, Empty, NeedMore, Bad };

/// Steps over a line end at `at`: CRLF, or LF where that is allowed. `at` is a CR, an LF or `end`.
/// Gives what `found` says, or NeedMore or Bad.
inline LineKind step_over_line_end(Input& in, const char* at, const LinePolicy& policy,
                                   LineKind found) noexcept {
  if (at == in.end) return LineKind::NeedMore;
  if (*at == '\r') {
    if (at + 1 == in.end) return LineKind::NeedMore;
    if (at[1] != '\n') return LineKind::Bad;
    in.at = at + 2;
    return found;
  }
  if (*at != '\n' || !policy.bare_lf) return LineKind::Bad;
  in.at = at + 1;
  return found;
}

/// Reads the line at `in.at` of a head or trailer section. On Field, `entry` is filled; on Fold,
/// `entry`'s value is the text that continues the field before. `in.at` is then behind the line.
inline LineKind read_field_line(Input& in, const LinePolicy& policy, HeaderMap::Entry& entry,
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
