// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pingora/http/method.h"

namespace pingora {

/// A host with or without a port, as in a Host field: "example.com:8080", "[2001:db8::1]".
struct HostPort {
  /// As written; an IPv6 address with its brackets.
  std::string_view host;
  std::optional<std::uint16_t> port;

  /// Nothing if `text` is no such thing: empty host, user information, a comma, a bad port, a bad
  /// IPv6 address, zone identifiers. The views lie in `text`.
  static std::optional<HostPort> parse(std::string_view text) noexcept;
};

/// Which of the four forms of RFC 9112 §3.2 a request target has.
enum class TargetForm : std::uint8_t { Origin, Absolute, Authority, Asterisk };

/// Which bytes from 0x80 up a target may have in it. RFC 3986 knows none of them.
enum class RawBytes : std::uint8_t { Reject, Allow };

/// A request target, taken apart. The views lie in the text that was parsed.
class Uri {
 public:
  /// Takes `target` apart as a request with `method` would have it: authority-form for CONNECT,
  /// else origin-form, absolute-form or, for OPTIONS, "*". Nothing if it is none of them or has a
  /// control byte, a blank, a '#', user information or a malformed host in it.
  static std::optional<Uri> parse_target(Method method, std::string_view target,
                                         RawBytes raw_bytes = RawBytes::Reject) noexcept;
  /// Takes an absolute or an origin-form URI apart: `parse_target` with GET.
  static std::optional<Uri> parse(std::string_view text) noexcept {
    return parse_target(Method::Get, text);
  }

  TargetForm form() const noexcept { return form_; }
  /// Empty but for absolute-form.
  std::string_view scheme() const noexcept { return scheme_; }
  /// Whether the scheme is http or https.
  bool is_http() const noexcept;
  /// Host and port as written; empty for origin-form and "*".
  std::string_view authority() const noexcept { return authority_; }
  std::string_view host() const noexcept { return host_.host; }
  /// The port that is written, or the one that the scheme implies.
  std::optional<std::uint16_t> port() const noexcept;
  /// Path and query as written: empty for authority-form, and for "http://host".
  std::string_view path_and_query() const noexcept { return path_and_query_; }
  std::string_view path() const noexcept;
  /// What is behind the first '?', or nothing.
  std::optional<std::string_view> query() const noexcept;

 private:
  TargetForm form_ = TargetForm::Origin;
  std::string_view scheme_;
  std::string_view authority_;
  HostPort host_;
  std::string_view path_and_query_;
};

/// The part of a path and query before the first '?'.
std::string_view path_of(std::string_view path_and_query) noexcept;
/// The part behind it, or nothing if there is none.
std::optional<std::string_view> query_of(std::string_view path_and_query) noexcept;

/// Whether `text` may be a path and query: printable ASCII but '#', and bytes from 0x80 up if they
/// are allowed. RFC 3986 is narrower; what browsers send unescaped (`|`, `{`, `"`) passes.
bool is_target_text(std::string_view text, RawBytes raw_bytes = RawBytes::Reject) noexcept;

}  // namespace pingora
