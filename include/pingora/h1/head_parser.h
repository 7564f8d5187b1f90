// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "pingora/base/buffer.h"
#include "pingora/h1/parse_error.h"
#include "pingora/h1/parser_options.h"
#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora::h1 {

/// How a call to a head parser ended.
enum class ParseStatus : std::uint8_t {
  /// The head is not complete. Call again with the same progress and header when bytes came.
  NeedMore,
  /// The head was taken from the buffer; what follows it is still there.
  Done,
  /// The message is refused, and the connection can not be used for another.
  Error,
};

struct [[nodiscard]] ParseResult {
  ParseStatus status = ParseStatus::NeedMore;
  ParseError error;  // if status is Error
};

/// Where a parser stands in a head that has not arrived whole. Complete lines are parsed once, and
/// bytes of an incomplete line are looked at once until its end comes.
class HeadProgress {
 public:
  /// Whether any byte of the head, beyond empty lines before it, has been looked at.
  bool has_begun() const noexcept { return scanned_ != 0; }
  void reset() noexcept { *this = HeadProgress(); }

 private:
  friend class HeadParser;

  const char* base_ = nullptr;  // where the head began when it was last looked at
  std::uint32_t parsed_ = 0;    // bytes of complete lines
  std::uint32_t scanned_ = 0;   // bytes known to hold no further line end
  std::uint32_t fields_ = 0;
  std::uint32_t cookie_fields_ = 0;
  std::uint8_t empty_lines_ = 0;  // before a request line
  bool has_start_line_ = false;
};

/// Parses a request head at the beginning of `in`. Up to four empty lines before it are dropped.
///
/// On Done, `out` holds the header and shares the memory of `in`, whose next byte is the first one
/// behind the head. Fields, target and Host are valid and agree: an absolute-form target or the
/// target of CONNECT has replaced the Host field. On NeedMore `out` may only be passed in again. On
/// Error it holds what was understood, for a log. The progress is fresh again after both. Allocates
/// only for more than 24 fields.
ParseResult parse_request_head(Buffer& in, HeadProgress& progress, const ParserOptions& options,
                               RequestHeader& out);

/// The same for a response head.
ParseResult parse_response_head(Buffer& in, HeadProgress& progress, const ParserOptions& options,
                                ResponseHeader& out);

/// The same for the fields of a trailer section and the empty line behind them, by the rules of no
/// leniency; the limits are `trailer_bytes_max` and `fields_max`. `role` says whose message it is,
/// for the status of an error. Fields that a trailer may not carry are still there.
ParseResult parse_trailers(Buffer& in, HeadProgress& progress, const ParserOptions& options,
                           MessageRole role, HeaderMap& out);

}  // namespace pingora::h1
