// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace pingora {

/// A request method: one of those the library knows, or the text of another.
///
/// The text of an unknown method is a view into what it was parsed from; a method read from a
/// RequestHeader lives as long as that header keeps its method.
class Method {
 public:
  enum Known : std::uint8_t {
    Other,
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
    Purge
  };

  constexpr Method(Known known) noexcept : known_(known) {}  // NOLINT(google-explicit-constructor)
  /// The method with this text, which is case-sensitive. Whether it is a token is not checked here.
  static Method from(std::string_view text) noexcept;

  constexpr Known known() const noexcept { return known_; }
  std::string_view text() const noexcept;

  /// GET, HEAD, OPTIONS, TRACE (RFC 9110 §9.2.1).
  constexpr bool is_safe() const noexcept {
    return known_ == Get || known_ == Head || known_ == Options || known_ == Trace;
  }
  /// The safe ones, PUT and DELETE (RFC 9110 §9.2.2).
  constexpr bool is_idempotent() const noexcept {
    return is_safe() || known_ == Put || known_ == Delete;
  }

  friend bool operator==(const Method& a, const Method& b) noexcept {
    return a.known_ == b.known_ && (a.known_ != Other || a.other_ == b.other_);
  }
  friend bool operator==(const Method& a, Known b) noexcept { return a.known_ == b; }

 private:
  constexpr Method(Known known, std::string_view other) noexcept : known_(known), other_(other) {}

  Known known_;
  std::string_view other_;
};

}  // namespace pingora
