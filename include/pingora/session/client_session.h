// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "pingora/base/bytes.h"
#include "pingora/base/error.h"
#include "pingora/http/end_of_stream.h"
#include "pingora/http/header_edits.h"
#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"
#include "pingora/net/digest.h"
#include "pingora/runtime/task.h"

namespace pingora {

/// The client's side of an HTTP conversation: HTTP/1 a connection, for one exchange at a time;
/// HTTP/2 a stream of one.
///
/// An exchange goes: `write_head`, then writing the body and reading the response at any pace, side
/// by side. `is_reusable` then says whether the connection may carry another. Writes are gathered
/// as in ServerSession.
///
/// Runs in one strand. Errors have source Upstream, and the retry type that fits: ReusedOnly where
/// a connection that was used before failed before any byte of a response, No otherwise.
class ClientSession {
 public:
  ClientSession() = default;
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;
  virtual ~ClientSession() = default;

  // The request.

  /// Begins an exchange. Hop-by-hop fields of `request` are left out and the framing that `body`
  /// calls for is put in; `edits` leaves out and adds fields on the way. `request` need not outlive
  /// the call.
  virtual Task<> write_head(const RequestHeader& request, const HeaderEdits& edits,
                            BodyLength body) = 0;
  /// A write that fails because the server has closed is no error of the writing: what follows is
  /// dropped, `is_request_done` is true, and `read_head` gives the response that the server sent
  /// before, or the error.
  virtual Task<> write_body(Bytes data, EndOfStream end) = 0;
  virtual Task<> write_trailers(const HeaderMap& trailers) = 0;
  virtual Task<> flush() = 0;
  virtual bool is_request_done() const noexcept = 0;

  // The response.

  /// Waits for the next head: 1xx ones first, then the final one, which `is_head_final` tells. The
  /// header is `resp_header`, valid until the next `read_head` or `write_head`.
  virtual Task<> read_head() = 0;
  ResponseHeader& resp_header() noexcept { return *response_; }
  bool is_head_final() const noexcept { return is_head_final_; }
  /// What the final head says of the body. Unknown: chunked, or up to the end of the connection.
  virtual BodyLength body_length() const noexcept = 0;
  virtual bool is_body_done() const noexcept = 0;
  /// The next piece; empty at the end.
  virtual Task<Bytes> read_body() = 0;
  /// Whether `read_body` or `read_head` has something to give without waiting.
  virtual bool has_buffered_input() const noexcept = 0;
  virtual const HeaderMap* response_trailers() const noexcept = 0;
  virtual std::uint64_t body_bytes_read() const noexcept = 0;

  /// Turns both directions into raw bytes; behind a 101 whose accept key fits the request's key
  /// (`read_head` has checked that), or a 2xx to CONNECT.
  virtual void start_tunnel() = 0;

  // The connection.

  /// Ends a read that waits, or else the next one that has to, with `error`: the client downstream
  /// has gone. What has arrived can still be read before.
  virtual void interrupt(Error error) = 0;
  /// Whether the connection was used before this exchange.
  virtual bool is_reused() const noexcept = 0;
  /// Whether the exchange is complete and left the connection fit for another.
  virtual bool is_reusable() const noexcept = 0;
  virtual void set_read_timeout(std::chrono::milliseconds timeout) noexcept = 0;
  virtual void set_write_timeout(std::chrono::milliseconds timeout) noexcept = 0;
  virtual const Digest& digest() const noexcept = 0;
  /// The socket, or -1.
  virtual int fd() const noexcept = 0;

 protected:
  ResponseHeader* response_ = nullptr;  // the derived class's, while there is an exchange
  bool is_head_final_ = false;
};

}  // namespace pingora
