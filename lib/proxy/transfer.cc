// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The stage Transfer: the request's body on its way up, and the response on its way down.
//
//              send_request_body                        receive_response
//   client --> read_body --> filters --> write_body --> upstream
//          <-- write_* <---- filters <-- read_head, read_body <--
//
// The response ends the stage, whether or not the request's body has been sent: what a final
// response does not wait for, nobody needs. A request that cannot be sent any more does not end it,
// for the response may say why, unless the time to send it was up. While no body is being read, a
// watch notices the client leaving.
#include <utility>

#include "exchange.h"
#include "pingora/http/grpc.h"
#include "pingora/runtime/combinators.h"

namespace pingora::internal {

Task<Outcome> Exchange::transfer() {
  bool has_request_half = !downstream_.body_length().is_empty() ||
                          overrides(Phase::RequestBodyFilter) ||
                          !session_.downstream_modules_.empty();
  if (has_request_half && !write_error_) return transfer_both();
  is_watching_ = true;
  downstream_.start_closed_watch(*this);
  return receive_response();
}

Task<Outcome> Exchange::transfer_both() {
  auto first = co_await when_any(receive_response(), send_request_body());
  if (auto* received = std::get_if<0>(&first)) co_return std::move(*received);
  co_return std::move(std::get<1>(first));
}

void Exchange::on_downstream_closed(Error error) {
  if (client_left_ != nullptr) return client_left_->set();
  upstream_.session->interrupt(std::move(error).into_down());
}

void Exchange::stop_closed_watch() noexcept {
  if (std::exchange(is_watching_, false)) downstream_.stop_closed_watch();
}

// ---- The response.

Task<Outcome> Exchange::receive_response() {
  ClientSession& upstream = *upstream_.session;
  do {
    co_await upstream.read_head();
    co_await forward_head();
  } while (!upstream.is_head_final());

  if (upstream.resp_header().status() == 101) {
    co_await tunnel_upgrade();
    co_return Outcome::Done;
  }
  bool holds_only_head = upstream.body_length().kind == BodyLength::Kind::Known;
  while (!upstream.is_body_done()) {
    Task<Bytes> reading = upstream.read_body();
    // Before waiting, what is there goes out; but a head alone waits for the body it announces.
    if (!reading.is_ready() && !holds_only_head) co_await downstream_.flush();
    Bytes body = co_await std::move(reading);
    holds_only_head = false;
    bool is_last = upstream.is_body_done() && upstream.response_trailers() == nullptr;
    co_await forward_body(std::move(body), is_last ? EndOfStream::Yes : EndOfStream::No);
  }
  if (upstream.response_trailers() != nullptr) co_await forward_trailers();
  co_return Outcome::Done;
}

Task<> Exchange::forward_head() {
  if (!overrides(Phase::UpstreamResponseFilter) && !overrides(Phase::ResponseFilter) &&
      session_.downstream_modules_.empty()) {
    return write_head();
  }
  return filter_head();
}

Task<> Exchange::filter_head() {
  ResponseHeader& response = upstream_.session->resp_header();
  if (overrides(Phase::UpstreamResponseFilter)) {
    co_await phases_.upstream_response_filter(session_, response, ctx_);
  }
  if (overrides(Phase::ResponseFilter)) {
    co_await phases_.response_filter(session_, response, ctx_);
  }
  if (!session_.downstream_modules_.empty()) {
    EndOfStream end = upstream_.session->is_body_done() ? EndOfStream::Yes : EndOfStream::No;
    co_await session_.downstream_modules_.response_header_filter(response, end);
  }
  co_await write_head();
}

Task<> Exchange::write_head() {
  ClientSession& upstream = *upstream_.session;
  ResponseHeader& response = upstream.resp_header();
  if (!upstream.is_head_final()) return downstream_.write_informational(response);
  session_.response_written_ = &response;
  return downstream_.write_head(response,
                                upstream.is_body_done() ? EndOfStream::Yes : EndOfStream::No);
}

Task<> Exchange::forward_body(Bytes body, EndOfStream end) {
  if (!overrides(Phase::UpstreamResponseBodyFilter) && !overrides(Phase::ResponseBodyFilter) &&
      session_.downstream_modules_.empty()) {
    if (body.empty() && end == EndOfStream::No) return {};
    return downstream_.write_body(std::move(body), end);
  }
  return filter_body(std::move(body), end);
}

Task<> Exchange::filter_body(Bytes body, EndOfStream end) {
  if (overrides(Phase::UpstreamResponseBodyFilter)) {
    co_await phases_.upstream_response_body_filter(session_, body, end, ctx_);
  }
  if (overrides(Phase::ResponseBodyFilter)) {
    co_await phases_.response_body_filter(session_, body, end, ctx_);
  }
  if (!session_.downstream_modules_.empty()) {
    co_await session_.downstream_modules_.response_body_filter(body, end);
  }
  if (!body.empty() || end == EndOfStream::Yes) {
    co_await downstream_.write_body(std::move(body), end);
  }
}

Task<> Exchange::forward_trailers() {
  HeaderMap trailers = upstream_.session->response_trailers()->clone();
  if (overrides(Phase::UpstreamResponseTrailerFilter)) {
    co_await phases_.upstream_response_trailer_filter(session_, trailers, ctx_);
  }
  std::optional<Bytes> replacement;
  if (overrides(Phase::ResponseTrailerFilter)) {
    replacement = co_await phases_.response_trailer_filter(session_, trailers, ctx_);
  }
  if (!session_.downstream_modules_.empty()) {
    auto made = co_await session_.downstream_modules_.response_trailer_filter(trailers);
    if (made) replacement = std::move(made);
  }
  if (replacement) {
    co_await downstream_.write_body(std::move(*replacement), EndOfStream::Yes);
  } else {
    co_await downstream_.write_trailers(trailers);
  }
}

// Whether a response to a gRPC call has begun and will not be completed.
bool Exchange::is_grpc_cut_off() const noexcept {
  const ResponseHeader* head = session_.response_written_;
  return downstream_.is_response_started() && !downstream_.is_response_done() &&
         error_->source() != ErrorSource::Downstream && is_grpc_request(session_.req_header()) &&
         head != nullptr && !head->headers().contains(HeaderId::ContentLength);
}

// Trailers say more to the client than a stream that is reset.
Task<> Exchange::end_grpc_response() {
  int status = default_error_status(*error_);
  HeaderMap trailers = grpc_error_trailers(grpc_status_of(status), "the response was cut off");
  Result<void> written = co_await downstream_.write_trailers(trailers).as_result();
  if (!written) downstream_.disable_keepalive();
}

// Gives the connection back before `logging`, which may take its time, and once nothing uses it:
// the request's half may be writing when the response is through.
void Exchange::release_upstream() {
  stop_closed_watch();
  if (overrides(Phase::Logging) || overrides(Phase::PersistConnectionContext)) {
    keep_response();
  } else {
    session_.response_written_ = nullptr;
  }
  session_.upstream_ = nullptr;
  proxy_.connector_->release(std::move(upstream_.session), *peer_);
}

// What phases may still ask about a response whose upstream session is about to go.
void Exchange::keep_response() {
  session_.upstream_body_bytes_received_ = upstream_.session->body_bytes_read();
  const ResponseHeader* written = session_.response_written_;
  bool is_own = session_.own_response_ && written == &*session_.own_response_;
  if (written == nullptr || is_own) return;
  kept_response_ = std::make_unique<Boxed<ResponseHeader>>();
  kept_response_->header = std::move(upstream_.session->resp_header());
  session_.response_written_ = &kept_response_->header;
}

// ---- The request's body.

Task<Outcome> Exchange::send_request_body() {
  // On a retry, what was read before comes first.
  bool is_sending = true;
  for (std::size_t i = 0; is_sending && i < retry_buffer_.pieces().size(); ++i) {
    is_sending = co_await send_body_piece(retry_buffer_.pieces()[i], EndOfStream::No);
  }
  if (downstream_.is_body_done()) {
    if (is_sending) is_sending = co_await send_body_piece({}, EndOfStream::Yes);
  }
  while (is_sending && !downstream_.is_body_done()) {
    Task<Bytes> reading = downstream_.read_body();
    if (!reading.is_ready()) {  // the client may wait for an answer to what was sent so far
      Result<void> sent = co_await upstream_.session->flush().as_result();
      if (!sent) {
        co_await keep_write_error(std::move(sent.error()));
        break;
      }
    }
    Bytes body = co_await std::move(reading);
    retry_buffer_.push(body);
    bool is_last = downstream_.is_body_done();
    is_sending =
        co_await send_body_piece(std::move(body), is_last ? EndOfStream::Yes : EndOfStream::No);
  }
  // Sent, or not to be sent: from here on the response decides.
  if (downstream_.is_body_done()) {
    is_watching_ = true;
    downstream_.start_closed_watch(*this);
  }
  co_await NeverOp();
  co_return Outcome::Done;
}

Task<> Exchange::filter_request_body(Bytes& body, EndOfStream end) {
  if (!session_.downstream_modules_.empty()) {
    co_await session_.downstream_modules_.request_body_filter(body, end);
  }
  if (overrides(Phase::RequestBodyFilter)) {
    co_await phases_.request_body_filter(session_, body, end, ctx_);
  }
}

// Passes a piece through the filters and on. False: the upstream takes no more.
Task<bool> Exchange::send_body_piece(Bytes body, EndOfStream end) {
  if (overrides(Phase::RequestBodyFilter) || !session_.downstream_modules_.empty()) {
    co_await filter_request_body(body, end);
  }
  ClientSession& upstream = *upstream_.session;
  Task<> writing;
  const HeaderMap* trailers = downstream_.request_trailers();
  if (downstream_.body_length().is_empty()) {
    if (!body.empty()) co_await Error::internal("a filter made a body for a request without one");
    writing = upstream.flush();
  } else if (upstream.is_request_done()) {  // it has closed: its response, if any, says why
    co_return false;
  } else if (end == EndOfStream::Yes && trailers != nullptr) {
    if (!body.empty()) co_await upstream.write_body(std::move(body), EndOfStream::No);
    writing = upstream.write_trailers(*trailers);
  } else if (!body.empty() || end == EndOfStream::Yes) {
    writing = upstream.write_body(std::move(body), end);
  }
  Result<void> written = co_await std::move(writing).as_result();
  if (!written) co_await keep_write_error(std::move(written.error()));
  co_return written.has_value();
}

// Where an upstream takes nothing more, it has nothing to say either: its time is up. And where the
// fault is ours (a filter made a body longer or shorter than announced), it would wait for the
// rest.
Result<void> Exchange::keep_write_error(Error error) {
  bool is_final =
      error.type() == ErrorType::WriteTimedout || error.source() == ErrorSource::Internal;
  if (is_final) return fail(std::move(error));
  write_error_ = std::move(error);
  return {};
}

}  // namespace pingora::internal
