// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "pingora/base/bytes.h"
#include "pingora/http/response_header.h"
#include "pingora/server/http_app.h"

namespace pingora {

/// A whole response.
struct Response {
  ResponseHeader header;
  Bytes body;

  /// One with a text: Content-Type and Content-Length are set, and `text` is copied.
  static Response text(StatusCode status, std::string_view text,
                       std::string_view content_type = "text/plain; charset=utf-8");
};

/// An application that answers each request with a whole response: a server of its own, where a
/// proxy would be too much. Answers to Pingora's `ServeHttp`.
///
///     class Hello : public pingora::ServeHttp {
///       pingora::Task<pingora::Response> response(pingora::ServerSession&) override {
///         return pingora::Response::text(200, "hello\n");
///       }
///     };
///     server.add_service(pingora::ListeningService("hello", std::make_unique<Hello>()));
class ServeHttp : public HttpApp {
 public:
  /// Makes the response to the request whose head is in `session`, and whose body may be read from
  /// it. Content-Length is added if it is not there. An error is answered with its status, or 500.
  virtual Task<Response> response(ServerSession& session) = 0;

  Task<> process_request(ServerSession& session, HttpConnection& connection) override;
};

}  // namespace pingora
