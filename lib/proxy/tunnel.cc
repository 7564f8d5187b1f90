// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Raw bytes: behind a 101, and behind the 200 to CONNECT. The end of either direction ends both.
#include <utility>

#include "exchange.h"
#include "pingora/runtime/combinators.h"

namespace pingora::internal {
namespace {

// A tunnel ends when either side closes it, however it does that.
Result<void> ended(Result<void> result) {
  if (!result && result.error().type() == ErrorType::ConnectionClosed) return {};
  return result;
}

Result<void> first_of(std::variant<Result<void>, Result<void>> first) {
  return ended(std::visit([](Result<void>& each) { return std::move(each); }, first));
}

}  // namespace

Task<> Exchange::tunnel_upgrade() {
  stop_closed_watch();
  downstream_.start_tunnel();
  upstream_.session->start_tunnel();
  co_await downstream_.flush();
  co_await first_of(co_await when_any(pump_upgrade_up(), pump_upgrade_down()));
}

Task<> Exchange::pump_upgrade_up() {
  for (;;) {
    Bytes body = co_await downstream_.read_body();
    EndOfStream end = body.empty() ? EndOfStream::Yes : EndOfStream::No;
    if (overrides(Phase::RequestBodyFilter)) {
      co_await phases_.request_body_filter(session_, body, end, ctx_);
    }
    co_await upstream_.session->write_body(std::move(body), end);
    if (end == EndOfStream::Yes) co_return;
    co_await upstream_.session->flush();
  }
}

Task<> Exchange::pump_upgrade_down() {
  for (;;) {
    Bytes body = co_await upstream_.session->read_body();
    EndOfStream end = body.empty() ? EndOfStream::Yes : EndOfStream::No;
    co_await forward_body(std::move(body), end);
    if (end == EndOfStream::Yes) co_return;
    co_await downstream_.flush();
  }
}

Task<Outcome> Exchange::tunnel_connect() {
  auto response = std::make_unique<Boxed<ResponseHeader>>();
  session_.response_written_ = &response->header;
  kept_response_ = std::move(response);
  co_await downstream_.write_head(kept_response_->header, EndOfStream::No);
  downstream_.start_tunnel();
  co_await downstream_.flush();
  co_await first_of(co_await when_any(pump_connect_up(), pump_connect_down()));
  co_return Outcome::Done;
}

Task<> Exchange::pump_connect_up() {
  for (;;) {
    Bytes bytes = co_await downstream_.read_body();
    if (bytes.empty()) co_return;
    std::chrono::milliseconds timeout = peer_->options.write_timeout;
    TimePoint deadline = timeout == kNoTimeout ? kNever : Clock::now() + timeout;
    co_await tunnel_.stream->write({bytes.view()}, deadline);
  }
}

Task<> Exchange::pump_connect_down() {
  Buffer& received = tunnel_.received;
  for (;;) {
    if (received.empty() && co_await tunnel_.stream->read(received) == 0) co_return;
    co_await downstream_.write_body(received.take(received.size()), EndOfStream::No);
    co_await downstream_.flush();
  }
}

}  // namespace pingora::internal
