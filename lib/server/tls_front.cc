// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// A connection that is to be secured:
//
//   accepted --> first bytes --+--> handshake --> complete: served
//                              |        |
//                              |        +-- fails, is late, is given up for another --> closed
//                              +-- plain HTTP: 400 --> the rest is read for a while --> closed
//
// Invariant [place]: a Place is held from before the connection's task is spawned until its
// handshake has ended; so `Handshakes` counts no more than there can be.
#include "server/tls_front.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "pingora/base/buffer.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/timer.h"
#include "pingora/tls/handshake.h"

namespace pingora::internal {
namespace {

// How often a full front looks whether the oldest handshake has become old enough.
constexpr auto kLookAgain = std::chrono::milliseconds(50);

constexpr std::string_view kNotTls =
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 68\r\n"
    "Connection: close\r\n"
    "\r\n"
    "This port speaks HTTPS, and the request came as plain HTTP, not TLS\n";
static_assert(kNotTls.size() - kNotTls.find("\r\n\r\n") - 4 == 68);

// What a client is still sending is read that long and that far after the 400, so that closing does
// not reset the connection before it has read the answer.
constexpr auto kLinger = std::chrono::seconds(2);
constexpr std::size_t kLingerBytesMax = 256 * 1024;

// A record of TLS begins with its type, of which all are below 0x20 (RFC 8446 §5.1); a request with
// a method.
bool looks_like_http(std::string_view received) {
  char first = received.front();
  return (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z');
}

Task<> wait_for(Event& event) { co_await event.wait(); }
Task<> wait_for(Duration time) { co_await sleep_for(time); }

// Best effort: what fails here was closing anyway.
Task<> refuse_plain_http(Stream& transport, Buffer received) {
  TimePoint deadline = coarse_now() + kLinger;
  Result<void> written = co_await as_result(transport.write({kNotTls}, deadline));
  if (!written) co_return;
  transport.shutdown_write();
  for (std::size_t left = kLingerBytesMax; left > 0;) {
    received.consume(received.size());
    Result<std::size_t> read = co_await as_result(transport.read(received, deadline));
    if (!read || *read == 0) co_return;
    left -= std::min(left, *read);
  }
}

}  // namespace

Handshakes::Place::Place(Handshakes& handshakes) : handshakes_(handshakes), begun_(coarse_now()) {
  handshakes_.size_.fetch_add(1);
  std::lock_guard lock(handshakes_.mutex_);
  handshakes_.places_.push_back(*this);
}

Handshakes::Place::~Place() {
  {
    std::lock_guard lock(handshakes_.mutex_);
    if (is_linked()) unlink();
  }
  if (handshakes_.size_.fetch_sub(1) == handshakes_.max_) handshakes_.has_room_.set();
}

void Handshakes::give_up_oldest() {
  std::lock_guard lock(mutex_);
  Place* oldest = places_.front();
  if (oldest == nullptr || coarse_now() - oldest->begun_ < kAgeMin) return;
  oldest->unlink();
  given_up_.fetch_add(1, std::memory_order_relaxed);
  oldest->given_up_.set();
}

// The time is for the oldest to age, and for accept loops beside this one, which reset the event
// too.
Task<> Handshakes::make_room() {
  while (is_full()) {
    give_up_oldest();
    has_room_.reset();
    if (!is_full()) co_return;
    co_await when_any(wait_for(has_room_), wait_for(Duration(kLookAgain)));
  }
}

Result<std::unique_ptr<TlsFront>> TlsFront::create(TlsSettings settings) {
  if (Result<void> valid = settings.validate(); !valid) return fail(std::move(valid.error()));
  Result<TlsServerContext::Ptr> context = TlsServerContext::create(std::move(settings));
  if (!context) return fail(std::move(context.error()));
  return std::make_unique<TlsFront>(std::move(*context));
}

TlsFront::TlsFront(TlsServerContext::Ptr context)
    : context_(std::move(context)), handshakes_(context_->settings().handshakes_max) {}

Task<std::unique_ptr<Stream>> TlsFront::accept(std::unique_ptr<Stream> transport,
                                               std::unique_ptr<Place> place) {
  TimePoint deadline = coarse_now() + context_->settings().handshake_timeout;
  auto first =
      co_await when_any(handshake(std::move(transport), deadline), wait_for(place->given_up()));
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  co_return Error::explain(ErrorType::TlsHandshakeTimedout,
                           "given up for another: too many handshakes at once")
      .into_down();
}

Task<std::unique_ptr<Stream>> TlsFront::handshake(std::unique_ptr<Stream> transport,
                                                  TimePoint deadline) {
  Buffer received;
  Result<std::size_t> read = co_await as_result(transport->read(received, deadline));
  if (!read || *read == 0) co_return said_nothing(std::move(read));
  if (looks_like_http(received.view())) {
    plain_http_.fetch_add(1, std::memory_order_relaxed);
    co_await refuse_plain_http(*transport, std::move(received));
    co_return Error::explain(ErrorType::InvalidHttpHeader, "plain HTTP on a port that speaks TLS")
        .into_down();
  }
  co_return co_await tls_accept(std::move(transport), std::move(received), *context_, deadline);
}

// As `tls_accept` counts it.
Error TlsFront::said_nothing(Result<std::size_t> read) {
  TlsServerCounters& counters = context_->counters();
  counters.failed.fetch_add(1, std::memory_order_relaxed);
  constexpr std::string_view kWhat = "the client has said nothing";
  if (read) return Error::explain(ErrorType::ConnectionClosed, kWhat).into_down();
  if (read.error().type() != ErrorType::ReadTimedout) {
    return std::move(read.error()).more_context(kWhat).into_down();
  }
  counters.timed_out.fetch_add(1, std::memory_order_relaxed);
  return Error::explain(ErrorType::TlsHandshakeTimedout, kWhat).into_down();
}

void TlsFront::add_stats(TlsListeningStats& stats) const {
  const TlsServerCounters& counters = context_->counters();
  auto value = [](const std::atomic<std::uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  stats.handshakes += value(counters.handshakes);
  stats.resumed += value(counters.resumed);
  stats.failed += value(counters.failed);
  stats.timed_out += value(counters.timed_out);
  stats.given_up += handshakes_.given_up();
  stats.plain_http += value(plain_http_);
  stats.handshaking += handshakes_.size();
}

}  // namespace pingora::internal
