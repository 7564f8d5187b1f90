// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/limits/limit_key.h"

#include <cstring>
#include <random>

#include "limits/mix.h"

namespace pingora {
namespace internal {

std::uint64_t process_secret() noexcept {
  static const std::uint64_t secret = [] {
    try {
      std::random_device device;
      return (std::uint64_t{device()} << 32) | device();
    } catch (const std::exception&) {  // no entropy source: an address is what is left
      static const char kAnchor = 0;
      return mix(reinterpret_cast<std::uintptr_t>(&kAnchor), 0);
    }
  }();
  return secret;
}

}  // namespace internal

LimitKey::LimitKey(std::string_view text) noexcept {
  std::uint64_t hash = internal::mix(internal::process_secret(), text.size());
  while (!text.empty()) {
    std::uint64_t word = 0;
    std::size_t size = text.size() < sizeof(word) ? text.size() : sizeof(word);
    std::memcpy(&word, text.data(), size);
    hash = internal::mix(hash ^ word, internal::process_secret());
    text.remove_prefix(size);
  }
  hash_ = hash;
}

std::uint64_t LimitKey::hash_integer(std::uint64_t value) noexcept {
  // The constant keeps integers apart from texts of eight bytes.
  return internal::mix(value ^ internal::process_secret(), 0xa0761d6478bd642fULL);
}

}  // namespace pingora
