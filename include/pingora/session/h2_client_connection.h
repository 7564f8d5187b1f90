// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "pingora/base/buffer.h"
#include "pingora/net/stream.h"
#include "pingora/runtime/task.h"
#include "pingora/session/client_session.h"
#include "pingora/session/client_session_options.h"
#include "pingora/session/h2_options.h"
#include "pingora/session/stream_slots.h"

namespace pingora {

namespace internal {
class H2ClientCore;
}

/// The client's side of an HTTP/2 connection: carries many exchanges side by side, each of them a
/// ClientSession in a strand of its own, whichever worker's. A connection says by its slots how
/// many more it takes: one is taken before a session is made, which gives it back when it dies.
///
/// A handle: copies are the same connection. Any thread, unless a function says otherwise.
class H2ClientConnection {
 public:
  /// A connection on `stream`, which has only just been made: the preface is the first thing sent.
  /// No more than `streams_max` exchanges side by side, nor than the peer allows. Nothing is read
  /// or written before `run`.
  H2ClientConnection(std::unique_ptr<Stream> stream, H2Options options, std::uint32_t streams_max);

  /// Carries the exchanges until the connection has ended: its peer closed it, it failed, or it was
  /// closed to streams and its last exchange is over. `received` was read from the stream before.
  /// Runs once, in whichever strand is the connection's from then on. Cancelling it closes the
  /// connection; exchanges that are on it fail.
  Task<> run(Buffer received);

  /// Waits until the peer has said what it allows, which is the first thing it does. False: the
  /// connection ended before.
  Task<bool> wait_for_settings();

  /// A session for one exchange, which has taken a slot before; `options` outlives it.
  std::unique_ptr<ClientSession> new_session(const ClientSessionOptions& options);
  /// Whether a session was made before.
  bool is_used() const noexcept;

  internal::StreamSlots& slots() const noexcept;
  /// Takes no exchange any more, and ends with the last.
  void close();
  /// The same if no exchange is on it; returns whether it is closed now and was not before.
  bool close_if_idle();

 private:
  std::shared_ptr<internal::H2ClientCore> core_;  // shared with its sessions and `run`
};

}  // namespace pingora
