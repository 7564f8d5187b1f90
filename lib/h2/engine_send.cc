// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What is submitted. Heads become frames at once, data waits in its stream's queue.
#include <span>
#include <string>
#include <utility>

#include "h2/engine_impl.h"

namespace pingora::h2 {
namespace {

// A head that takes more is not sent.
constexpr std::size_t kHeaderBlockSentMax = 1024 * 1024;

Error cannot_open(std::string_view reason) {
  Error error = Error::explain(ErrorType::H2Error, reason);
  error.set_retry(true);
  return error;
}

}  // namespace

void Engine::Impl::submit_informational(StreamState& stream, const ResponseHeader& response,
                                        const HeaderEdits& edits) {
  if (stream.is_closed_ || stream.has_head_submitted) return;
  HeadEncoder encoder;
  if (encoder.add_response(response, edits)) write_headers(stream.id_, encoder, EndOfStream::No);
  settle();
}

Result<void> Engine::Impl::submit_response(StreamState& stream, const ResponseHeader& response,
                                           const HeaderEdits& edits, EndOfStream end) {
  HeadEncoder encoder;
  if (Result<void> added = encoder.add_response(response, edits); !added) return added;
  if (stream.is_closed_ || stream.has_head_submitted) return {};
  stream.has_head_submitted = true;
  stream.is_send_done_ = end == EndOfStream::Yes;
  if (!write_headers(stream.id_, encoder, end)) give_up(stream);
  settle();
  return {};
}

Result<EngineStream*> Engine::Impl::submit_request(const RequestHeader& request,
                                                   const RequestParts& parts, EndOfStream end) {
  if (!can_open_stream()) return pingora::fail(cannot_open("no stream can be opened"));
  HeadEncoder encoder;
  if (Result<void> added = encoder.add_request(request, parts); !added) {
    return std::unexpected(std::move(added.error()));
  }
  if (!write_headers(next_id_, encoder, end)) {
    return pingora::fail(ErrorType::InvalidHttpHeader, "a head too large to be sent");
  }
  StreamState& stream = create_stream(next_id_);
  next_id_ += 2;
  ++counters_.streams_opened;
  stream.user_data_ = parts.user_data;
  stream.is_visible = true;
  stream.has_head_submitted = true;
  stream.is_send_done_ = end == EndOfStream::Yes;
  stream.is_head_request = request.method() == Method::Head;
  stream.is_connect = request.method() == Method::Connect;
  return &stream;
}

void Engine::Impl::submit_data(StreamState& stream, Bytes data, EndOfStream end) {
  if (stream.is_closed_ || stream.is_send_done_) return;
  stream.send_buffered_ += data.size();
  send_buffered_ += data.size();
  stream.queue.push(std::move(data));
  stream.is_send_done_ = end == EndOfStream::Yes;
  if (!is_send_full_ && send_buffered_ >= options_.connection_send_bytes_max) {
    is_send_full_ = true;
    ++counters_.send_buffer_full;
  }
  if (is_send_full_ || stream.send_buffered_ >= options_.send_high_bytes) {
    stream.is_writable_ = false;
  }
  if (stream.queue.size() != 0) {
    schedule(stream);
  } else if (stream.is_send_done_) {
    write_end(stream);
  }
  settle();
}

void Engine::Impl::submit_trailers(StreamState& stream, const HeaderMap& trailers) {
  if (stream.is_closed_ || stream.is_send_done_) return;
  stream.is_send_done_ = true;
  if (stream.queue.size() == 0) {
    write_trailers(stream, trailers);
  } else {
    stream.trailers = std::make_unique<HeaderMap>(trailers.clone());
  }
  settle();
}

// Frames.

// Makes a block of the fields. False, and nothing was done: it is too large to be sent.
bool Engine::Impl::write_headers(std::uint32_t stream_id, const HeadEncoder& encoder,
                                 EndOfStream end) {
  std::span<const HpackField> fields = encoder.fields();
  std::size_t size_max = HpackEncoder::size_max(fields);
  if (size_max > kHeaderBlockSentMax) return false;
  std::uint8_t flags = end == EndOfStream::Yes ? frame_flag::kEndStream : frame_flag::kNone;
  bool is_one_frame = size_max <= kFrameBytesDefault;
  std::string large(is_one_frame ? 0 : size_max, '\0');
  char* frame = is_one_frame ? queue_.prepare(kFrameHeadSize + size_max) : nullptr;
  char* place = is_one_frame ? frame + kFrameHeadSize : large.data();
  std::size_t size = hpack_encoder_.encode(fields, place);
  if (is_one_frame) {
    flags |= frame_flag::kEndHeaders;
    write_frame_head(frame,
                     {static_cast<std::uint32_t>(size), FrameType::Headers, flags, stream_id});
    queue_.commit(kFrameHeadSize + size);
  } else {
    write_block(stream_id, std::string_view(large).substr(0, size), flags);
  }
  if (end == EndOfStream::Yes) ends_queued_.push_back(stream_id);
  return true;
}

void Engine::Impl::write_block(std::uint32_t stream_id, std::string_view block,
                               std::uint8_t flags) {
  FrameType type = FrameType::Headers;
  while (!block.empty()) {
    std::string_view fragment = block.substr(0, kFrameBytesDefault);
    block.remove_prefix(fragment.size());
    if (block.empty()) flags |= frame_flag::kEndHeaders;
    write_frame_head(queue_.prepare(kFrameHeadSize),
                     {static_cast<std::uint32_t>(fragment.size()), type, flags, stream_id});
    queue_.commit(kFrameHeadSize);
    queue_.append(fragment);
    type = FrameType::Continuation;
    flags = frame_flag::kNone;
  }
}

// Behind all data. What a trailer may not carry is left out.
void Engine::Impl::write_trailers(StreamState& stream, const HeaderMap& trailers) {
  HeadEncoder encoder;
  encoder.add_trailers(trailers);
  if (encoder.empty()) return write_end(stream);
  if (!write_headers(stream.id_, encoder, EndOfStream::Yes)) give_up(stream);
}

// Of a message whose head or trailers are too large to be sent.
void Engine::Impl::give_up(StreamState& stream) {
  push_reset(stream, ErrorCode::InternalError, Event::Origin::Engine);
  reset(stream, ErrorCode::InternalError);
}

// The end alone: no data, so that it needs no window.
void Engine::Impl::write_end(StreamState& stream) {
  write_frame_head(queue_.prepare(kFrameHeadSize),
                   {0, FrameType::Data, frame_flag::kEndStream, stream.id_});
  queue_.commit(kFrameHeadSize);
  ends_queued_.push_back(stream.id_);
}

}  // namespace pingora::h2
