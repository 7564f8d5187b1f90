// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/huffman.h"

#include <array>
#include <cstdint>

namespace pingora::h2 {
namespace {

constexpr unsigned kBitsMin = 5;
constexpr unsigned kBitsMax = 30;
constexpr std::size_t kSymbols = 256;

// How many bits each byte takes. The code is canonical, so that this says all: codes of one length
// follow each other in the order of their symbols, and shorter ones come first.
constexpr std::array<std::uint8_t, kSymbols> kBits = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,  // 0x00
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,  // 0x10
    6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,   // 0x20
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10,  // 0x30
    13, 6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,   // 0x40
    7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,   // 0x50
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,   // 0x60
    6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7,  15, 11, 14, 13, 28,  // 0x70
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,  // 0x80
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,  // 0x90
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,  // 0xa0
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,  // 0xb0
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,  // 0xc0
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,  // 0xd0
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,  // 0xe0
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,  // 0xf0
};

constexpr auto kCodes = [] {
  std::array<std::uint32_t, kSymbols> codes{};
  std::uint32_t code = 0;
  for (unsigned bits = kBitsMin; bits <= kBitsMax; ++bits) {
    for (std::size_t symbol = 0; symbol < kSymbols; ++symbol) {
      if (kBits[symbol] == bits) codes[symbol] = code++;
    }
    code <<= 1;
  }
  return codes;
}();
// The last is that of the symbol for the end, all ones, which is never sent.
static_assert(kCodes[0x16] == 0x3ffffffe);

}  // namespace

std::size_t huffman_size(std::string_view text) noexcept {
  std::size_t bits = 0;
  for (char c : text) bits += kBits[static_cast<unsigned char>(c)];
  return (bits + 7) / 8;
}

char* huffman_encode(std::string_view text, char* place) noexcept {
  std::uint64_t pending = 0;  // its low `count` bits are to be written
  unsigned count = 0;
  for (char c : text) {
    auto symbol = static_cast<unsigned char>(c);
    pending = pending << kBits[symbol] | kCodes[symbol];
    count += kBits[symbol];
    while (count >= 8) {
      count -= 8;
      *place++ = static_cast<char>(pending >> count);
    }
  }
  if (count == 0) return place;
  // Filled up with ones.
  *place++ = static_cast<char>(pending << (8 - count) | 0xffU >> count);
  return place;
}

}  // namespace pingora::h2
