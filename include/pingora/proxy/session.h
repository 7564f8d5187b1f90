// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "pingora/base/bytes.h"
#include "pingora/http/end_of_stream.h"
#include "pingora/modules/http_module.h"
#include "pingora/runtime/task.h"
#include "pingora/server/http_app.h"
#include "pingora/session/client_session.h"
#include "pingora/session/server_session.h"

namespace pingora {

namespace internal {
class Exchange;
}

/// One request on its way through the proxy, as the phases of a program see it.
///
/// Lives from the request's head to the end of `logging`; a phase gets it by reference and may use
/// it until the phase ends. Runs in one strand: a phase may hand no reference to it to another
/// thread.
class Session {
 public:
  Session(ServerSession& downstream, HttpConnection& connection) noexcept
      : downstream_(downstream), connection_(connection) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The client's request.

  /// The request as it came, with the changes that filters made to it.
  RequestHeader& req_header() noexcept { return downstream_.req_header(); }
  const RequestHeader& req_header() const noexcept {
    return static_cast<const ServerSession&>(downstream_).req_header();
  }
  std::optional<std::string_view> get_header(HeaderName name) const noexcept {
    return req_header().get_header(name);
  }
  const SocketAddress& client_addr() const noexcept { return digest().peer_address; }
  SocketAddress server_addr() const { return downstream_.local_address(); }
  /// Addresses, TLS and time of the client's connection.
  const Digest& digest() const noexcept { return downstream_.digest(); }
  /// How many requests this connection has carried, this one included.
  std::uint64_t connection_requests() const noexcept { return connection_.requests; }

  /// The next piece of the request's body, empty at its end: for a program that answers by itself.
  /// What is read here is not sent upstream.
  Task<Bytes> read_request_body() { return downstream_.read_body(); }
  std::uint64_t body_bytes_read() const noexcept { return downstream_.body_bytes_read(); }

  // A response of the program's own, in place of the upstream's.

  /// An error page without a body, as `write_error_response` makes it. The connection is closed
  /// behind it. Does nothing if a response was begun. A gRPC call is answered with 200 and the
  /// grpc-status that `grpc_status_of(status)` gives.
  Task<> respond_error(int status);
  /// The same with a body, sent as text/plain unless `content_type` says otherwise; to a gRPC call
  /// as grpc-message.
  Task<> respond_error_with_body(int status, Bytes body,
                                 std::string_view content_type = "text/plain; charset=utf-8");
  /// Writes a head through the downstream modules; `end` Yes: there is no body. Without a
  /// Content-Length the body is chunked.
  Task<> write_response_header(ResponseHeader header, EndOfStream end);
  /// Writes a piece of the body through the downstream modules.
  Task<> write_response_body(Bytes body, EndOfStream end);
  /// The final head that was sent, whoever made it; null before that.
  const ResponseHeader* response_written() const noexcept { return response_written_; }
  std::uint64_t body_bytes_sent() const noexcept { return downstream_.body_bytes_sent(); }

  // The connection, and what is around.

  /// How long the connection may wait for the next request; nothing: it is closed behind this one.
  void set_keepalive(std::optional<std::chrono::milliseconds> timeout) noexcept;
  void set_read_timeout(std::chrono::milliseconds timeout) noexcept {
    downstream_.set_read_timeout(timeout);
  }
  void set_write_timeout(std::chrono::milliseconds timeout) noexcept {
    downstream_.set_write_timeout(timeout);
  }
  bool is_process_shutting_down() const noexcept { return connection_.shutdown.is_shutting_down(); }
  /// The modules of this request: `session.downstream_modules().get<MyModule>()`.
  HttpModuleContext& downstream_modules() noexcept { return downstream_modules_; }
  /// How often an upstream was chosen for this request so far: 1 in the first `upstream_peer`.
  unsigned tries() const noexcept { return tries_; }
  /// Bytes of the response's body that came from the upstream so far, in the last try.
  std::uint64_t upstream_body_bytes_received() const noexcept {
    return upstream_ != nullptr ? upstream_->body_bytes_read() : upstream_body_bytes_received_;
  }
  /// The session below, for what is not here.
  ServerSession& downstream() noexcept { return downstream_; }
  const ServerSession& downstream() const noexcept { return downstream_; }

 private:
  friend class internal::Exchange;

  ServerSession& downstream_;
  HttpConnection& connection_;
  HttpModuleContext downstream_modules_;
  ClientSession* upstream_ = nullptr;
  const ResponseHeader* response_written_ = nullptr;
  std::optional<ResponseHeader> own_response_;  // what response_written_ points to, if it is ours
  unsigned tries_ = 0;
  std::uint64_t upstream_body_bytes_received_ = 0;  // from a session that is gone
};

}  // namespace pingora
