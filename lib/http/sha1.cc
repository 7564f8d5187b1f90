// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "http/sha1.h"

#include <bit>
#include <cstring>

namespace pingora::internal {
namespace {

// FIPS 180-4 §6.1.2.
void add_block(std::array<std::uint32_t, 5>& hash, const unsigned char* block) noexcept {
  std::uint32_t w[80];
  for (std::size_t t = 0; t < 16; ++t) {
    const unsigned char* p = block + t * 4;
    w[t] = std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
  }
  for (std::size_t t = 16; t < 80; ++t) {
    w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  }
  auto [a, b, c, d, e] = hash;
  for (std::size_t t = 0; t < 80; ++t) {
    std::uint32_t mixed = 0;
    if (t < 20) {
      mixed = ((b & c) | (~b & d)) + 0x5a827999;
    } else if (t < 40) {
      mixed = (b ^ c ^ d) + 0x6ed9eba1;
    } else if (t < 60) {
      mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    } else {
      mixed = (b ^ c ^ d) + 0xca62c1d6;
    }
    mixed += std::rotl(a, 5) + e + w[t];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = mixed;
  }
  hash[0] += a;
  hash[1] += b;
  hash[2] += c;
  hash[3] += d;
  hash[4] += e;
}

}  // namespace

std::array<std::uint8_t, 20> sha1(std::string_view text) noexcept {
  std::array<std::uint32_t, 5> hash = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::uint64_t bits = std::uint64_t{text.size()} * 8;
  unsigned char block[64];
  for (; text.size() >= sizeof block; text.remove_prefix(sizeof block)) {
    std::memcpy(block, text.data(), sizeof block);
    add_block(hash, block);
  }
  std::memset(block, 0, sizeof block);
  if (!text.empty()) std::memcpy(block, text.data(), text.size());
  block[text.size()] = 0x80;
  if (text.size() >= 56) {
    add_block(hash, block);
    std::memset(block, 0, sizeof block);
  }
  for (std::size_t i = 0; i < 8; ++i) {
    block[63 - i] = static_cast<unsigned char>(bits >> (8 * i));
  }
  add_block(hash, block);
  std::array<std::uint8_t, 20> result;
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<std::uint8_t>(hash[i / 4] >> (24 - 8 * (i % 4)));
  }
  return result;
}

}  // namespace pingora::internal
