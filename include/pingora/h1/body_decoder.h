// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "pingora/base/buffer.h"
#include "pingora/base/bytes.h"
#include "pingora/h1/framing.h"
#include "pingora/h1/head_parser.h"
#include "pingora/h1/parse_error.h"
#include "pingora/h1/parser_options.h"
#include "pingora/http/header_map.h"

namespace pingora::h1 {

/// What a BodyDecoder found next.
struct [[nodiscard]] BodyEvent {
  enum class Kind : std::uint8_t {
    /// `data` has bytes of the body. With `is_last`, they are the end of the message.
    Data,
    /// The buffer holds nothing that could be decoded. Read, then call again.
    NeedMore,
    /// A trailer section came: see `BodyDecoder::take_trailers`. It is the end of the message.
    Trailers,
    /// The message is over. Bytes in the buffer belong to the next one.
    End,
    /// The body is malformed; `error` says why. Nothing more can be read from the connection.
    Error,
  };
  Kind kind = Kind::NeedMore;
  bool is_last = false;
  ParseError error;
  Bytes data;
};

/// Cuts the body of one message out of a buffer. Data is shared with the buffer, never copied.
/// Bytes behind the message are never touched. `options` outlives the decoder.
class BodyDecoder {
 public:
  /// A decoder of an empty body.
  BodyDecoder() noexcept = default;
  BodyDecoder(const Framing& framing, MessageRole role, const ParserOptions& options) noexcept;

  /// The next event. After End, Trailers, or Data with `is_last`, always End; after Error, the same
  /// error.
  BodyEvent decode(Buffer& in);
  /// What the end of the connection means here: End for a body that is over, or that ends this way,
  /// else Error.
  BodyEvent decode_eof() noexcept;

  /// Whether the message is over.
  bool is_done() const noexcept { return state_ == State::Done; }
  /// Bytes of the body still to come, where the head said so: 0 when it is over.
  std::optional<std::uint64_t> remaining() const noexcept;
  /// The trailer fields, after Trailers: those that a trailer may carry. Empty before.
  HeaderMap take_trailers();

 private:
  enum class State : std::uint8_t {
    Sized,  // `left_` bytes of the body are to come
    UntilClose,
    ChunkSize,  // `digits_` of it are read
    ChunkExtension,
    ChunkSizeLf,
    ChunkData,  // `left_` bytes of the chunk are to come
    ChunkDataCr,
    ChunkDataLf,
    TrailersBegin,
    FinalLf,
    Trailers,
    Done,
    Failed,
  };
  // Where in the extensions of a chunk the decoder stands.
  enum class Extension : std::uint8_t {
    Begin,  // before a ';', which must come
    NameBegin,
    Name,
    NameEnd,  // behind blanks
    ValueBegin,
    Token,
    Quoted,
    QuotedPair,
    QuotedEnd,
  };
  struct TrailerSection;
  struct DeleteTrailers {
    void operator()(TrailerSection* section) const noexcept;
  };

  BodyEvent take_data(Buffer& in);
  BodyEvent decode_chunked(Buffer& in);
  BodyEvent decode_trailers(Buffer& in);
  bool step(char c);
  bool step_chunk_size(char c);
  bool step_extension(char c);
  bool step_quoted(char c);
  bool refuse(std::string_view reason) noexcept;
  BodyEvent failure() const;

  State state_ = State::Done;
  Extension extension_ = Extension::Begin;
  MessageRole role_ = MessageRole::Request;
  std::uint8_t digits_ = 0;
  std::uint32_t extension_bytes_ = 0;
  std::uint64_t left_ = 0;
  const ParserOptions* options_ = nullptr;
  ParseError error_;
  std::unique_ptr<TrailerSection, DeleteTrailers> trailers_;
};

}  // namespace pingora::h1
