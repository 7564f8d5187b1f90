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

/// Whether there is a control byte, HTAB too, among eight bytes.
constexpr bool has_control(std::uint64_t bytes) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHigh = kOnes * 0x80;
  std::uint64_t del = bytes ^ (kOnes * 0x7f);
  std::uint64_t below = (bytes - kOnes * 0x20) & ~bytes;
  return ((below | ((del - kOnes) & ~del)) & kHigh) != 0;
}

/// What most values are that are added to a head: 4 to 16 bytes, none of them a control byte or
/// HTAB. False says nothing.
inline bool is_short_and_plain(std::string_view text) noexcept {
  if (text.size() < 4 || text.size() > 16) return false;
  const char* begin = text.data();
  const char* end = begin + text.size();
  // The first and the last bytes, which may overlap.
  if (text.size() < 8) return !has_control(load4(begin) | load4(end - 4) << 32);
  return !has_control(load8(begin)) && !has_control(load8(end - 8));
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

inline unsigned equal_bytes_mask(__m128i a, __m128i b) noexcept {
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)));
}

inline unsigned equal_mask(__m128i bytes, char wanted) noexcept {
  return equal_bytes_mask(bytes, _mm_set1_epi8(wanted));
}

/// The bytes that are not printable ASCII: control bytes, HTAB too, and those from 0x7f up.
inline unsigned unprintable_mask(__m128i bytes) noexcept {
  // One more, and signed: 0x7f becomes the least number.
  __m128i printable = _mm_cmpgt_epi8(_mm_add_epi8(bytes, _mm_set1_epi8(1)), _mm_set1_epi8(0x20));
  return static_cast<unsigned>(_mm_movemask_epi8(printable)) ^ 0xffffu;
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

/// The first byte that is no printable ASCII, or null. 16 bytes before `end` are readable.
inline const char* find_unprintable(const char* begin, const char* end) noexcept {
  const char* last = end - 16;
  for (; begin <= last; begin += 16) {
    unsigned bits = unprintable_mask(load16(begin));
    if (bits != 0) return begin + __builtin_ctz(bits);
  }
  unsigned bits = unprintable_mask(load16(last)) >> (begin - last);
  return bits != 0 ? begin + __builtin_ctz(bits) : nullptr;
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

/// Whether `text` is a host of letters, digits, '.' and '-', alone or with a colon and up to four
/// digits, and of at most 16 characters: what most Host fields are. False says nothing. The 16
/// bytes that end with `text` are readable.
inline bool is_plain_host_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 16) return false;
  __m128i bytes = load16(text.data() + text.size() - 16);
  // Whether a byte is in `first` and the `count - 1` after it.
  auto in_range = [](__m128i b, char first, char count) {
    __m128i offset = _mm_sub_epi8(b, _mm_set1_epi8(first));
    __m128i last = _mm_set1_epi8(static_cast<char>(count - 1));
    return _mm_cmpeq_epi8(_mm_min_epu8(offset, last), offset);
  };
  auto mask = [&](__m128i b) {
    return static_cast<unsigned>(_mm_movemask_epi8(b)) >> (16 - text.size());
  };
  __m128i digit = in_range(bytes, '0', 10);
  __m128i letter = in_range(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26);
  __m128i dot_or_dash = in_range(bytes, '-', 2);
  unsigned digits = mask(digit);
  unsigned host = mask(_mm_or_si128(digit, _mm_or_si128(letter, dot_or_dash)));
  unsigned all = (1u << text.size()) - 1;
  if (host == all) return true;
  // The first byte that is none of the host is a colon, with digits behind it to the end.
  auto host_size = static_cast<unsigned>(__builtin_ctz(~host));
  unsigned port = all & ~((2u << host_size) - 1);
  return host_size != 0 && text[host_size] == ':' && (digits & port) == port &&
         text.size() - host_size <= 5;
}

/// What the first 16 bytes of a line that begins with a known name and a colon are, once `fold` has
/// set the bit that tells the case of letters, and all bits behind the colon. Impossible for names
/// that `begins_with` does not tell.
struct NameStart {
  alignas(16) unsigned char fold[16];
  unsigned char text[16];
};
inline constexpr std::size_t kPlainNameSizeMin = 4;
inline constexpr std::size_t kPlainNameSizeMax = 15;
inline constexpr auto kNameStarts = [] {
  std::array<NameStart, kHeaderNameCount> starts{};
  for (std::size_t i = 0; i < kHeaderNameCount; ++i) {
    std::string_view name = kHeaderNames[i];
    bool is_plain = name.size() >= kPlainNameSizeMin && name.size() <= kPlainNameSizeMax &&
                    static_cast<HeaderId>(i) != HeaderId::Cookie;
    for (std::size_t at = 0; at < 16; ++at) {
      char c = at < name.size() ? to_lower(name[at]) : ':';
      bool is_letter = c >= 'a' && c <= 'z';
      bool is_behind = !is_plain || at > name.size();
      starts[i].fold[at] = is_behind ? 0xff : is_letter ? 0x20 : 0;
      starts[i].text[at] = !is_plain ? 0 : is_behind ? 0xff : static_cast<unsigned char>(c);
    }
  }
  return starts;
}();

/// The known name that the first `size` bytes of a line may be; whether they are it, `begins_with`
/// tells. `size` is at least kPlainNameSizeMin.
inline HeaderId plain_name_candidate(const char* line, std::size_t size) noexcept {
  return static_cast<HeaderId>(kHeaderNameSlots[header_name_slot(line, size)]);
}

/// Whether `line`, the first 16 bytes of one, begins with that name and a colon. Only ever true for
/// names of up to kPlainNameSizeMax characters but Cookie.
inline bool begins_with(__m128i line, HeaderId id) noexcept {
  const NameStart& start = kNameStarts[static_cast<std::size_t>(id)];
  __m128i fold = _mm_load_si128(reinterpret_cast<const __m128i*>(start.fold));
  __m128i text = _mm_load_si128(reinterpret_cast<const __m128i*>(start.text));
  return equal_bytes_mask(_mm_or_si128(line, fold), text) == 0xffff;
}

#else

inline bool is_plain_host_port(std::string_view) noexcept { return false; }

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
