// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// A connection's life:
//
//   idle --first byte--> head --complete--> serving --finish--> idle | closing
//    |                    |                                       ^
//    | FIN, deadline      | refused: is answered, then closing    | body drained within bounds
//    v                    v
//   closed              closing: what the client still sends is dropped for a while, so that it
//                       reads the response before it learns that nobody reads
//
// Invariants:
//  [idle]   idle, there is no Exchange, and no buffer holds memory unless requests are pipelined;
//  [reuse]  the next head is read only from behind the last byte of a body that was decoded to its
//           end: keep_alive_ goes down when that can not be, and never up within a request.
#include "pingora/session/h1_server_session.h"

#include <algorithm>

#include "session/h1_server_exchange.h"
#include "session/session_metrics.h"

namespace pingora {

using internal::deadline_in;
using internal::H1BodyEncoder;
using internal::SessionMetrics;

H1ServerSession::H1ServerSession(std::unique_ptr<Stream> stream,
                                 const ServerSessionOptions& options)
    : transport_(std::move(stream), ErrorSource::Downstream),
      options_(options),
      keepalive_timeout_(options.keepalive_timeout),
      read_timeout_(options.body_read_timeout) {
  transport_.set_write_timeout(options.write_timeout);
}

H1ServerSession::H1ServerSession(Idle idle, const ServerSessionOptions& options)
    : H1ServerSession(std::move(idle.stream), options) {
  keepalive_timeout_ = idle.keepalive_timeout;
  requests_ = idle.requests;
}

H1ServerSession::Idle H1ServerSession::detach() {
  return {.stream = transport_.release_stream(),
          .keepalive_timeout = keepalive_timeout_,
          .deadline = idle_deadline_,
          .requests = requests_};
}

H1ServerSession::Http2Start H1ServerSession::detach_http2() {
  return {.stream = transport_.release_stream(), .received = std::move(transport_.input())};
}

void H1ServerSession::Idle::count_late() const {
  auto& metrics = SessionMetrics::get().downstream;
  (requests == 0 ? metrics.first_request_timeout : metrics.keepalive_timeout).add();
}

H1ServerSession::~H1ServerSession() { stop_closed_watch(); }

void H1ServerSession::disable_keepalive() noexcept { keep_alive_ = false; }
void H1ServerSession::set_keepalive_timeout(std::chrono::milliseconds timeout) noexcept {
  keepalive_timeout_ = timeout;
}
void H1ServerSession::set_read_timeout(std::chrono::milliseconds timeout) noexcept {
  read_timeout_ = timeout;
}
void H1ServerSession::set_write_timeout(std::chrono::milliseconds timeout) noexcept {
  transport_.set_write_timeout(timeout);
}

void H1ServerSession::begin_shutdown() noexcept {
  is_shutting_down_ = true;
  if (request_ != nullptr) keep_alive_ = false;
  if (is_idle_) {
    stream().interrupt_read(Error::explain(ErrorType::ConnectionClosed, "shutting down"));
  }
}

Task<bool> H1ServerSession::finish() {
  stop_closed_watch();
  if (request_ == nullptr) return false;
  Exchange& x = *exchange_;
  bool is_complete = is_response_done();
  if (!is_complete) keep_alive_ = false;
  if (is_shutting_down_ || x.is_tunnel) keep_alive_ = false;
  if (!transport_.is_writable()) {
    keep_alive_ = false;
    return false;
  }
  if (!is_complete && x.encoder.kind() == H1BodyEncoder::Kind::UntilClose) {
    stream().abort_on_close();  // the end of the stream would be that of the response
  }
  bool is_input_done = x.reader.is_done() && !x.is_input_lost;
  if (transport_.output().empty() && (is_input_done || x.is_tunnel)) return end_exchange();
  return finish_slowly();
}

// All is sent and read. The end that the last bytes may be held back for comes before the
// connection is closed: closing one with something unread would drop them.
bool H1ServerSession::end_exchange() {
  if (!keep_alive_ && is_response_done() && !exchange_->is_tunnel) stream().shutdown_write();
  return keep_alive_;
}

Task<bool> H1ServerSession::finish_slowly() {
  Exchange& x = *exchange_;
  if (auto sent = co_await transport_.send().as_result(); !sent || !is_response_done()) {
    keep_alive_ = false;
    co_return false;
  }
  if (x.reader.is_done() && !x.is_input_lost) co_return end_exchange();
  TimePoint deadline = deadline_in(options_.drain_timeout);
  std::size_t bytes_left = options_.drain_bytes_max;
  if (keep_alive_ && !x.is_input_lost && co_await drain(deadline, &bytes_left)) co_return true;
  keep_alive_ = false;
  co_await linger(deadline, bytes_left);
  co_return false;
}

// Reads the body to its end; false if it does not come within the bounds.
Task<bool> H1ServerSession::drain(TimePoint deadline, std::size_t* bytes_left) {
  Exchange& x = *exchange_;
  for (;;) {
    bool is_too_much = x.reader.remaining().value_or(0) > *bytes_left;
    while (auto piece = x.reader.next(transport_.input())) {
      if (!*piece) co_return false;
      is_too_much = is_too_much || (*piece)->size() > *bytes_left;
      *bytes_left -= std::min(*bytes_left, (*piece)->size());
      if (x.reader.is_done() && !is_too_much) co_return true;
      if (is_too_much) break;
    }
    if (is_too_much) {
      SessionMetrics::get().downstream.drain_bytes.add();
      *bytes_left = 0;
      co_return false;
    }
    if (saw_end_) co_return false;
    auto read = co_await as_result(stream().read(transport_.input(), deadline));
    if (!read && read.error().type() == ErrorType::ReadTimedout) {
      SessionMetrics::get().downstream.drain_timeout.add();
    }
    saw_end_ = !read || *read == 0;
  }
}

// Drops what comes until the client has closed, so that the kernel does not answer it with a reset,
// which would take the response away from the client (RFC 9112 §9.6).
Task<> H1ServerSession::linger(TimePoint deadline, std::size_t bytes_left) {
  stream().shutdown_write();
  transport_.input().reset();
  is_idle_ = true;  // a shutdown does not wait for this
  while (!saw_end_ && !is_shutting_down_) {
    auto read = co_await as_result(stream().read(transport_.input(), deadline));
    std::size_t size = transport_.input().size();
    transport_.input().reset();
    saw_end_ = !read || *read == 0 || size >= bytes_left;
    bytes_left -= std::min(bytes_left, size);
  }
}

}  // namespace pingora
