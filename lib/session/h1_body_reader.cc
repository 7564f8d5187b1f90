// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "session/h1_body_reader.h"

namespace pingora::internal {

using h1::BodyEvent;

void H1BodyReader::start(const h1::Framing& framing, h1::MessageRole role,
                         const h1::ParserOptions& options) {
  framing_ = framing;
  is_done_ = framing.is_empty();
  if (is_done_) return;
  is_plain_ = framing.kind != h1::Framing::Kind::Chunked;
  decoder_ = h1::BodyDecoder(framing, role, options);
}

BodyLength H1BodyReader::length() const noexcept {
  switch (framing_.kind) {
    case h1::Framing::Kind::None: return BodyLength::none();
    case h1::Framing::Kind::ContentLength: return BodyLength::known(framing_.content_length);
    case h1::Framing::Kind::Chunked:
    case h1::Framing::Kind::UntilClose: break;
  }
  return BodyLength::unknown();
}

void H1BodyReader::start_tunnel() noexcept {
  next_.reset();
  is_done_ = false;
  is_plain_ = true;
  is_tunnel_ = true;
}

void H1BodyReader::finish(BodyEvent::Kind kind) {
  is_done_ = true;
  if (kind == BodyEvent::Kind::Trailers) {
    trailers_ = std::make_unique<HeaderMap>(decoder_.take_trailers());
  }
}

void H1BodyReader::look_ahead(Buffer& in) {
  BodyEvent event = decoder_.decode(in);
  switch (event.kind) {
    case BodyEvent::Kind::Data:
    case BodyEvent::Kind::Error: next_ = std::move(event); break;
    case BodyEvent::Kind::NeedMore: break;
    case BodyEvent::Kind::Trailers:
    case BodyEvent::Kind::End: finish(event.kind); break;
  }
}

H1BodyReader::Next H1BodyReader::next(Buffer& in) {
  if (is_done_) return Bytes();
  if (is_tunnel_) {
    if (in.empty()) return std::nullopt;
    bytes_ += in.size();
    return in.take(in.size());
  }
  BodyEvent event = next_ ? std::move(*next_) : decoder_.decode(in);
  next_.reset();
  switch (event.kind) {
    case BodyEvent::Kind::Data:
      bytes_ += event.data.size();
      if (event.is_last) {
        is_done_ = true;
      } else if (!in.empty()) {
        look_ahead(in);
      }
      return std::move(event.data);
    case BodyEvent::Kind::NeedMore: return std::nullopt;
    case BodyEvent::Kind::Trailers:
    case BodyEvent::Kind::End: finish(event.kind); return Bytes();
    case BodyEvent::Kind::Error: break;
  }
  return std::unexpected(event.error);
}

std::expected<void, h1::ParseError> H1BodyReader::end_of_stream() {
  if (is_done_) return {};
  if (!is_tunnel_) {
    BodyEvent event = decoder_.decode_eof();
    if (event.kind == BodyEvent::Kind::Error) return std::unexpected(event.error);
  }
  is_done_ = true;
  return {};
}

}  // namespace pingora::internal
