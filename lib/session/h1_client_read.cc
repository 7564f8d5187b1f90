// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The read side of a client session: heads, bodies, and what their failing means.
#include "session/h1_client_exchange.h"
#include "session/session_metrics.h"
#include "session/upgrade.h"

namespace pingora {

using internal::deadline_in;
using internal::SessionMetrics;

namespace {

Error malformed(std::string_view reason) {
  return Error::explain(ErrorType::InvalidHttpHeader, reason).into_up();
}

}  // namespace

Task<> H1ClientSession::read_head() {
  Exchange& x = *exchange_;
  if (is_head_final_) return Error::internal("a second response is awaited");
  if (std::exchange(x.is_head_seen, false)) x.header.clear();
  if (!transport_.input().empty()) {
    if (auto done = parse_head()) return std::move(*done);
  }
  return wait_for_head();
}

Task<> H1ClientSession::wait_for_head() {
  for (;;) {
    if (exchange_->interruption) co_await take_interruption();
    auto read = co_await as_result(stream().read(transport_.input(), deadline_in(read_timeout_)));
    if (!read) co_await read_failed(std::move(read.error()));
    if (*read == 0) co_await closed_early();
    exchange_->has_response_bytes = true;
    if (auto done = parse_head()) {
      co_await std::move(*done);
      co_return;
    }
  }
}

// Nothing, if the head is not complete.
std::optional<Result<void>> H1ClientSession::parse_head() {
  Exchange& x = *exchange_;
  h1::ParseResult parsed =
      h1::parse_response_head(transport_.input(), x.progress, options_->parser, x.header);
  switch (parsed.status) {
    case h1::ParseStatus::NeedMore: return std::nullopt;
    case h1::ParseStatus::Error: {
      if (parsed.error.status == 431) SessionMetrics::get().upstream.head.add();
      return fail(malformed(parsed.error.reason));
    }
    case h1::ParseStatus::Done: break;
  }
  x.is_head_seen = true;
  return accept_head();
}

Result<void> H1ClientSession::accept_head() {
  Exchange& x = *exchange_;
  if (x.header.status().is_informational()) return accept_informational();
  auto framing = h1::response_framing(x.header, x.method, options_->parser);
  if (!framing) return fail(malformed(framing.error().reason));
  // What is ignored here must not reach a downstream that takes it for the framing.
  if (options_->parser.allow_invalid_response_content_length == h1::Leniency::Allow &&
      !h1::response_framing(x.header, x.method)) {
    x.header.remove_header(HeaderId::ContentLength);
  }
  is_head_final_ = true;
  x.reader.start(*framing, h1::MessageRole::Response, options_->parser);
  x.keep_alive = h1::keep_alive(x.header, *framing) == h1::KeepAlive::Yes;
  return {};
}

Result<void> H1ClientSession::accept_informational() {
  Exchange& x = *exchange_;
  if (x.header.status() == 101) {
    // RFC 9110 §15.2.2, and RFC 6455 §4.1: else an attacker's server, or a confused one, gets a
    // tunnel that nobody asked for.
    if (x.upgrade_protocol.empty()) return fail(malformed("101 to a request that did not ask"));
    if (!internal::accepts_upgrade(x.header, x.upgrade_protocol, x.websocket_key)) {
      return fail(malformed("101 that does not fit what was asked for"));
    }
    is_head_final_ = true;
    return {};
  }
  if (++x.informational_responses > options_->informational_responses_max) {
    SessionMetrics::get().upstream.informational.add();
    return fail(malformed("too many informational responses"));
  }
  return {};
}

BodyLength H1ClientSession::body_length() const noexcept { return exchange_->reader.length(); }

bool H1ClientSession::is_body_done() const noexcept {
  return is_head_final_ && exchange_->reader.is_done();
}
const HeaderMap* H1ClientSession::response_trailers() const noexcept {
  return exchange_->reader.trailers();
}
std::uint64_t H1ClientSession::body_bytes_read() const noexcept {
  return exchange_ == nullptr ? 0 : exchange_->reader.bytes();
}
bool H1ClientSession::has_buffered_input() const noexcept {
  return is_head_final_ && exchange_->reader.has_next(transport_.input());
}

Task<Bytes> H1ClientSession::read_body() {
  if (!is_head_final_) return Error::internal("a body before its head");
  if (auto piece = next_piece()) return std::move(*piece);
  if (auto read = stream().try_read(transport_.input())) {
    if (auto piece = take_read(std::move(*read))) return std::move(*piece);
  }
  return wait_for_body();
}

std::optional<Result<Bytes>> H1ClientSession::next_piece() {
  auto next = exchange_->reader.next(transport_.input());
  if (!next) return std::nullopt;
  if (*next) return std::move(**next);
  exchange_->keep_alive = false;
  return fail(malformed(next->error().reason));
}

Task<Bytes> H1ClientSession::wait_for_body() {
  for (;;) {
    if (exchange_->interruption) co_return take_interruption();
    // A tunnel may be quiet in one direction: how long, the client's side says for both.
    TimePoint deadline = exchange_->is_tunnel ? kNever : deadline_in(read_timeout_);
    auto read = co_await as_result(stream().read(transport_.input(), deadline));
    if (auto piece = take_read(std::move(read))) co_return std::move(*piece);
  }
}

// What a read of the body means: a piece, an error, or nothing if more has to be read.
std::optional<Result<Bytes>> H1ClientSession::take_read(Result<std::size_t> read) {
  if (!read) return fail(read_failed(std::move(read.error())));
  if (*read == 0) return body_ended();
  return next_piece();
}

Result<Bytes> H1ClientSession::body_ended() {
  Exchange& x = *exchange_;
  x.keep_alive = false;
  if (auto end = x.reader.end_of_stream(); !end) {
    return fail(Error::explain(ErrorType::ConnectionClosed, end.error().reason).into_up());
  }
  return Bytes();
}

// The stream ended where a head was to come.
Error H1ClientSession::closed_early() {
  bool has_begun = exchange_->has_response_bytes;
  return read_failed(Error::explain(ErrorType::ConnectionClosed,
                                    has_begun ? "the connection ended within the response's head"
                                              : "the connection ended before a response"));
}

Error H1ClientSession::take_interruption() {
  exchange_->is_interrupted = true;
  Error error = std::move(*exchange_->interruption);
  exchange_->interruption.reset();
  return read_failed(std::move(error));
}

Error H1ClientSession::read_failed(Error error) {
  Exchange& x = *exchange_;
  x.keep_alive = false;
  if (std::exchange(x.is_interrupted, false)) return error;
  if (error.type() == ErrorType::ReadTimedout) {
    SessionMetrics::get().upstream.read_timeout.add();
    return std::move(error).into_up();
  }
  if (x.write_error && !x.has_response_bytes) error = std::move(*x.write_error);
  error.set_source(ErrorSource::Upstream);
  error.set_retry_type(is_reused_ && !x.has_response_bytes ? RetryType::ReusedOnly : RetryType::No);
  return error;
}

void H1ClientSession::start_tunnel() {
  Exchange& x = *exchange_;
  x.is_tunnel = true;
  x.reader.start_tunnel();
  x.encoder = internal::H1BodyEncoder(internal::H1BodyEncoder::Kind::Tunnel);
}

void H1ClientSession::interrupt(Error error) {
  if (exchange_ == nullptr) return;
  if (stream().is_reading()) {
    exchange_->is_interrupted = true;
    stream().interrupt_read(std::move(error));
  } else {
    exchange_->interruption.emplace(std::move(error));
  }
}

}  // namespace pingora
