// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <cstdint>
#include <string_view>

#include "pingora/base/error.h"
#include "pingora/runtime/shutdown_watch.h"
#include "pingora/runtime/task.h"
#include "pingora/session/server_session.h"

namespace pingora {

/// What responses of our own say in their Server field.
inline constexpr std::string_view kServerName = "Pingora";

/// What lasts as long as a client's connection, over all its requests.
struct HttpConnection {
  /// Set once the server is going away.
  ShutdownWatch& shutdown;
  /// What an application keeps from one request to the next.
  std::any persisted;
  /// Requests whose head was read, the current one included.
  std::uint64_t requests = 0;
};

/// An application that answers HTTP requests: a proxy, or a server of its own. One object serves
/// all connections of a service, from all workers at once.
class HttpApp {
 public:
  virtual ~HttpApp() = default;

  /// Answers the request whose head `session` has just read. When it returns, the caller finishes
  /// the session, and reads the next request if there may be one. An error closes the connection.
  virtual Task<> process_request(ServerSession& session, HttpConnection& connection) = 0;

  /// Answers a request whose head was refused: `error.status()` says with what. The default writes
  /// an error page. The connection is closed behind it.
  virtual Task<> process_refused(ServerSession& session, HttpConnection& connection, Error error);
};

/// The head of an error page without a body, as Pingora's are: Server, Content-Length 0 and
/// `Cache-Control: private, no-store`. A `status` that is none gives 500.
ResponseHeader error_response(int status);

/// Writes `error_response(status)`, which is a complete response. Does nothing if one was begun.
Task<> write_error_response(ServerSession& session, int status);

}  // namespace pingora
