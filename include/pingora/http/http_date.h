// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace pingora {

/// The text of a date in a field: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
class HttpDate {
 public:
  using Seconds = std::chrono::sys_seconds;

  /// Formats `time`, of the years 0 to 9999.
  explicit HttpDate(Seconds time) noexcept;
  /// The present. Formats once a second in each thread; else it is a copy.
  static HttpDate now() noexcept;

  /// Reads any of the three forms: as above, "Sunday, 06-Nov-94 08:49:37 GMT" and
  /// "Sun Nov  6 08:49:37 1994". A year of two digits is the one closest to the present of those
  /// that are not more than 50 years ahead. Nothing if it is no date; the day's name is not checked
  /// against the date.
  static std::optional<Seconds> parse(std::string_view text) noexcept;

  std::string_view view() const noexcept { return {text_, sizeof text_}; }

 private:
  char text_[29];
};

}  // namespace pingora
