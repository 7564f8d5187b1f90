// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "session/h1_body_encoder.h"

namespace pingora::internal {

Result<H1Frame> H1BodyEncoder::frame(std::size_t size, EndOfStream end) {
  constexpr std::string_view kChunkEndAndLastChunk = "\r\n0\r\n\r\n";
  H1Frame frame;
  if (is_done_) {
    if (size == 0 || kind_ == Kind::None) return frame;
    return fail(Error::internal("bytes behind the end of the body"));
  }
  bool is_end = end == EndOfStream::Yes;
  switch (kind_) {
    case Kind::None: is_done_ = is_end; return frame;
    case Kind::Sized:
      if (size > left_) return fail(Error::internal("more bytes than Content-Length says"));
      left_ -= size;
      if (is_end && left_ != 0)
        return fail(Error::internal("fewer bytes than Content-Length says"));
      is_done_ = left_ == 0;
      break;
    case Kind::Chunked:
      if (size != 0) {
        frame.chunk.emplace(size);
        frame.tail = is_end ? kChunkEndAndLastChunk : h1::kChunkEnd;
      } else if (is_end) {
        frame.tail = h1::kLastChunk;
      }
      is_done_ = is_end;
      break;
    case Kind::UntilClose:
    case Kind::Tunnel: is_done_ = is_end; break;
  }
  bytes_ += size;
  return frame;
}

}  // namespace pingora::internal
