// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pingora {

/// A status code from 100 to 999. Converts to its number; a literal converts to it and is checked
/// when the program is compiled. What comes at run time goes through `from`.
class StatusCode {
 public:
  static constexpr int kMin = 100;
  static constexpr int kMax = 999;

  consteval StatusCode(int number)  // NOLINT(google-explicit-constructor)
      : number_(number < kMin || number > kMax ? throw "a status code is 100 to 999"
                                               : static_cast<std::uint16_t>(number)) {}
  /// Nothing if `number` is out of range.
  static constexpr std::optional<StatusCode> from(int number) noexcept {
    if (number < kMin || number > kMax) return std::nullopt;
    return StatusCode(static_cast<std::uint16_t>(number), Checked{});
  }

  constexpr operator int() const noexcept {
    return number_;
  }  // NOLINT(google-explicit-constructor)

  constexpr bool is_informational() const noexcept { return number_ < 200; }
  constexpr bool is_success() const noexcept { return number_ >= 200 && number_ < 300; }
  constexpr bool is_redirect() const noexcept { return number_ >= 300 && number_ < 400; }
  constexpr bool is_client_error() const noexcept { return number_ >= 400 && number_ < 500; }
  constexpr bool is_server_error() const noexcept { return number_ >= 500 && number_ < 600; }

  /// The registered reason phrase, or an empty string.
  std::string_view canonical_reason() const noexcept;

 private:
  struct Checked {};
  constexpr StatusCode(std::uint16_t number, Checked) noexcept : number_(number) {}

  std::uint16_t number_;
};

}  // namespace pingora
