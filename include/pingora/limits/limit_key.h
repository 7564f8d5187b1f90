// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace pingora {

/// What is limited, such as a client's address or an API key, as a hash of 64 bits. Made where a
/// limiter asks for one: from text or from an integer.
///
/// The hash is keyed with a secret of the process, so that clients can not choose keys that are
/// counted together. It means nothing in another process. A signed and an unsigned integer of equal
/// value are the same key; an integer and its decimal text are not.
class LimitKey {
 public:
  // NOLINTBEGIN(google-explicit-constructor): callers write `rate.observe(address, 1)`
  LimitKey(std::string_view text) noexcept;
  template <class Text>
    requires(std::convertible_to<const Text&, std::string_view> &&
             !std::same_as<Text, std::string_view>)
  LimitKey(const Text& text) noexcept : LimitKey(std::string_view(text)) {}
  template <class Integer>
    requires(std::integral<Integer> && !std::same_as<Integer, bool>)
  LimitKey(Integer value) noexcept : hash_(hash_integer(static_cast<std::uint64_t>(value))) {}
  // NOLINTEND(google-explicit-constructor)

  std::uint64_t hash() const noexcept { return hash_; }

 private:
  static std::uint64_t hash_integer(std::uint64_t value) noexcept;
  std::uint64_t hash_;
};

}  // namespace pingora
