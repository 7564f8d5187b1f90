// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The read side of a client session on a stream: heads, bodies, trailers, and what it means when
// the stream ends before them.
//
// What has arrived is read before the end counts: a stream that is reset behind a complete response
// has not failed.
#include <utility>

#include "pingora/h2/translation.h"
#include "session/h2_client_session.h"
#include "session/session_metrics.h"

namespace pingora::internal {
namespace {

Error malformed(std::string_view reason) {
  return Error::explain(ErrorType::InvalidHttpHeader, reason).into_up();
}

}  // namespace

Task<> H2ClientSession::read_head() {
  if (is_head_final_) return Error::internal("a second response is awaited");
  if (open_error_) return std::move(*open_error_);
  if (!stream_) return Error::internal("a response before its request");
  if (auto done = next_head()) return std::move(*done);
  return wait_for_head();
}

Task<> H2ClientSession::wait_for_head() {
  for (;;) {
    if (interruption_) co_await take_interruption();
    co_await wait_ended(
        co_await as_result(stream_->wait_for(H2Stream::Want::Event, deadline_in(read_timeout_))));
    if (auto done = next_head()) {
      co_await std::move(*done);
      co_return;
    }
  }
}

// Nothing: it has to be waited for.
std::optional<Result<void>> H2ClientSession::next_head() {
  if (auto event = stream_->next_event()) return accept_head(std::move(*event));
  H2StreamEnd end = stream_->end();
  if (end.kind == H2StreamEnd::Kind::Open) return std::nullopt;
  return fail(stream_ended(end));
}

Result<void> H2ClientSession::accept_head(h2::Event event) {
  has_response_ = true;
  if (event.response == nullptr) return fail(malformed("something else than a head"));
  header_ = std::move(event.response);
  response_ = header_.get();
  if (event.kind == h2::Event::Kind::Informational) {
    if (++informational_responses_ <= options_.informational_responses_max) return {};
    SessionMetrics::get().upstream.informational.add();
    return fail(malformed("too many informational responses"));
  }
  is_head_final_ = true;
  body_length_ = event.body;
  is_body_done_ = event.end == EndOfStream::Yes;
  if (!websocket_key_.empty() && header_->status().is_success()) {
    h2::to_http1_websocket(*header_, websocket_key_);
  }
  return {};
}

Task<Bytes> H2ClientSession::read_body() {
  if (!is_head_final_) return Error::internal("a body before its head");
  if (is_body_done_) return Bytes();
  if (auto piece = next_piece()) return std::move(*piece);
  return wait_for_body();
}

Task<Bytes> H2ClientSession::wait_for_body() {
  for (;;) {
    if (interruption_) co_return take_interruption();
    // A tunnel may be quiet in one direction: how long, the client's side says for both.
    TimePoint deadline = is_tunnel_ ? kNever : deadline_in(read_timeout_);
    co_await wait_ended(co_await as_result(stream_->wait_for(H2Stream::Want::Event, deadline)));
    if (auto piece = next_piece()) co_return std::move(*piece);
  }
}

std::optional<Result<Bytes>> H2ClientSession::next_piece() {
  auto event = stream_->next_event();
  if (!event) {
    H2StreamEnd end = stream_->end();
    if (end.kind == H2StreamEnd::Kind::Open) return std::nullopt;
    return fail(stream_ended(end));
  }
  if (event->kind == h2::Event::Kind::Trailers) {
    trailers_ = std::move(event->trailers);
    is_body_done_ = true;
    return Bytes();
  }
  is_body_done_ = event->end == EndOfStream::Yes;
  if (event->data.empty() && !is_body_done_) return std::nullopt;
  body_bytes_read_ += event->data.size();
  return std::move(event->data);
}

Result<void> H2ClientSession::wait_ended(Result<void> result) {
  if (result) return result;
  if (result.error().type() == ErrorType::ReadTimedout) {
    SessionMetrics::get().upstream.read_timeout.add();
    connection_->check_peer();
  }
  return fail(std::move(result.error()).into_up());
}

Error H2ClientSession::take_interruption() {
  Error error = std::move(*interruption_);
  interruption_.reset();
  return error;
}

// RFC 9113 §8.7: what was refused was not looked at. The same holds for a connection that was used
// before and went before anything of a response came, as far as the request may be repeated.
Error H2ClientSession::stream_ended(const H2StreamEnd& end) {
  if (end.kind == H2StreamEnd::Kind::Reset && !is_tunnel_) return reset(end);
  Error error =
      Error::explain(ErrorType::ConnectionClosed, has_response_ ? "the stream was cut off"
                                                                : "the connection ended before a "
                                                                  "response");
  error.set_source(ErrorSource::Upstream);
  error.set_retry_type(is_reused_ && !has_response_ ? RetryType::ReusedOnly : RetryType::No);
  return error;
}

Error H2ClientSession::reset(const H2StreamEnd& end) {
  std::string what(end.origin == h2::Event::Origin::Peer ? "the peer reset the stream: "
                                                         : "the stream had to be reset: ");
  what += h2::to_string(end.code);
  ErrorType type = ErrorType::H2Error;
  RetryType retry = RetryType::No;
  if (end.origin == h2::Event::Origin::Engine) {
    type = ErrorType::InvalidH2;
  } else if (end.code == h2::ErrorCode::RefusedStream && !has_response_) {
    retry = RetryType::Yes;
  } else if (end.code == h2::ErrorCode::Http11Required && !has_response_) {
    type = ErrorType::H2Downgrade;
    retry = RetryType::Yes;
  }
  Error error = Error::explain(type, what);
  error.set_source(ErrorSource::Upstream);
  error.set_retry_type(retry);
  return error;
}

}  // namespace pingora::internal
