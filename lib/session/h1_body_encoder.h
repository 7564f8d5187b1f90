// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "pingora/base/error.h"
#include "pingora/http/end_of_stream.h"
#include "pingora/session/h1_transport.h"

namespace pingora::internal {

/// Frames the body of one message that is written, and counts it.
class H1BodyEncoder {
 public:
  enum class Kind : std::uint8_t {
    None,  // there is no body: what is written is dropped
    Sized,
    Chunked,
    UntilClose,
    Tunnel,
  };

  H1BodyEncoder() noexcept = default;
  explicit H1BodyEncoder(Kind kind, std::uint64_t bytes = 0) noexcept
      : kind_(kind), is_done_(kind == Kind::Sized && bytes == 0), left_(bytes) {}

  /// What to write around `size` bytes. InternalError if they are more than announced, or `end`
  /// comes before as many.
  Result<H1Frame> frame(std::size_t size, EndOfStream end);
  /// The body ended otherwise: with its head, or with trailers.
  void finish() noexcept { is_done_ = true; }

  Kind kind() const noexcept { return kind_; }
  /// Whether the message is complete: sized ones by themselves, others by their end.
  bool is_done() const noexcept { return is_done_; }
  /// Bytes of the body, framing apart.
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  Kind kind_ = Kind::None;
  bool is_done_ = false;
  std::uint64_t left_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace pingora::internal
