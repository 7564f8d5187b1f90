// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "pingora/base/buffer.h"
#include "pingora/net/stream.h"
#include "pingora/runtime/task.h"
#include "pingora/session/server_session.h"
#include "pingora/session/server_session_options.h"

namespace pingora {

/// The server's side of an HTTP/2 connection. Each request on it is a session of its own, which may
/// be used in a strand of its own and outlive the connection: then everything but `finish` fails
/// with ConnectionClosed.
///
/// What such a session does differently: `read_request` gives its one request, and then false;
/// Keep-Alive and begin_shutdown are the connection's business, and change nothing; an extended
/// CONNECT for a WebSocket (RFC 8441) is shown as the GET with Upgrade that it is in HTTP/1.1, to
/// be answered with 101.
class H2ServerConnection {
 public:
  /// Has requests served.
  class Acceptor {
   public:
    /// Called in the connection's strand, for each request when its head has come; not to wait or
    /// to compute for long in, for that holds up the whole connection. At most
    /// `H2Options::engine.concurrent_streams_max` sessions are alive at once.
    virtual void accept(std::unique_ptr<ServerSession> session) = 0;

   protected:
    ~Acceptor() = default;
  };

  /// `options` outlives the connection and its sessions. The stream is closed with the last of
  /// these.
  H2ServerConnection(std::unique_ptr<Stream> stream, const ServerSessionOptions& options);
  H2ServerConnection(const H2ServerConnection&) = delete;
  H2ServerConnection& operator=(const H2ServerConnection&) = delete;
  ~H2ServerConnection();

  /// Serves the connection until it has ended: the client has gone, broke the rules or was idle for
  /// too long, or it was shut down and the last request is through. `received` was read from the
  /// stream before. Gives an error if the stream failed. Cancelling it ends the connection and its
  /// streams. Once; `acceptor` outlives it.
  Task<> serve(Buffer received, Acceptor& acceptor);

  /// Has the connection end with the requests that are on it, or on their way (RFC 9113 §6.8): in
  /// the strand that `serve` runs in, while it does.
  void begin_shutdown() noexcept;

 private:
  class Core;
  std::shared_ptr<Core> core_;  // shared with its sessions
};

}  // namespace pingora
