// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/http_app.h"

namespace pingora {

Task<> HttpApp::process_refused(ServerSession& session, HttpConnection& connection, Error error) {
  (void)connection;
  return write_error_response(session, error.status() == 0 ? 400 : error.status());
}

Task<> write_error_response(ServerSession& session, int status) {
  if (session.is_response_started()) co_return;
  ResponseHeader header(StatusCode::from(status).value_or(StatusCode(500)));
  co_await header.insert_header("Server", kServerName);
  co_await header.insert_header("Content-Length", "0");
  co_await header.insert_header("Cache-Control", "private, no-store");
  co_await session.write_head(header, EndOfStream::Yes);
}

}  // namespace pingora
