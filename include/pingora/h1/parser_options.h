// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace pingora::h1 {

/// A deviation from RFC 9112 that is refused unless it is let through by name.
enum class Leniency : std::uint8_t { Reject, Allow };

/// Whose message is read: what answers to an error, and which leniencies may apply.
enum class MessageRole : std::uint8_t { Request, Response };

/// Limits and leniencies of a parser. One per listener or peer; read-only while parsers use it.
struct ParserOptions {
  /// The request or status line without its line end. Above: 414, for a response 502.
  std::size_t start_line_bytes_max = 8 * 1024;
  /// The whole head, start line and empty line included. Above: 431, for a response 502.
  std::size_t head_bytes_max = 64 * 1024;
  /// Fields of a head, or of a trailer section, Cookie fields apart. Above: as `head_bytes_max`.
  std::size_t fields_max = 128;
  /// Cookie fields, which clients that came over HTTP/2 may split.
  std::size_t cookie_fields_max = 256;
  /// A trailer section, its empty line included. Above: 431, for a response 502.
  std::size_t trailer_bytes_max = 8 * 1024;
  /// Chunk extensions of a whole body, which are read and dropped.
  std::size_t chunk_extension_bytes_max = 16 * 1024;

  /// A line of a head may end with LF alone. It is written with CRLF. Never in chunked bodies or
  /// trailers.
  Leniency allow_bare_lf = Leniency::Reject;
  /// Blanks between a response's field name and its colon, which are dropped.
  Leniency allow_spaces_after_response_header_name = Leniency::Reject;
  /// A response's field value may go on on a line that begins with a blank; joined by one space.
  Leniency allow_obs_fold_in_responses = Leniency::Reject;
  /// A response's Content-Length that is no number, or repeated, is ignored: the body then ends
  /// with the connection.
  Leniency allow_invalid_response_content_length = Leniency::Reject;
  /// Bytes from 0x80 up in a request target, which are passed on as they are.
  Leniency allow_raw_bytes_in_target = Leniency::Reject;
};

}  // namespace pingora::h1
