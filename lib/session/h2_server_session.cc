// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The request's half of a session, and its end.
#include "session/h2_server_session.h"

#include <algorithm>
#include <utility>

#include "pingora/base/assert.h"
#include "pingora/h2/translation.h"
#include "pingora/session/deadline_in.h"
#include "session/session_metrics.h"

namespace pingora::internal {
namespace {

constexpr std::string_view kWebsocket = "websocket";

bool is_allowed(const ServerSessionOptions& options, std::string_view protocol) {
  return std::find(options.upgrade_protocols.begin(), options.upgrade_protocols.end(), protocol) !=
         options.upgrade_protocols.end();
}

}  // namespace

H2ServerSession::H2ServerSession(H2StreamRef stream, h2::Event&& head, Early early,
                                 const ServerSessionOptions& options)
    : connection_(stream.connection()),
      stream_(std::move(stream)),
      options_(options),
      header_(std::move(head.request)),
      read_timeout_(options.body_read_timeout),
      write_timeout_(options.write_timeout),
      length_(head.body),
      is_received_(head.end == EndOfStream::Yes) {
  is_early_ = early == Early::Yes;
  if (!stream_) {
    refuse(400, head.reason);
  } else if (head.status != 0) {
    refuse(head.status, head.reason);
  } else if (is_early_ && !header_->method().is_safe()) {
    refuse(425, "not a safe method, and in early data of TLS");
  } else if (!head.protocol.empty()) {
    take_protocol(head.protocol);
  }
}

// Nothing of its body is looked at.
void H2ServerSession::refuse(int status, std::string_view reason) {
  refusal_status_ = status;
  refusal_ = reason;
  length_ = BodyLength::none();
  is_received_ = true;
}

void H2ServerSession::take_protocol(std::string_view protocol) {
  is_websocket_ = protocol == kWebsocket && is_allowed(options_, kWebsocket) &&
                  h2::to_http1_websocket(*header_);
  // RFC 8441 §3 leaves open with what.
  if (!is_websocket_) return refuse(501, "a protocol that is not allowed");
  // What follows is the tunnel's.
  length_ = BodyLength::none();
  is_received_ = true;
}

H2ServerSession::~H2ServerSession() { stop_closed_watch(); }

Task<bool> H2ServerSession::read_request() {
  if (std::exchange(was_given_, true)) {
    request_ = nullptr;
    return false;
  }
  request_ = header_.get();
  if (refusal_status_ == 0) return true;
  return Error::explain(ErrorType::InvalidHttpHeader, refusal_)
      .with_status(refusal_status_)
      .into_down();
}

// ---- The body.

Task<Bytes> H2ServerSession::read_body() {
  if (auto piece = next_piece()) return std::move(*piece);
  return wait_for_body();
}

// The next piece of what has arrived, or why there will be none; nothing if it may still come.
std::optional<Result<Bytes>> H2ServerSession::next_piece() {
  if (is_received_) return Bytes();
  if (!stream_) return fail(lost());
  while (std::optional<h2::Event> event = stream_->next_event()) {
    if (event->kind == h2::Event::Kind::Trailers) {
      trailers_ = std::move(event->trailers);
      is_received_ = true;
      return Bytes();
    }
    if (event->kind != h2::Event::Kind::Data) continue;
    is_received_ = event->end == EndOfStream::Yes;
    if (!event->data.empty() || is_received_) return take_data(*event);
  }
  if (stream_->end().kind != H2StreamEnd::Kind::Open) return fail(ended_error());
  return std::nullopt;
}

Result<Bytes> H2ServerSession::take_data(h2::Event& event) {
  bytes_read_ += event.data.size();
  if (is_tunnel_) {
    note_tunnel_bytes();
  } else if (options_.body_bytes_max != 0 && bytes_read_ > options_.body_bytes_max) {
    SessionMetrics::get().downstream.body_bytes.add();
    return fail(Error::http_status(413, "the request's body is too large").into_down());
  }
  return std::move(event.data);
}

Task<Bytes> H2ServerSession::wait_for_body() {
  for (;;) {
    TimePoint began = coarse_now();
    Result<void> waited =
        co_await as_result(stream_->wait_for(H2Stream::Want::Event, body_deadline()));
    pace_.add_wait(coarse_now() - began);
    if (auto piece = next_piece()) co_return std::move(*piece);
    if (waited) continue;
    if (!is_tunnel_) co_return body_timed_out();
    if (tunnel_idle_at() <= Clock::now()) co_return tunnel_timed_out();
  }
}

// The earlier of: too long without a byte, and too slow on the whole.
TimePoint H2ServerSession::body_deadline() const noexcept {
  if (is_tunnel_) return tunnel_idle_at();
  TimePoint deadline = deadline_in(read_timeout_);
  Duration left = pace_.left(options_, bytes_read_);
  return left == Duration::max() ? deadline : std::min(deadline, coarse_now() + left);
}

Error H2ServerSession::body_timed_out() {
  constexpr Duration kClockError = std::chrono::milliseconds(10);
  auto& metrics = SessionMetrics::get().downstream;
  bool is_slow = pace_.left(options_, bytes_read_) <= kClockError;
  (is_slow ? metrics.body_rate : metrics.body_timeout).add();
  return Error::explain(ErrorType::ReadTimedout, "the request's body stalled, or came too slowly")
      .with_status(408)
      .into_down();
}

// ---- The end.

Error H2ServerSession::ended_error() const {
  H2StreamEnd end = stream_->end();
  if (end.kind != H2StreamEnd::Kind::Reset) {
    return Error::explain(ErrorType::ConnectionClosed, "the connection has ended").into_down();
  }
  if (end.origin == h2::Event::Origin::Engine) {
    return Error::explain(ErrorType::H2Error, "the client broke the rules of HTTP/2")
        .more_context(h2::to_string(end.code))
        .into_down();
  }
  return Error::explain(ErrorType::ConnectionClosed, "the client has reset the stream")
      .more_context(h2::to_string(end.code))
      .into_down();
}

void H2ServerSession::start_closed_watch(ClosedWatch& watch) {
  if (!stream_) return;
  watch_ = &watch;
  stream_->start_end_watch(*Strand::current(), watch_job_);
}

void H2ServerSession::stop_closed_watch() noexcept {
  if (std::exchange(watch_, nullptr) != nullptr && stream_) stream_->stop_end_watch(watch_job_);
}

// It may end the session.
void H2ServerSession::on_end() {
  if (ClosedWatch* watch = std::exchange(watch_, nullptr)) {
    watch->on_downstream_closed(ended_error());
  }
}

Task<bool> H2ServerSession::finish() {
  stop_closed_watch();
  if (!stream_) return false;
  if (is_response_done()) {
    if (!is_submitted_) (void)submit_data({}, EndOfStream::Yes).is_ready();
    stream_.reset(deadline_in(write_timeout_));
    return false;
  }
  if (is_stalled_) {
    stream_.reset();
  } else {
    stream_.cut_off(deadline_in(write_timeout_), h2::ErrorCode::InternalError);
  }
  return false;
}

}  // namespace pingora::internal
