// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Raw bytes: behind a 101, and behind the 200 to CONNECT.
//
//   client --> up ----> upstream      open --end read, passed on--> half-closed --the other's-->
//   over
//          <-- down <--                 |                               |
//                                       +-- reset, idle for too long ---+---------------------->
//                                       over
//
// The end of one direction (FIN) is passed on, and the other goes on for as long as bytes come. One
// that cannot be written to any more has ended too: what its reader said before still counts.
#include <utility>

#include "exchange.h"
#include "pingora/runtime/combinators.h"

namespace pingora::internal {
namespace {

Task<> both(Task<> up, Task<> down) { co_await when_all(std::move(up), std::move(down)); }

bool has_closed(const Result<void>& result) {
  return !result && result.error().type() == ErrorType::ConnectionClosed;
}

}  // namespace

Task<> Exchange::tunnel(Task<> up, Task<> down) {
  auto first =
      co_await when_any(both(std::move(up), std::move(down)), downstream_.wait_until_tunnel_idle());
  Result<void> result = std::visit([](Result<void>& each) { return std::move(each); }, first);
  // Either side may close it, however it does that.
  if (!has_closed(result)) co_await std::move(result);
}

Task<> Exchange::tunnel_upgrade() {
  stop_closed_watch();
  downstream_.start_tunnel();
  upstream_.session->start_tunnel();
  co_await downstream_.flush();
  co_await tunnel(pump_upgrade_up(), pump_upgrade_down());
}

Task<> Exchange::pump_upgrade_up() {
  EndOfStream end = EndOfStream::No;
  while (end == EndOfStream::No) {
    Bytes body = co_await downstream_.read_body();
    if (body.empty()) end = EndOfStream::Yes;
    if (overrides(Phase::RequestBodyFilter)) {
      co_await phases_.request_body_filter(session_, body, end, ctx_);
    }
    Result<void> sent = co_await upstream_.session->write_body(std::move(body), end).as_result();
    if (sent) sent = co_await upstream_.session->flush().as_result();
    if (has_closed(sent)) co_return;
    co_await std::move(sent);
  }
}

Task<> Exchange::pump_upgrade_down() {
  EndOfStream end = EndOfStream::No;
  while (end == EndOfStream::No) {
    Bytes body = co_await upstream_.session->read_body();
    if (body.empty()) end = EndOfStream::Yes;
    Result<void> sent = co_await forward_body(std::move(body), end).as_result();
    if (sent) sent = co_await downstream_.flush().as_result();
    if (has_closed(sent)) co_return;
    co_await std::move(sent);
  }
}

Task<Outcome> Exchange::tunnel_connect() {
  auto response = std::make_unique<Boxed<ResponseHeader>>();
  session_.response_written_ = &response->header;
  kept_response_ = std::move(response);
  co_await downstream_.write_head(kept_response_->header, EndOfStream::No);
  downstream_.start_tunnel();
  co_await downstream_.flush();
  co_await tunnel(pump_connect_up(), pump_connect_down());
  co_return Outcome::Done;
}

Task<> Exchange::pump_connect_up() {
  for (;;) {
    Bytes bytes = co_await downstream_.read_body();
    if (bytes.empty()) break;
    std::chrono::milliseconds timeout = peer_->options.write_timeout;
    TimePoint deadline = timeout == kNoTimeout ? kNever : Clock::now() + timeout;
    Result<void> sent = co_await as_result(tunnel_.stream->write({bytes.view()}, deadline));
    if (has_closed(sent)) co_return;
    co_await std::move(sent);
  }
  tunnel_.stream->shutdown_write();
}

Task<> Exchange::pump_connect_down() {
  Buffer& received = tunnel_.received;
  EndOfStream end = EndOfStream::No;
  while (end == EndOfStream::No) {
    if (received.empty() && co_await tunnel_.stream->read(received) == 0) end = EndOfStream::Yes;
    Result<void> sent =
        co_await downstream_.write_body(received.take(received.size()), end).as_result();
    if (sent) sent = co_await downstream_.flush().as_result();
    if (has_closed(sent)) co_return;
    co_await std::move(sent);
  }
}

}  // namespace pingora::internal
