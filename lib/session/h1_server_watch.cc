// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Noticing that the client has gone while nobody reads. One block of what it sends meanwhile is
// kept; then the watch rests, and the client waits.
#include "session/h1_server_exchange.h"

namespace pingora {
namespace {

constexpr std::size_t kKeptBytesMax = 16 * 1024;

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
  if (saw_end_ || stream().is_reading() || transport_.input().size() >= kKeptBytesMax) return;
  x.is_watch_armed = true;
  stream().start_readable_wait(*strand_, x.watch_job);
}

void H1ServerSession::look_later() {
  Exchange& x = *exchange_;
  if (x.is_watch_armed) x.watch_look.set(*strand_, coarse_now() + Stream::kLookAgainAfter);
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
  while (transport_.input().size() < kKeptBytesMax) {
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
    Error error = *read ? Error::explain(ErrorType::ConnectionClosed, "the client has gone")
                        : std::move(read->error());
    // The last thing done here: it may end the session.
    std::exchange(x.watch, nullptr)->on_downstream_closed(std::move(error).into_down());
    return;
  }
}

}  // namespace pingora
