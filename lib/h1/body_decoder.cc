// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h1/body_decoder.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "pingora/base/assert.h"
#include "pingora/http/field_syntax.h"
#include "pingora/http/hop_by_hop.h"

// A chunked body goes round
//
//   ChunkSize -> [ChunkExtension] -> ChunkSizeLf -> ChunkData -> ChunkDataCr -> ChunkDataLf -> ...
//
// and, when the size was 0, from ChunkSizeLf to TrailersBegin, then FinalLf -> Done or Trailers ->
// Done. All but data and trailers is read by `step`, a byte at a time, so that it does not matter
// where the input was cut. Failed is final: there is no way back into step with a peer (attacks on
// framing live on resynchronisation).

namespace pingora::h1 {
namespace {

constexpr int kChunkSizeDigitsMax = 16;
constexpr std::string_view kBareLineEnd = "a chunk line that does not end with CRLF";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  char lower = internal::to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

BodyEvent event(BodyEvent::Kind kind) {
  BodyEvent result;
  result.kind = kind;
  return result;
}

}  // namespace

struct BodyDecoder::TrailerSection {
  HeadProgress progress;
  HeaderMap fields;
};

void BodyDecoder::DeleteTrailers::operator()(TrailerSection* section) const noexcept {
  std::default_delete<TrailerSection>()(section);
}

BodyDecoder::BodyDecoder(const Framing& framing, MessageRole role,
                         const ParserOptions& options) noexcept
    : role_(role), options_(&options) {
  switch (framing.kind) {
    case Framing::Kind::None: break;
    case Framing::Kind::ContentLength:
      left_ = framing.content_length;
      if (left_ != 0) state_ = State::Sized;
      break;
    case Framing::Kind::Chunked: state_ = State::ChunkSize; break;
    case Framing::Kind::UntilClose:
      PINGORA_ASSERT(role == MessageRole::Response);
      state_ = State::UntilClose;
      break;
  }
}

BodyEvent BodyDecoder::decode(Buffer& in) {
  switch (state_) {
    case State::Done: return event(BodyEvent::Kind::End);
    case State::Failed: return failure();
    case State::Sized:
    case State::UntilClose:
      if (in.empty()) return event(BodyEvent::Kind::NeedMore);
      return take_data(in);
    case State::ChunkSize:
    case State::ChunkExtension:
    case State::ChunkSizeLf:
    case State::ChunkData:
    case State::ChunkDataCr:
    case State::ChunkDataLf:
    case State::TrailersBegin:
    case State::FinalLf: return decode_chunked(in);
    case State::Trailers: return decode_trailers(in);
  }
  return failure();
}

BodyEvent BodyDecoder::decode_eof() noexcept {
  if (state_ == State::UntilClose) state_ = State::Done;
  if (state_ == State::Done) return event(BodyEvent::Kind::End);
  if (state_ != State::Failed) refuse("the connection ended within the body");
  return failure();
}

std::optional<std::uint64_t> BodyDecoder::remaining() const noexcept {
  if (state_ == State::Sized) return left_;
  if (state_ == State::Done) return 0;
  return std::nullopt;
}

HeaderMap BodyDecoder::take_trailers() {
  if (state_ != State::Done || trailers_ == nullptr) return {};
  HeaderMap fields = std::move(trailers_->fields);
  trailers_.reset();
  return fields;
}

// `in` is not empty, and a sized body or chunk is not over.
BodyEvent BodyDecoder::take_data(Buffer& in) {
  BodyEvent result = event(BodyEvent::Kind::Data);
  if (state_ == State::UntilClose) {
    result.data = in.take(in.size());
    return result;
  }
  auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
  result.data = in.take(size);
  left_ -= size;
  if (left_ != 0) return result;
  if (state_ == State::Sized) {
    state_ = State::Done;
    result.is_last = true;
    return result;
  }
  state_ = State::ChunkDataCr;
  // Most chunked bodies end right here; saying so saves the caller a turn.
  constexpr std::string_view kEnd = "\r\n0\r\n\r\n";
  if (in.view().starts_with(kEnd)) {
    in.consume(kEnd.size());
    state_ = State::Done;
    result.is_last = true;
  }
  return result;
}

BodyEvent BodyDecoder::decode_chunked(Buffer& in) {
  std::string_view view = in.view();
  std::size_t used = 0;
  while (used != view.size() && state_ != State::ChunkData) {
    if (state_ == State::TrailersBegin && view[used] != '\r') {
      state_ = State::Trailers;
      break;
    }
    if (!step(view[used])) break;
    ++used;
    if (state_ == State::Done) break;
  }
  in.consume(used);
  if (state_ == State::Failed) return failure();
  if (state_ == State::Done) return event(BodyEvent::Kind::End);
  if (state_ == State::Trailers) return decode_trailers(in);
  if (in.empty()) return event(BodyEvent::Kind::NeedMore);
  return take_data(in);
}

BodyEvent BodyDecoder::decode_trailers(Buffer& in) {
  if (trailers_ == nullptr) trailers_.reset(std::make_unique<TrailerSection>().release());
  HeaderMap& fields = trailers_->fields;
  ParseResult result = parse_trailers(in, trailers_->progress, *options_, role_, fields);
  switch (result.status) {
    case ParseStatus::NeedMore: return event(BodyEvent::Kind::NeedMore);
    case ParseStatus::Error:
      state_ = State::Failed;
      error_ = result.error;
      return failure();
    case ParseStatus::Done: break;
  }
  state_ = State::Done;
  fields.remove_if([](const HeaderField& field) { return is_forbidden_in_trailers(field.id); });
  BodyEvent last = event(fields.empty() ? BodyEvent::Kind::End : BodyEvent::Kind::Trailers);
  last.is_last = true;
  return last;
}

// Reads one byte of the framing. False if it is refused, which sets the state to Failed.
bool BodyDecoder::step(char c) {
  switch (state_) {
    case State::ChunkSize: return step_chunk_size(c);
    case State::ChunkExtension: return step_extension(c);
    case State::ChunkSizeLf:
      if (c != '\n') return refuse(kBareLineEnd);
      state_ = left_ == 0 ? State::TrailersBegin : State::ChunkData;
      return true;
    case State::ChunkDataCr:
      if (c != '\r') return refuse("chunk data that is not followed by CRLF");
      state_ = State::ChunkDataLf;
      return true;
    case State::ChunkDataLf:
      if (c != '\n') return refuse("chunk data that is not followed by CRLF");
      state_ = State::ChunkSize;
      digits_ = 0;
      return true;
    case State::TrailersBegin:
      state_ = State::FinalLf;  // `c` is a CR
      return true;
    case State::FinalLf:
      if (c != '\n') return refuse(kBareLineEnd);
      state_ = State::Done;
      return true;
    case State::Sized:
    case State::UntilClose:
    case State::ChunkData:
    case State::Trailers:
    case State::Done:
    case State::Failed: break;
  }
  PINGORA_ASSERT(false);
  return false;
}

bool BodyDecoder::step_chunk_size(char c) {
  int digit = hex_value(c);
  if (digit >= 0) {
    if (digits_ == kChunkSizeDigitsMax) return refuse("a chunk size of more than 64 bits");
    if (digits_++ == 0) left_ = 0;
    left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
    return true;
  }
  if (digits_ == 0) return refuse("a chunk without a size");
  if (c == '\r') {
    state_ = State::ChunkSizeLf;
    return true;
  }
  if (c != ';' && !is_blank(c)) return refuse("a malformed chunk size");
  state_ = State::ChunkExtension;
  extension_ = Extension::Begin;
  return step_extension(c);
}

// RFC 9112 §7.1.1: *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
bool BodyDecoder::step_extension(char c) {
  Extension at = extension_;
  bool in_token = at == Extension::Name || at == Extension::Token;
  bool may_end = in_token || at == Extension::QuotedEnd;
  if (c == '\r' && may_end) {
    state_ = State::ChunkSizeLf;
    return true;
  }
  if (++extension_bytes_ > options_->chunk_extension_bytes_max) {
    return refuse("too many bytes of chunk extensions");
  }
  if (at == Extension::Quoted || at == Extension::QuotedPair) return step_quoted(c);
  if (c == ';' && (may_end || at == Extension::Begin || at == Extension::NameEnd)) {
    extension_ = Extension::NameBegin;
  } else if (c == '=' && (at == Extension::Name || at == Extension::NameEnd)) {
    extension_ = Extension::ValueBegin;
  } else if (c == '"' && at == Extension::ValueBegin) {
    extension_ = Extension::Quoted;
  } else if (is_token_char(c) && at == Extension::NameBegin) {
    extension_ = Extension::Name;
  } else if (is_token_char(c) && at == Extension::ValueBegin) {
    extension_ = Extension::Token;
  } else if (is_blank(c)) {
    if (at == Extension::Name) extension_ = Extension::NameEnd;
    if (at == Extension::Token || at == Extension::QuotedEnd) extension_ = Extension::Begin;
  } else if (!is_token_char(c) || !in_token) {
    return refuse("a malformed chunk extension");
  }
  return true;
}

bool BodyDecoder::step_quoted(char c) {
  auto byte = static_cast<unsigned char>(c);
  if ((byte < 0x20 && c != '\t') || byte == 0x7f) return refuse("a malformed chunk extension");
  if (extension_ == Extension::QuotedPair) {
    extension_ = Extension::Quoted;
  } else if (c == '\\') {
    extension_ = Extension::QuotedPair;
  } else if (c == '"') {
    extension_ = Extension::QuotedEnd;
  }
  return true;
}

// Always false, so that it can be returned.
bool BodyDecoder::refuse(std::string_view reason) noexcept {
  state_ = State::Failed;
  error_ = {static_cast<std::uint16_t>(role_ == MessageRole::Request ? 400 : 502), reason};
  return false;
}

BodyEvent BodyDecoder::failure() const {
  BodyEvent result = event(BodyEvent::Kind::Error);
  result.error = error_;
  return result;
}

}  // namespace pingora::h1
