// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The read side of a server session: heads, and bodies with their deadlines.
#include <algorithm>
#include <utility>

#include "session/h1_server_exchange.h"
#include "session/session_metrics.h"
#include "session/upgrade.h"

namespace pingora {

using internal::deadline_in;
using internal::SessionMetrics;

namespace {

// Waits that are given up early are given up together, so that a busy worker's timer is not set
// once for each of them.
TimePoint in_step(TimePoint time) {
  constexpr Duration kStep = std::chrono::milliseconds(16);
  return TimePoint((time.time_since_epoch() / kStep + 1) * kStep);
}

// What a client of HTTP/2 sends first: a request that no HTTP/1 server understands.
constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// How much later a connection is given up that has shown that its requests come in quick
// succession: setting its timer anew every few milliseconds is not worth the memory.
constexpr std::uint32_t kBusyRequests = 16;
constexpr int kBusyFactor = 64;

bool is_timeout(const Error& error) { return error.type() == ErrorType::ReadTimedout; }

void count_refusal(int status) {
  auto& metrics = SessionMetrics::get().downstream;
  if (status == 414) metrics.start_line.add();
  if (status == 431) metrics.head.add();
  if (status == 408) metrics.head_timeout.add();
}

}  // namespace

// Heads.

Task<bool> H1ServerSession::read_request() {
  stop_closed_watch();
  exchange_.reset();
  request_ = nullptr;
  is_response_started_ = false;
  is_idle_ = false;
  if (!keep_alive_ || is_shutting_down_ || !transport_.is_writable()) return false;
  if (strand_ != nullptr && !transport_.input().empty()) {
    if (auto done = parse_head()) return std::move(*done);
  }
  return wait_for_request();
}

Task<bool> H1ServerSession::wait_for_request() {
  strand_ = &co_await current_strand();
  bool is_in_head = !transport_.input().empty();
  is_idle_ = !is_in_head;
  const TimePoint now = coarse_now();
  auto from_now = [now](std::chrono::milliseconds timeout) {
    return timeout.count() <= 0 ? kNever : now + timeout;
  };
  TimePoint deadline = from_now(is_in_head       ? options_.head_timeout
                                : requests_ == 0 ? options_.first_request_timeout
                                                 : keepalive_timeout_);
  // A wait that is to be given up before its deadline has it in `idle_deadline_`.
  if (is_idle_ && detach_after_.count() != 0) {
    auto detach_after = requests_ < kBusyRequests ? detach_after_ : detach_after_ * kBusyFactor;
    TimePoint detach_at = in_step(now + detach_after);
    if (detach_at < deadline) idle_deadline_ = std::exchange(deadline, detach_at);
  }
  for (;;) {
    Result<std::size_t> read = std::size_t{0};
    if (!saw_end_) read = co_await as_result(stream().read(transport_.input(), deadline));
    if (is_detachable()) {
      if (!read && is_timeout(read.error())) co_return false;
      idle_deadline_ = TimePoint::min();
    }
    if (!read || *read == 0) co_return give_up_head(std::move(read), is_in_head);
    is_idle_ = false;
    if (auto done = parse_head()) co_return std::move(*done).take_ready();
    if (!is_in_head) deadline = deadline_in(options_.head_timeout);
    is_in_head = true;
  }
}

// Whether what came so far is the preface, or may become it.
bool H1ServerSession::may_be_http2() noexcept {
  std::string_view input = transport_.input().view();
  is_http2_ = input.starts_with(kHttp2Preface);
  return is_http2_ || kHttp2Preface.starts_with(input);
}

// Nothing, if the head is not complete.
std::optional<Task<bool>> H1ServerSession::parse_head() {
  if (exchange_ == nullptr) exchange_ = std::make_unique<Exchange>(*this);
  if (detects_http2_ && requests_ == 0 && may_be_http2()) {
    return is_http2_ ? std::optional<Task<bool>>(false) : std::nullopt;
  }
  Exchange& x = *exchange_;
  h1::ParseResult parsed =
      h1::parse_request_head(transport_.input(), x.progress, options_.parser, x.header);
  switch (parsed.status) {
    case h1::ParseStatus::NeedMore: return std::nullopt;
    case h1::ParseStatus::Error: return refuse(parsed.error.status, parsed.error.reason);
    case h1::ParseStatus::Done: break;
  }
  return accept_head();
}

Task<bool> H1ServerSession::accept_head() {
  Exchange& x = *exchange_;
  const HeaderMap& headers = x.header.headers();
  auto framing = h1::request_framing(x.header);
  if (!framing) return refuse(framing.error().status, framing.error().reason);
  request_ = &x.header;
  x.reader.start(*framing, h1::MessageRole::Request, options_.parser);
  if (x.header.version() == Version::Http11) {
    x.accepts_trailers =
        headers.present().contains(HeaderId::Te) && headers.has_token(HeaderId::Te, "trailers");
    x.expects_continue = !x.reader.is_done() && headers.contains(HeaderId::Expect) &&
                         equals_ignoring_case(*headers.get(HeaderId::Expect), "100-continue");
  }
  const SslDigest* ssl = digest().ssl.get();
  is_early_ = ssl != nullptr && ssl->has_early_data && transport_.stream().may_be_replayed();
  if (is_early_ && !x.header.method().is_safe()) {
    return refuse(425, "not a safe method, and in early data of TLS");
  }
  ++requests_;
  keep_alive_ = !is_shutting_down_ && h1::keep_alive(x.header) == h1::KeepAlive::Yes;
  if (keep_alive_ && requests_ == options_.requests_per_connection_max) {
    SessionMetrics::get().downstream.requests_per_connection.add();
    keep_alive_ = false;
  }
  return true;
}

// The request is not served, and nothing behind it is looked at.
Error H1ServerSession::refuse(int status, std::string_view reason) {
  count_refusal(status);
  ++requests_;
  request_ = &exchange_->header;
  exchange_->is_input_lost = true;
  keep_alive_ = false;
  return Error::explain(ErrorType::InvalidHttpHeader, reason).with_status(status).into_down();
}

// The stream gave an error, or its end, where a head was to come.
Result<bool> H1ServerSession::give_up_head(Result<std::size_t> read, bool is_in_head) {
  saw_end_ = read.has_value();
  keep_alive_ = false;
  bool is_late = !read && is_timeout(read.error());
  if (is_in_head && is_late) return fail(refuse(408, "the head did not come in time"));
  if (is_in_head && saw_end_) return fail(refuse(400, "the connection ended within the head"));
  if (is_late) {
    auto& metrics = SessionMetrics::get().downstream;
    (requests_ == 0 ? metrics.first_request_timeout : metrics.keepalive_timeout).add();
  }
  exchange_.reset();
  return false;
}

// Bodies.

BodyLength H1ServerSession::body_length() const noexcept { return exchange_->reader.length(); }

bool H1ServerSession::is_body_done() const noexcept { return exchange_->reader.is_done(); }
const HeaderMap* H1ServerSession::request_trailers() const noexcept {
  return exchange_->reader.trailers();
}
std::uint64_t H1ServerSession::body_bytes_read() const noexcept {
  return exchange_ == nullptr ? 0 : exchange_->reader.bytes();
}
bool H1ServerSession::is_upgrade_request() const noexcept {
  return !internal::requested_upgrade(exchange_->header, options_.upgrade_protocols).empty();
}

Task<Bytes> H1ServerSession::read_body() {
  Exchange& x = *exchange_;
  if (x.is_input_lost) {
    return Error::explain(ErrorType::InvalidHttpHeader, "a body that can not be read").into_down();
  }
  if (auto piece = next_piece()) return std::move(*piece);
  disarm_watch();
  if (!saw_end_) {
    if (auto read = stream().try_read(transport_.input())) {
      if (auto piece = take_read(std::move(*read))) return std::move(*piece);
    }
  }
  return wait_for_body();
}

// The next piece out of what was read; nothing if it is not there.
std::optional<Result<Bytes>> H1ServerSession::next_piece() {
  Exchange& x = *exchange_;
  std::uint64_t bytes_max = options_.body_bytes_max;
  auto is_too_large = [&] {
    return bytes_max != 0 && !x.is_tunnel &&
           std::max(x.reader.framing().content_length, x.reader.bytes()) > bytes_max;
  };
  internal::H1BodyReader::Next next;
  if (!is_too_large()) next = x.reader.next(transport_.input());
  if (is_too_large()) {
    SessionMetrics::get().downstream.body_bytes.add();
    keep_alive_ = false;
    return fail(Error::http_status(413, "the request's body is too large").into_down());
  }
  if (!next) return std::nullopt;
  if (*next) return std::move(**next);
  keep_alive_ = false;
  x.is_input_lost = true;
  return fail(Error::explain(ErrorType::InvalidHttpHeader, next->error().reason)
                  .with_status(next->error().status)
                  .into_down());
}

Task<Bytes> H1ServerSession::wait_for_body() {
  for (;;) {
    TimePoint began = coarse_now();
    Result<std::size_t> read = std::size_t{0};
    if (!saw_end_) read = co_await as_result(stream().read(transport_.input(), body_deadline()));
    if (!awaits_continue()) exchange_->pace.add_wait(coarse_now() - began);
    if (auto piece = take_read(std::move(read))) co_return std::move(*piece);
  }
}

// What a read of the body means: a piece, an error, or nothing if more has to be read.
std::optional<Result<Bytes>> H1ServerSession::take_read(Result<std::size_t> read) {
  if (!read) {
    keep_alive_ = false;
    if (is_timeout(read.error())) {
      // Bytes that went the other way have put it off.
      if (exchange_->is_tunnel && tunnel_idle_at() > coarse_now()) return std::nullopt;
      return fail(body_timed_out());
    }
    saw_end_ = true;
    return fail(std::move(read.error()).into_down());
  }
  if (*read == 0) return body_ended();
  if (exchange_->is_tunnel) note_tunnel_bytes();
  auto piece = next_piece();
  if (piece) arm_watch();
  return piece;
}

Result<Bytes> H1ServerSession::body_ended() {
  saw_end_ = true;
  keep_alive_ = false;
  if (auto end = exchange_->reader.end_of_stream(); !end) {
    return fail(Error::explain(ErrorType::ConnectionClosed, end.error().reason).into_down());
  }
  return Bytes();
}

// Whether it is the client that waits, for a 100 (RFC 9110 §10.1.1).
bool H1ServerSession::awaits_continue() const noexcept {
  return exchange_->expects_continue && exchange_->reader.bytes() == 0;
}

Duration H1ServerSession::body_rate_left() const noexcept {
  if (awaits_continue()) return Duration::max();
  return exchange_->pace.left(options_, exchange_->reader.bytes());
}

// The earlier of: too long without a byte, and too slow on the whole.
TimePoint H1ServerSession::body_deadline() const noexcept {
  if (exchange_->is_tunnel) return tunnel_idle_at();
  TimePoint deadline = deadline_in(read_timeout_);
  Duration left = body_rate_left();
  return left == Duration::max() ? deadline : std::min(deadline, coarse_now() + left);
}

Error H1ServerSession::body_timed_out() {
  if (exchange_->is_tunnel) return tunnel_timed_out();
  auto& metrics = SessionMetrics::get().downstream;
  constexpr Duration kClockError = std::chrono::milliseconds(10);
  (body_rate_left() <= kClockError ? metrics.body_rate : metrics.body_timeout).add();
  return Error::explain(ErrorType::ReadTimedout, "the request's body stalled, or came too slowly")
      .with_status(408)
      .into_down();
}

}  // namespace pingora
