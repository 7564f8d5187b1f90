// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/http_app.h"

#include "pingora/base/assert.h"

namespace pingora {

Task<> HttpApp::process_refused(ServerSession& session, HttpConnection& connection, Error error) {
  (void)connection;
  return write_error_response(session, error.status() == 0 ? 400 : error.status());
}

ResponseHeader error_response(int status) {
  ResponseHeader header(StatusCode::from(status).value_or(StatusCode(500)));
  bool is_made = header.insert_header(HeaderId::Server, kServerName) &&
                 header.insert_header(HeaderId::ContentLength, "0") &&
                 header.insert_header(HeaderId::CacheControl, "private, no-store");
  PINGORA_ASSERT(is_made);
  return header;
}

Task<> write_error_response(ServerSession& session, int status) {
  if (session.is_response_started()) co_return;
  ResponseHeader header = error_response(status);
  co_await session.write_head(header, EndOfStream::Yes);
}

}  // namespace pingora
