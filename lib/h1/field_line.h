// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
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
  bool bare_lf = false;
  bool spaces_after_name = false;
  bool obs_fold = false;

  LinePolicy() noexcept = default;
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

#if defined(__SSE2__)

/// The first 16 bytes of the line at `at`, which is no empty one. What is behind `end` is 0;
/// nothing if there are less than 16 and they do not end with an empty line. 16 bytes before `end`
/// are readable.
[[gnu::always_inline]] inline std::optional<__m128i> line_start(const char* at,
                                                                const char* end) noexcept {
  if (end - at > 16) return internal::load16(at);
  if (end - at < 8 || std::memcmp(end - 4, "\r\n\r\n", 4) != 0) return std::nullopt;
  // Moved to the front by way of memory.
  alignas(16) char bytes[32] = {};
  _mm_store_si128(reinterpret_cast<__m128i*>(bytes), internal::load16(end - 16));
  return internal::load16(bytes + (16 - (end - at)));
}

/// Reads the line at `name` if it is what nearly all are: a known name of 4 to 15 characters but
/// Cookie, a colon, one space or none, a value of printable ASCII without blanks around it, CRLF.
/// Gives the byte behind it, or null for anything else. 16 bytes before `end` are readable.
[[gnu::always_inline]] inline const char* read_plain_field_line(const char* name, const char* end,
                                                                HeaderMap::Entry& entry) noexcept {
  std::optional<__m128i> start = line_start(name, end);
  if (!start) return nullptr;
  unsigned colons = internal::equal_mask(*start, ':') | 1u << 16;
  std::size_t size = static_cast<unsigned>(__builtin_ctz(colons));
  if (size < internal::kPlainNameSizeMin) return nullptr;
  HeaderId id = internal::plain_name_candidate(name, size);
  if (!internal::begins_with(*start, id)) return nullptr;
  const char* value = name + size + 1;
  value += *value == ' ' ? 1 : 0;
  const char* stop = internal::find_unprintable(value, end);
  if (stop == nullptr || end - stop < 2 || stop[0] != '\r' || stop[1] != '\n') return nullptr;
  // An empty value, whose first byte is the CR, and blanks around it are left to the other
  // function.
  if (*value <= ' ' || stop[-1] == ' ') return nullptr;
  entry.name = name;
  entry.value = value;
  entry.value_size = static_cast<std::uint32_t>(stop - value);
  entry.name_size = static_cast<std::uint16_t>(size);
  entry.id = id;
  entry.flags = HeaderMap::kVerbatim;
  return stop + 2;
}

#else

inline const char* read_plain_field_line(const char*, const char*, HeaderMap::Entry&) noexcept {
  return nullptr;
}

#endif

/// Reads the line at `in.at` of a head or trailer section. On Field, `entry` is filled; on Fold,
/// `entry`'s value is the text that continues the field before. `in.at` is then behind the line.
LineKind read_field_line(Input& in, const LinePolicy& policy, HeaderMap::Entry& entry,
                         std::string_view& reason) noexcept;

}  // namespace pingora::h1
