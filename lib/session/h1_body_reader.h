// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>

#include "pingora/base/buffer.h"
#include "pingora/base/bytes.h"
#include "pingora/h1/body_decoder.h"
#include "pingora/http/end_of_stream.h"

namespace pingora::internal {

/// Takes the body of one message out of what was read. Looks one event ahead, so that the end is
/// known along with the last bytes if it has arrived.
class H1BodyReader {
 public:
  using Next = std::optional<std::expected<Bytes, h1::ParseError>>;

  void start(const h1::Framing& framing, h1::MessageRole role, const h1::ParserOptions& options);
  /// From now on all bytes are the body, up to the end of the stream.
  void start_tunnel() noexcept;

  /// The next piece, empty at the end; nothing if more has to be read.
  Next next(Buffer& in);
  /// Whether the end of the stream is where the body may end. Then it is done.
  std::expected<void, h1::ParseError> end_of_stream();
  bool is_done() const noexcept { return is_done_; }
  /// Whether `next` gives something without more being read.
  bool has_next(const Buffer& in) const noexcept {
    return is_done_ || next_.has_value() || (is_plain_ && !in.empty());
  }
  /// Bytes still to come, if that is known.
  std::optional<std::uint64_t> remaining() const noexcept { return decoder_.remaining(); }

  const h1::Framing& framing() const noexcept { return framing_; }
  /// What the message's head says of it.
  BodyLength length() const noexcept;
  std::uint64_t bytes() const noexcept { return bytes_; }
  const HeaderMap* trailers() const noexcept { return trailers_.get(); }

 private:
  void look_ahead(Buffer& in);
  void finish(h1::BodyEvent::Kind kind);

  h1::Framing framing_;
  h1::BodyDecoder decoder_;
  std::optional<h1::BodyEvent> next_;
  std::unique_ptr<HeaderMap> trailers_;
  std::uint64_t bytes_ = 0;
  bool is_done_ = true;
  bool is_plain_ = false;  // every byte is one of the body, at least the next one
  bool is_tunnel_ = false;
};

}  // namespace pingora::internal
