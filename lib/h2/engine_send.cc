// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "h2/engine_impl.h"
#include "h2/head_encoder.h"

namespace pingora::h2 {
namespace {

// The WINDOW_UPDATE frames that a frame of DATA may be answered with.
constexpr std::uint32_t kCreditForData = 4;

}  // namespace

// Submitting.

void Engine::Impl::submit_informational(StreamState& stream, const ResponseHeader& response,
                                        const HeaderEdits& edits) {
  if (stream.is_closed_ || stream.was_reset || stream.has_head_submitted) return;
  HeadEncoder encoder;
  if (!encoder.add_response(response, edits)) return;
  std::span<const nghttp2_nv> fields = encoder.fields();
  check(std::min(
      0, nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, static_cast<std::int32_t>(stream.id_),
                                nullptr, fields.data(), fields.size(), nullptr)));
}

Result<void> Engine::Impl::submit_response(StreamState& stream, const ResponseHeader& response,
                                           const HeaderEdits& edits, EndOfStream end) {
  HeadEncoder encoder;
  if (Result<void> added = encoder.add_response(response, edits); !added) return added;
  if (stream.is_closed_ || stream.was_reset || stream.has_head_submitted) return {};
  stream.has_head_submitted = true;
  stream.is_send_done_ = end == EndOfStream::Yes;
  std::span<const nghttp2_nv> fields = encoder.fields();
  nghttp2_data_provider provider = data_provider(stream);
  check(nghttp2_submit_response(session_, static_cast<std::int32_t>(stream.id_), fields.data(),
                                fields.size(), end == EndOfStream::Yes ? nullptr : &provider));
  return {};
}

Result<EngineStream*> Engine::Impl::submit_request(const RequestHeader& request,
                                                   const RequestParts& parts, EndOfStream end) {
  if (!can_open_stream()) {
    Error error = Error::explain(ErrorType::H2Error, "no stream can be opened");
    error.set_retry(true);
    return pingora::fail(std::move(error));
  }
  HeadEncoder encoder;
  if (Result<void> added = encoder.add_request(request, parts); !added) {
    return std::unexpected(std::move(added.error()));
  }
  StreamState& stream = create_stream(0);
  std::span<const nghttp2_nv> fields = encoder.fields();
  nghttp2_data_provider provider = data_provider(stream);
  std::int32_t id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                           end == EndOfStream::Yes ? nullptr : &provider, &stream);
  if (id < 0) {
    stream.is_closed_ = stream.is_released = true;
    destroy_if_done(stream);
    check(id);
    settle();
    Error error = Error::explain(ErrorType::H2Error, "no stream could be opened");
    error.set_retry(true);
    return pingora::fail(std::move(error));
  }
  ++counters_.streams_opened;
  stream.id_ = static_cast<std::uint32_t>(id);
  stream.user_data_ = parts.user_data;
  stream.is_visible = true;
  stream.has_head_submitted = true;
  stream.is_send_done_ = end == EndOfStream::Yes;
  stream.is_head_request = request.method() == Method::Head;
  stream.is_connect = request.method() == Method::Connect;
  return &stream;
}

void Engine::Impl::submit_data(StreamState& stream, Bytes data, EndOfStream end) {
  if (stream.is_closed_ || stream.was_reset || stream.is_send_done_) return;
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
  resume(stream);
  settle();
}

void Engine::Impl::submit_trailers(StreamState& stream, const HeaderMap& trailers) {
  if (stream.is_closed_ || stream.was_reset || stream.is_send_done_) return;
  stream.trailers = std::make_unique<HeaderMap>(trailers.clone());
  stream.is_send_done_ = true;
  resume(stream);
}

void Engine::Impl::resume(StreamState& stream) {
  if (!std::exchange(stream.is_deferred, false)) return;
  check(nghttp2_session_resume_data(session_, static_cast<std::int32_t>(stream.id_)));
}

// Writers that wait.

bool Engine::Impl::is_send_room() const noexcept { return !is_send_full_; }

void Engine::Impl::wake_writer(StreamState& stream) {
  if (stream.is_writable_ || is_send_full_ || stream.send_buffered_ > options_.send_low_bytes) {
    return;
  }
  stream.is_writable_ = true;
  if (stream.is_visible && !stream.is_send_done_) {
    push_stream_event(stream, Event::Kind::Writable);
  }
}

// The connection has room again for all who wait.
void Engine::Impl::wake_writers() {
  if (send_buffered_ > options_.connection_send_bytes_max / 2) return;
  is_send_full_ = false;
  for (StreamState* stream = streams_.front(); stream != nullptr; stream = streams_.next(*stream)) {
    if (!stream->is_closed_) wake_writer(*stream);
  }
}

// Handing out.

bool Engine::Impl::has_output() const noexcept {
  if (has_failed_) return owes_goaway_;
  return !memory_.is_away() && nghttp2_session_want_write(session_) != 0;
}

