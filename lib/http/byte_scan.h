// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "pingora/http/field_syntax.h"
#include "pingora/http/header_id.h"

namespace pingora::internal {

/// Whether a byte may not stand in a field value: a control byte but HTAB.
constexpr bool is_forbidden_in_value(char c) noexcept {
  auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/// The first byte in [begin, end) that may not stand in a field value, or `end`.
inline const char* find_forbidden_in_value_scalar(const char* begin, const char* end) noexcept {
  while (begin != end && !is_forbidden_in_value(*begin)) ++begin;
  return begin;
}

/// Whether a byte ends a request target, or may only stand in one by leave: a control byte, a
/// blank,
/// '#', and what is not ASCII.
constexpr bool is_target_stop(char c) noexcept {
  auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte >= 0x7f || byte == '#';
}

inline const char* find_target_stop_scalar(const char* begin, const char* end) noexcept {
  while (begin != end && !is_target_stop(*begin)) ++begin;
  return begin;
}

/// The first `wanted` in [begin, end), or `end`.
inline const char* find_byte_scalar(const char* begin, const char* end, char wanted) noexcept {
  while (begin != end && *begin != wanted) ++begin;
  return begin;
}

#if defined(__SSE2__)

inline __m128i load16(const char* p) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

inline unsigned forbidden_in_value_mask(__m128i bytes) noexcept {
  __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
  __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del)));
}

inline unsigned target_stop_mask(__m128i bytes) noexcept {
  // Signed: bytes from 0x80 up are below 0x21 too.
  __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21));
  __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  __m128i hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(del, hash))));
}

inline unsigned equal_mask(__m128i bytes, char wanted) noexcept {
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted))));
}

/// Walks [begin, end) in steps of 16 bytes and returns the first byte for which `mask` sets a bit.
/// The rest is looked at through a load that ends at `end`, which is legal because the 16 bytes
/// before `end` are readable whenever `readable` lies that far back.
template <class Mask>
inline const char* scan16(const char* begin, const char* end, const char* readable, Mask mask,
                          const char* (*scalar)(const char*, const char*)) noexcept {
  std::ptrdiff_t left = end - begin;
  for (; left >= 16; left -= 16, begin += 16) {
    unsigned bits = mask(load16(begin));
    if (bits != 0) return begin + __builtin_ctz(bits);
  }
  if (left == 0) return end;
  if (end - readable < 16) return scalar(begin, end);
  unsigned bits = mask(load16(end - 16)) >> (16 - left);
  return bits != 0 ? begin + __builtin_ctz(bits) : end;
}

/// As the scalar one. Bytes from `readable` on may be read, though they are not looked at.
inline const char* find_forbidden_in_value(const char* begin, const char* end,
                                           const char* readable) noexcept {
  return scan16(begin, end, readable, forbidden_in_value_mask, find_forbidden_in_value_scalar);
}

inline const char* find_target_stop(const char* begin, const char* end,
                                    const char* readable) noexcept {
  return scan16(begin, end, readable, target_stop_mask, find_target_stop_scalar);
}

inline const char* find_colon(const char* begin, const char* end, const char* readable) noexcept {
  return scan16(
      begin, end, readable, [](__m128i bytes) { return equal_mask(bytes, ':'); },
      [](const char* b, const char* e) { return find_byte_scalar(b, e, ':'); });
}

/// The first 16 characters of the known names, in lower case.
struct NameStart {
  alignas(16) char text[16];
};
inline constexpr auto kNameStarts = [] {
  std::array<NameStart, kHeaderNameCount> starts{};
  for (std::size_t i = 0; i < kHeaderNameCount; ++i) {
    for (std::size_t at = 0; at < 16 && at < kHeaderNames[i].size(); ++at) {
      starts[i].text[at] = to_lower(kHeaderNames[i][at]);
    }
  }
  return starts;
}();

/// As `header_id`, for a name of 2 to 16 characters with 16 readable bytes from its first on.
inline HeaderId header_id16(const char* name, std::size_t size) noexcept {
  std::uint8_t i = kHeaderNameSlots[header_name_slot(name, size)];
  if (kHeaderNameSizes[i] != size) return HeaderId::Other;
  __m128i bytes = load16(name);
  __m128i known = _mm_load_si128(reinterpret_cast<const __m128i*>(kNameStarts[i].text));
  __m128i equal = _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), known);
  // As in `equals_known_name`, bytes below 0x20 fold to what they are not.
  __m128i printable = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x1f));
  auto same = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(equal, printable)));
  bool is_same = (~same & ((1u << size) - 1)) == 0;
  return is_same ? static_cast<HeaderId>(i) : HeaderId::Other;
}

#else

inline const char* find_forbidden_in_value(const char* begin, const char* end,
                                           const char*) noexcept {
  return find_forbidden_in_value_scalar(begin, end);
}

inline const char* find_target_stop(const char* begin, const char* end, const char*) noexcept {
  return find_target_stop_scalar(begin, end);
}

inline const char* find_colon(const char* begin, const char* end, const char*) noexcept {
  return find_byte_scalar(begin, end, ':');
}

#endif

}  // namespace pingora::internal
