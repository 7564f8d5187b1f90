// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/proxy/session.h"

#include <utility>

#include "pingora/http/grpc.h"

namespace pingora {

namespace {

// A client that made a gRPC call looks for a grpc-status: to it, an HTTP status means little.
ResponseHeader grpc_response(int status, std::string_view message) {
  return grpc_error_response(grpc_status_of(status), message);
}

std::string_view reason_of(int status) {
  auto code = StatusCode::from(status);
  return code ? code->canonical_reason() : "";
}

}  // namespace

Task<> Session::respond_error(int status) {
  if (downstream_.is_response_started()) co_return;
  downstream_.disable_keepalive();
  own_response_.emplace(is_grpc_request(req_header()) ? grpc_response(status, reason_of(status))
                                                      : error_response(status));
  response_written_ = &*own_response_;
  co_await downstream_.write_head(*own_response_, EndOfStream::Yes);
}

Task<> Session::respond_error_with_body(int status, Bytes body, std::string_view content_type) {
  if (downstream_.is_response_started()) co_return;
  downstream_.disable_keepalive();
  if (is_grpc_request(req_header())) {
    co_await write_response_header(grpc_response(status, body.view()), EndOfStream::Yes);
    co_return;
  }
  ResponseHeader response = co_await ResponseHeader::build(status);
  co_await response.insert_header(HeaderId::Server, "Pingora");
  co_await response.insert_header(HeaderId::ContentType, content_type);
  co_await response.insert_header(HeaderId::CacheControl, "private, no-store");
  response.set_content_length(body.size());
  EndOfStream end = body.empty() ? EndOfStream::Yes : EndOfStream::No;
  co_await write_response_header(std::move(response), end);
  if (end == EndOfStream::No) co_await write_response_body(std::move(body), EndOfStream::Yes);
}

Task<> Session::write_response_header(ResponseHeader header, EndOfStream end) {
  own_response_.emplace(std::move(header));
  if (!downstream_modules_.empty()) {
    co_await downstream_modules_.response_header_filter(*own_response_, end);
  }
  if (!own_response_->status().is_informational()) response_written_ = &*own_response_;
  if (own_response_->status().is_informational()) {
    co_await downstream_.write_informational(*own_response_);
  } else {
    co_await downstream_.write_head(*own_response_, end);
  }
}

Task<> Session::write_response_body(Bytes body, EndOfStream end) {
  if (!downstream_modules_.empty()) {
    co_await downstream_modules_.response_body_filter(body, end);
  }
  co_await downstream_.write_body(std::move(body), end);
}

void Session::set_keepalive(std::optional<std::chrono::milliseconds> timeout) noexcept {
  if (timeout) {
    downstream_.set_keepalive_timeout(*timeout);
  } else {
    downstream_.disable_keepalive();
  }
}

}  // namespace pingora
