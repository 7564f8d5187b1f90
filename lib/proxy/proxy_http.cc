// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// What the phases do by default, where that is more than nothing.
#include "pingora/proxy/proxy_http.h"

#include <utility>

namespace pingora::internal {

int default_error_status(const Error& error) noexcept {
  if (error.status() != 0) return error.status();
  ErrorType type = error.type();
  switch (error.source()) {
    case ErrorSource::Upstream:
      return type == ErrorType::ReadTimedout || type == ErrorType::WriteTimedout ||
                     type == ErrorType::ConnectTimedout || type == ErrorType::TlsHandshakeTimedout
                 ? 504
                 : 502;
    case ErrorSource::Downstream:
      switch (type) {
        case ErrorType::WriteError:
        case ErrorType::WriteTimedout:
        case ErrorType::ReadError:
        case ErrorType::ConnectionClosed: return 0;
        case ErrorType::ReadTimedout: return 408;
        default: return 400;
      }
    case ErrorSource::Internal:
    case ErrorSource::Unset: break;
  }
  return 500;
}

Task<FailToProxy> default_fail_to_proxy(Session& session, const Error& error) {
  int status = session.downstream().is_response_started() ? 0 : default_error_status(error);
  if (status != 0) {
    if (error.peer_text().empty()) {
      co_await session.respond_error(status);
    } else {
      co_await session.respond_error_with_body(status, Bytes::copy_of(error.peer_text()));
    }
  }
  co_return FailToProxy{.error_code = status, .can_reuse_downstream = false};
}

std::string default_request_summary(const Session& session) {
  const RequestHeader& request = session.req_header();
  std::string summary(request.method().text());
  summary += ' ';
  append_escaped(summary, request.raw_target());
  summary += ", Host: ";
  append_escaped(summary, request.get_header(HeaderId::Host).value_or(""));
  return summary;
}

Error default_error_while_proxy(const HttpPeer& peer, Error error, ConnectionReuse reuse,
                                bool can_replay) {
  error.decide_reuse(reuse == ConnectionReuse::Reused && can_replay);
  error.add_context("Peer: " + peer.to_string());
  return error;
}

}  // namespace pingora::internal
