// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "pingora/base/bytes.h"
#include "pingora/base/clock.h"
#include "pingora/base/error.h"
#include "pingora/http/end_of_stream.h"
#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"
#include "pingora/net/digest.h"
#include "pingora/runtime/task.h"

namespace pingora {

/// Told, in the session's strand and at most once, that the client is gone while nobody was
/// reading.
class ClosedWatch {
 public:
  virtual void on_downstream_closed(Error error) = 0;

 protected:
  ~ClosedWatch() = default;
};

/// The server's side of an HTTP conversation: HTTP/1 a connection, which serves one request after
/// the other; HTTP/2 a stream, which serves one; or a subrequest. The proxy knows only this.
///
/// A request goes: `read_request`, then reading the body and writing the response at any pace, side
/// by side, then `finish`. Writes are gathered: bytes leave when enough are there, with the end of
/// the response, or on `flush`. Where the connection ends with the response, its last bytes may go
/// with that end: `finish` should follow at once, or `flush`. A write waits while the client does
/// not read.
///
/// Runs in one strand. All waits have the deadlines of the session's options. Errors have source
/// Downstream. After an error, and after cancelling anything that writes, only `finish` and
/// destroying are left; cancelling a read loses nothing.
class ServerSession {
 public:
  ServerSession() = default;
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;
  virtual ~ServerSession() = default;

  // The request.

  /// Waits for a request's head. False: the client left, or was idle for too long, between
  /// requests. InvalidHttpHeader, with `Error::status()` the status to answer (400, 408, 414, 431,
  /// 501, 505), for a head that is refused; `req_header` then holds what was understood of it. The
  /// connection is not reused after that.
  virtual Task<bool> read_request() = 0;
  /// The request being served: from a `read_request` that did not give false to the next call of
  /// it. An idle connection holds none.
  RequestHeader& req_header() noexcept { return *request_; }
  const RequestHeader& req_header() const noexcept { return *request_; }

  /// What the head says of the body.
  virtual BodyLength body_length() const noexcept = 0;
  /// Whether all of the body was read; at once for a request without one.
  virtual bool is_body_done() const noexcept = 0;
  /// The next piece of the body, as it arrives; empty at its end. Errors: ReadTimedout (stalled, or
  /// slower than the minimum rate), ConnectionClosed, InvalidHttpHeader (bad framing, status 400),
  /// HttpStatus 413.
  virtual Task<Bytes> read_body() = 0;
  /// The trailers, once the body is done; null if there are none.
  virtual const HeaderMap* request_trailers() const noexcept = 0;
  virtual std::uint64_t body_bytes_read() const noexcept = 0;

  /// Whether the request came in early data of TLS, so that somebody else may have sent it again: a
  /// safe one, for others are refused with 425. It goes upstream with `Early-Data: 1` (RFC 8470).
  bool is_early() const noexcept { return is_early_; }

  /// Whether this asks to change protocols to one on the allow-list (websocket), with all it takes.
  virtual bool is_upgrade_request() const noexcept = 0;

  // The response.

  /// Writes a 1xx response, at once. Before the final head only. 101 is written by `write_head`.
  virtual Task<> write_informational(const ResponseHeader& header) = 0;
  /// Writes the head. Hop-by-hop fields are left out, Date, Connection and framing are added; the
  /// header itself stays as it is. Not before `read_request`, and once.
  /// `end` Yes: there is no body.
  virtual Task<> write_head(const ResponseHeader& header, EndOfStream end) = 0;
  /// Writes a piece of the body. More bytes than a Content-Length announced are an error
  /// (InternalError), and so is `end` before they all came.
  virtual Task<> write_body(Bytes data, EndOfStream end) = 0;
  /// Ends the body with trailers, which are dropped where the client or the framing has no use for
  /// them.
  virtual Task<> write_trailers(const HeaderMap& trailers) = 0;
  /// Sends what was gathered.
  virtual Task<> flush() = 0;
  bool is_response_started() const noexcept { return is_response_started_; }
  virtual bool is_response_done() const noexcept = 0;
  virtual std::uint64_t body_bytes_sent() const noexcept = 0;

  /// Turns both directions into raw bytes, for `read_body` and `write_body`; behind a written 101,
  /// or a 2xx to CONNECT. What came behind the head is the first of them. The end of either
  /// direction is that of its own only.
  virtual void start_tunnel() = 0;
  /// Ends, with ReadTimedout, once a tunnel has been without a byte in either direction for as long
  /// as the session's options allow; never before. For a branch beside those that copy, of which
  /// one may have ended and the other wait for a peer that says nothing.
  Task<> wait_until_tunnel_idle();

  // The end, and the connection.

  /// Ends the exchange: sends the rest, reads and drops what is left of the request's body within
  /// bounds, and says whether another request may follow. A response that was begun and is not
  /// complete closes the connection so that the client notices. Gives no error.
  virtual Task<bool> finish() = 0;
  /// No further request on this connection.
  virtual void disable_keepalive() noexcept = 0;
  virtual bool is_keepalive_enabled() const noexcept = 0;
  /// How long to wait for the next request; for this and the later ones.
  virtual void set_keepalive_timeout(std::chrono::milliseconds timeout) noexcept = 0;
  virtual void set_read_timeout(std::chrono::milliseconds timeout) noexcept = 0;
  virtual void set_write_timeout(std::chrono::milliseconds timeout) noexcept = 0;
  /// Serves what it is serving, announces the end with it, and takes nothing new; an idle session
  /// ends at once.
  virtual void begin_shutdown() noexcept = 0;

  /// Notices the client leaving while the body is not being read, until `stop_closed_watch`. Costs
  /// no system call. Bytes of a next request are kept and are no sign of leaving.
  virtual void start_closed_watch(ClosedWatch& watch) = 0;
  virtual void stop_closed_watch() noexcept = 0;

  /// Addresses, TLS and time of the connection.
  virtual const Digest& digest() const noexcept = 0;
  /// The address that the client connected to; asked from the system each time. None where there is
  /// no such thing.
  virtual SocketAddress local_address() const { return {}; }

 protected:
  /// For `start_tunnel` to call: from now on the tunnel may be idle for `timeout`; 0: for ever.
  void start_tunnel_clock(std::chrono::milliseconds timeout) noexcept;
  /// For each byte, or batch of them, that goes either way.
  void note_tunnel_bytes() noexcept { tunnel_active_at_ = coarse_now(); }
  /// When the tunnel has been idle for too long, unless bytes come; kNever if it may be.
  TimePoint tunnel_idle_at() const noexcept;
  /// What a tunnel ends with then. Counts it.
  static Error tunnel_timed_out();

  RequestHeader* request_ = nullptr;  // the derived class's, while there is a request
  bool is_response_started_ = false;
  bool is_early_ = false;

 private:
  std::chrono::milliseconds tunnel_idle_timeout_{0};
  TimePoint tunnel_active_at_ = kNever;
};

}  // namespace pingora
