// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>

#include "pingora/h1/parse_error.h"
#include "pingora/h1/parser_options.h"
#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora::h1 {

/// How the end of a message body is found (RFC 9112 §6.3).
struct Framing {
  enum class Kind : std::uint8_t {
    /// There is no body.
    None,
    ContentLength,
    Chunked,
    /// It ends with the connection. Responses only.
    UntilClose,
  };
  Kind kind = Kind::None;
  /// Of ContentLength, in bytes; may be 0.
  std::uint64_t content_length = 0;

  static constexpr Framing none() noexcept { return {}; }
  static constexpr Framing sized(std::uint64_t bytes) noexcept {
    return {Kind::ContentLength, bytes};
  }
  static constexpr Framing chunked() noexcept { return {Kind::Chunked, 0}; }
  static constexpr Framing until_close() noexcept { return {Kind::UntilClose, 0}; }

  /// Whether it is known from the head that no body byte follows.
  constexpr bool is_empty() const noexcept {
    return kind == Kind::None || (kind == Kind::ContentLength && content_length == 0);
  }
  friend bool operator==(const Framing&, const Framing&) noexcept = default;
};

/// The framing of a request's body, whatever its method. 400 if Content-Length is repeated or no
/// number, if it stands beside Transfer-Encoding, for Transfer-Encoding in HTTP/1.0 and for all but
/// exactly one `chunked`; 501 for a coding that this is not.
std::expected<Framing, ParseError> request_framing(const RequestHeader& request) noexcept;

/// The framing of the response to a request with `method`. The same rules as for requests, each
/// with 502; then HEAD, 1xx, 204, 304 and 2xx to CONNECT have no body, and without either field the
/// body ends with the connection.
std::expected<Framing, ParseError> response_framing(const ResponseHeader& response, Method method,
                                                    const ParserOptions& options = {}) noexcept;

/// Whether the connection may carry another message after this one.
enum class KeepAlive : std::uint8_t { No, Yes };

/// What the request asks for: HTTP/1.1 without `Connection: close`, or HTTP/1.0 with
/// `Connection: keep-alive`.
KeepAlive keep_alive(const RequestHeader& request) noexcept;
/// What the response says; No if its body ends with the connection.
KeepAlive keep_alive(const ResponseHeader& response, const Framing& framing) noexcept;

}  // namespace pingora::h1
