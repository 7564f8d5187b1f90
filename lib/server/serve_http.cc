// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/serve_http.h"

#include <utility>

#include "pingora/base/log.h"

namespace pingora {

Response Response::text(StatusCode status, std::string_view text, std::string_view content_type) {
  Response response{ResponseHeader(status), Bytes::copy_of(text)};
  if (!response.header.insert_header("Content-Type", content_type)) {
    log_error("a response's content type is no header value");
  }
  response.header.set_content_length(text.size());
  return response;
}

Task<> ServeHttp::process_request(ServerSession& session, HttpConnection& connection) {
  (void)connection;
  Result<Response> made = co_await response(session).as_result();
  if (!made) {
    const Error& error = made.error();
    // A status that the app asks for, or a client that is gone or sent nonsense, is no news.
    bool is_news = error.status() == 0 && error.source() != ErrorSource::Downstream;
    log(is_news ? LogLevel::Error : LogLevel::Debug, "no response: {}", error.to_string());
    session.disable_keepalive();
    co_await write_error_response(session, error.status() == 0 ? 500 : error.status());
    co_return;
  }
  if (!made->header.headers().contains("Content-Length")) {
    made->header.set_content_length(made->body.size());
  }
  bool has_body = !made->body.empty() && session.req_header().method() != Method::Head;
  co_await session.write_head(made->header, has_body ? EndOfStream::No : EndOfStream::Yes);
  if (has_body) co_await session.write_body(std::move(made->body), EndOfStream::Yes);
}

}  // namespace pingora