void Engine::Impl::take_output(Output& out, std::size_t bytes_max) {
  output_ = &out;
  output_max_ = bytes_max;
  // An idle engine stays so: timers ask, too.
  while (!has_failed_ && out.size() < bytes_max && !memory_.is_away()) {
    const std::uint8_t* bytes = nullptr;
    auto size = nghttp2_session_mem_send(session_, &bytes);
    if (size == 0) break;
    if (size > 0) {
      out.append(
          std::string_view(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)));
    } else if (size == NGHTTP2_ERR_NOMEM) {
      check(NGHTTP2_ERR_NOMEM);
    } else {
      fail(ErrorCode::InternalError, nullptr, "the HTTP/2 engine failed");
    }
  }
  output_ = nullptr;
  settle();
  if (std::exchange(owes_goaway_, false)) write_goaway(out);
}

// By hand, because nghttp2 may be in no state to do it.
void Engine::Impl::write_goaway(Output& out) {
  constexpr std::uint8_t kPayloadSize = 8;
  std::array<std::uint8_t, kFrameHeadSize + kPayloadSize> frame{};
  frame[2] = kPayloadSize;
  frame[3] = NGHTTP2_GOAWAY;
  auto put = [&](std::size_t at, std::uint32_t number) {
    for (std::size_t i = 0; i < 4; ++i) {
      frame[at + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    }
  };
  put(kFrameHeadSize,
      static_cast<std::uint32_t>(nghttp2_session_get_last_proc_stream_id(session_)));
  put(kFrameHeadSize + 4, static_cast<std::uint32_t>(failure_));
  out.append(std::string_view(reinterpret_cast<const char*>(frame.data()), frame.size()));
}

// How much of the queue goes into the next frame. Nothing is copied: `on_send_data` moves it.
std::ptrdiff_t Engine::Impl::on_read_data(StreamState& stream, std::size_t size_max,
                                          std::uint32_t& flags) {
  std::size_t size = std::min(stream.queue.size(), size_max);
  if (size == 0 && !stream.is_send_done_) {
    stream.is_deferred = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (!stream.is_send_done_ || size != stream.queue.size())
    return static_cast<std::ptrdiff_t>(size);
  flags |= NGHTTP2_DATA_FLAG_EOF;
  // They stay until they are submitted: the encoder refers to them.
  if (std::unique_ptr<HeaderMap> trailers = std::move(stream.trailers)) {
    HeadEncoder encoder;
    encoder.add_trailers(*trailers);
    if (!encoder.empty()) {
      flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      std::span<const nghttp2_nv> fields = encoder.fields();
      check(nghttp2_submit_trailer(session_, static_cast<std::int32_t>(stream.id_), fields.data(),
                                   fields.size()));
    }
  }
  return static_cast<std::ptrdiff_t>(size);
}

int Engine::Impl::on_send_data(StreamState& stream, const nghttp2_frame& frame,
                               std::string_view frame_head, std::size_t size) {
  output_->append(frame_head);
  stream.queue.move_to(*output_, size);
  stream.send_buffered_ -= size;
  send_buffered_ -= size;
  window_updates_.give_back(kCreditForData);
  if (is_send_full_) wake_writers();
  wake_writer(stream);
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) on_end_sent(stream);
  return output_->size() >= output_max_ ? NGHTTP2_ERR_PAUSE : 0;
}

void Engine::Impl::on_end_sent(StreamState& stream) {
  stream.is_end_sent = true;
  if (!stream.resets_when_sent || stream.receive_phase == StreamState::ReceivePhase::Done) return;
  reset(stream, ErrorCode::NoError);
}

int Engine::Impl::on_frame_sent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_HEADERS && (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
    auto* stream = static_cast<StreamState*>(
        nghttp2_session_get_stream_user_data(session_, frame.hd.stream_id));
    if (stream != nullptr) on_end_sent(*stream);
  }
  if (frame.hd.type == NGHTTP2_GOAWAY && frame.goaway.error_code != NGHTTP2_NO_ERROR) {
    // nghttp2 found the peer breaking the rules of framing, and has said so.
    fail(static_cast<ErrorCode>(frame.goaway.error_code), &EngineCounters::protocol_errors,
         "the peer broke the rules of framing");
    owes_goaway_ = false;
  }
  return 0;
}

int Engine::Impl::on_frame_not_sent(const nghttp2_frame& frame) {
  if (frame.hd.type != NGHTTP2_HEADERS || frame.headers.cat == NGHTTP2_HCAT_REQUEST) return 0;
  auto* stream =
      static_cast<StreamState*>(nghttp2_session_get_stream_user_data(session_, frame.hd.stream_id));
  if (stream == nullptr || stream->was_reset) return 0;
  // A head of ours that is too large to be sent.
  push_reset(*stream, ErrorCode::InternalError, Event::Origin::Engine);
  reset(*stream, ErrorCode::InternalError);
  return 0;
}

}  // namespace pingora::h2
