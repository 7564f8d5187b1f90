// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The response's half of a session.
#include <optional>
#include <utility>

#include "pingora/h1/framing.h"
#include "pingora/h2/translation.h"
#include "pingora/http/http_date.h"
#include "pingora/session/h1_transport.h"
#include "session/extra_fields.h"
#include "session/h2_server_session.h"
#include "session/session_metrics.h"

namespace pingora::internal {
namespace {

// From here on what is written is sent without being asked for: it fills a frame.
constexpr std::size_t kSendBytes = 16 * 1024;

Error misuse(std::string_view what) { return Error::internal(what); }

}  // namespace

Error H2ServerSession::lost() {
  if (stream_) return ended_error();
  if (refusal_status_ == 0) return misuse("a session that is used behind its end");
  return Error::explain(ErrorType::ConnectionClosed, "a malformed request has been reset")
      .into_down();
}

Task<> H2ServerSession::write_informational(const ResponseHeader& header) {
  if (is_response_started_ || !header.status().is_informational() || header.status() == 101) {
    return misuse("not an informational response, or not before the final one");
  }
  if (!stream_) return lost();
  HeaderEdits edits;
  edits.skip = {HeaderId::ContentLength, HeaderId::TransferEncoding, HeaderId::Upgrade};
  bool is_open = stream_->submit(H2Stream::Send::Now, [&](h2::Engine& engine, auto& stream) {
    engine.submit_informational(stream, header, edits);
  });
  if (!is_open) return ended_error();
  return {};
}

// What RFC 9113 §8.1.1 leaves of RFC 9112 §6.3: a body is as long as its stream says; a
// Content-Length must agree.
Result<void> H2ServerSession::plan_body(const ResponseHeader& header, EndOfStream end) {
  auto framing = h1::response_framing(header, header_->method());
  if (!framing) return fail(misuse(framing.error().reason));
  bool is_tunnel = (header_->method() == Method::Connect && header.status().is_success()) ||
                   header.status() == 101;
  if (is_tunnel) {  // whatever the head says, it goes on
    body_kind_ = BodyKind::Tunnel;
    return {};
  }
  switch (framing->kind) {
    case h1::Framing::Kind::None: body_kind_ = BodyKind::None; return {};
    case h1::Framing::Kind::ContentLength:
      if (end == EndOfStream::Yes && framing->content_length != 0) {
        return fail(misuse("a response without the body that its Content-Length announces"));
      }
      body_kind_ = BodyKind::Sized;
      bytes_left_ = framing->content_length;
      return {};
    case h1::Framing::Kind::Chunked:
    case h1::Framing::Kind::UntilClose: body_kind_ = BodyKind::Unsized; return {};
  }
  return {};
}

Task<> H2ServerSession::write_head(const ResponseHeader& header, EndOfStream end) {
  if (is_response_started_) return misuse("a second response");
  if (header.status() == 101 ? !is_websocket_ : header.status().is_informational()) {
    return misuse("an informational response as the final one");
  }
  if (!stream_) return lost();
  if (auto planned = plan_body(header, end); !planned) return std::move(planned.error());
  is_submitted_ =
      body_kind_ == BodyKind::None || (end == EndOfStream::Yes && body_kind_ != BodyKind::Tunnel);
  Result<void> submitted;
  if (header.status() == 101) {
    ResponseHeader answer = header.clone();
    h2::to_http2_websocket(answer);
    submitted = submit_head(answer);
  } else {
    submitted = submit_head(header);
  }
  if (!submitted) return std::move(submitted.error());
  is_response_started_ = true;
  return {};
}

Result<void> H2ServerSession::submit_head(const ResponseHeader& header) {
  ExtraFields add;
  std::optional<HttpDate> now;
  if (!header.headers().contains(HeaderId::Date)) {
    now = HttpDate::now();
    add.add(HeaderId::Date, now->view());
  }
  HeaderEdits edits;
  edits.add = add.view();
  if (header_->method() == Method::Connect || header.status() == 204) {
    edits.skip.insert(HeaderId::ContentLength);
  }
  Result<void> submitted;
  bool is_now = is_submitted_ || is_websocket_;
  bool is_open = stream_->submit(is_now ? H2Stream::Send::Now : H2Stream::Send::Gather,
                                 [&](h2::Engine& engine, h2::EngineStream& stream) {
                                   submitted = engine.submit_response(
                                       stream, header, edits,
                                       is_submitted_ ? EndOfStream::Yes : EndOfStream::No);
                                 });
  if (!is_open) return fail(ended_error());
  if (!submitted) return fail(std::move(submitted.error()).into_in());
  return {};
}

Task<> H2ServerSession::write_body(Bytes data, EndOfStream end) {
  if (!is_response_started_) return misuse("a body before the head");
  if (body_kind_ == BodyKind::None) return {};
  if (is_submitted_) {
    if (data.empty()) return {};
    return misuse("bytes behind the end of the body");
  }
  if (body_kind_ == BodyKind::Sized) {
    if (data.size() > bytes_left_) return misuse("more bytes than Content-Length says");
    bytes_left_ -= data.size();
    if (end == EndOfStream::Yes && bytes_left_ != 0) {
      return misuse("fewer bytes than Content-Length says");
    }
  }
  if (is_tunnel_) note_tunnel_bytes();
  return submit_data(std::move(data), end);
}

Task<> H2ServerSession::submit_data(Bytes data, EndOfStream end) {
  bool is_end = end == EndOfStream::Yes;
  if (data.empty() && !is_end) return {};
  if (!stream_) return lost();
  std::size_t size = data.size();
  bool is_now = is_end || is_tunnel_ || size >= kSendBytes;
  bool is_writable = true;
  bool is_open = stream_->submit(is_now ? H2Stream::Send::Now : H2Stream::Send::Gather,
                                 [&](h2::Engine& engine, h2::EngineStream& stream) {
                                   engine.submit_data(stream, std::move(data), end);
                                   is_writable = stream.is_writable();
                                 });
  if (!is_open) return ended_error();
  is_submitted_ = is_end;
  bytes_sent_ += size;
  // What is behind the end waits in the connection, not here.
  if (is_writable || is_end) return {};
  return wait_for_room();
}

Task<> H2ServerSession::wait_for_room() {
  TimePoint deadline = deadline_in(write_timeout_);
  Result<void> waited = co_await as_result(stream_->wait_for(H2Stream::Want::Room, deadline));
  if (stream_->end().kind != H2StreamEnd::Kind::Open) co_await ended_error();
  if (waited) co_return;
  SessionMetrics::get().downstream.write_timeout.add();
  is_stalled_ = true;
  co_await std::move(waited.error()).into_down();
}

Task<> H2ServerSession::write_trailers(const HeaderMap& trailers) {
  if (!is_response_started_) return misuse("trailers before the head");
  bool is_useful = body_kind_ != BodyKind::None && !is_submitted_ && !is_tunnel_;
  if (!is_useful) return write_body({}, EndOfStream::Yes);
  if (body_kind_ == BodyKind::Sized && bytes_left_ != 0) {
    return misuse("fewer bytes than Content-Length says");
  }
  if (!stream_) return lost();
  bool is_open = stream_->submit(H2Stream::Send::Now, [&](h2::Engine& engine, auto& stream) {
    engine.submit_trailers(stream, trailers);
  });
  if (!is_open) return ended_error();
  is_submitted_ = true;
  return {};
}

Task<> H2ServerSession::flush() {
  if (stream_) stream_->submit(H2Stream::Send::Now, [](auto&, auto&) {});
  return {};
}

bool H2ServerSession::is_response_done() const noexcept {
  return is_response_started_ &&
         (is_submitted_ || (body_kind_ == BodyKind::Sized && bytes_left_ == 0));
}

void H2ServerSession::start_tunnel() {
  is_tunnel_ = true;
  is_received_ = false;
  start_tunnel_clock(options_.tunnel_idle_timeout);
}

}  // namespace pingora::internal
