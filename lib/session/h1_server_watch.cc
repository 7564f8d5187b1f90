// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Noticing that the client has gone while nobody reads. One block of what it sends meanwhile is
// kept; then the client waits, and the system is asked now and then whether it is still there. (It
// knows, but for a client that left with more under way than the kernel's buffer holds: that one
// is found out as any other that says nothing, by the deadlines of what is done for it.)
#include "session/h1_server_exchange.h"

namespace pingora {
namespace {

constexpr std::size_t kKeptBytesMax = 16 * 1024;

Error has_gone() { return Error::explain(ErrorType::ConnectionClosed, "the client has gone"); }

}  // namespace

void H1ServerSession::start_closed_watch(ClosedWatch& watch) {
  exchange_->watch = &watch;
  arm_watch();
  look_later();
}

void H1ServerSession::stop_closed_watch() noexcept {
  if (exchange_ == nullptr) return;
  disarm_watch();
  exchange_->watch = nullptr;
}

void H1ServerSession::arm_watch() {
  Exchange& x = *exchange_;
  if (x.watch == nullptr || x.is_watch_armed) return;
  if (saw_end_ || stream().is_reading() || is_watch_full()) return;
  x.is_watch_armed = true;
  stream().start_readable_wait(*strand_, x.watch_job);
}

bool H1ServerSession::is_watch_full() const noexcept {
  return transport_.input().size() >= kKeptBytesMax;
}

void H1ServerSession::look_later() {
  Exchange& x = *exchange_;
  bool may_miss = x.is_watch_armed && !stream().tells_failure();
  bool is_worth_it = may_miss || (x.watch != nullptr && !saw_end_ && is_watch_full());
  if (is_worth_it) x.watch_look.set(*strand_, coarse_now() + Stream::kLookAgainAfter);
}

void H1ServerSession::disarm_watch() noexcept {
  Exchange& x = *exchange_;
  x.watch_look.lift();
  if (!std::exchange(x.is_watch_armed, false)) return;
  stream().cancel_readable_wait(*strand_, x.watch_job);
}

void H1ServerSession::on_readable() {
  Exchange& x = *exchange_;
  x.is_watch_armed = false;
  x.watch_look.lift();  // whatever this finds, it has been looked at
  stream().note_readable();
  while (!is_watch_full()) {
    auto read = stream().try_read(transport_.input());
    if (!read) {
      arm_watch();
      look_later();
      return;
    }
    if (*read && **read != 0) continue;
    saw_end_ = true;
    keep_alive_ = keep_alive_ && !transport_.input().empty();
    if (x.watch == nullptr || (*read && options_.half_close == HalfClose::KeepServing)) return;
    tell_watch(*read ? has_gone() : std::move(read->error()));
    return;
  }
  look_at_peer();
}

// Nothing more can be read for now.
void H1ServerSession::look_at_peer() {
  if (exchange_->watch == nullptr) return;
  Stream::PeerState state = stream().peer_state();
  bool is_gone = state == Stream::PeerState::Gone || (state == Stream::PeerState::SendsNoMore &&
                                                      options_.half_close == HalfClose::IsGone);
  if (is_gone) {
    tell_watch(has_gone());
  } else {
    look_later();
  }
}

// The last thing done by whoever calls it: it may end the session.
void H1ServerSession::tell_watch(Error error) {
  std::exchange(exchange_->watch, nullptr)->on_downstream_closed(std::move(error).into_down());
}

}  // namespace pingora
