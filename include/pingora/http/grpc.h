// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora {

/// How a call ended, in its `grpc-status`. Those that a proxy itself has use for.
enum class GrpcStatus : std::uint8_t {
  Ok = 0,
  Unknown = 2,
  DeadlineExceeded = 4,
  PermissionDenied = 7,
  ResourceExhausted = 8,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
  Unauthenticated = 16,
};

/// Whether this is a gRPC call: HTTP/2 with a Content-Type of application/grpc, alone or with
/// +proto and the like. Not gRPC-web, which is another protocol.
bool is_grpc_request(const RequestHeader& request) noexcept;

/// What a call's client is to be told where another would get this HTTP status: as the gRPC
/// documentation's "HTTP to gRPC status code mapping" says, and DeadlineExceeded for 408 and 504,
/// ResourceExhausted for 413 and 431.
GrpcStatus grpc_status_of(int http_status) noexcept;

/// `text` as a `grpc-message` has it: percent-encoded but for printable ASCII, cut at 512 bytes.
std::string grpc_message(std::string_view text);

/// A response that is only a head ("trailers-only"): 200, with the status and a message.
ResponseHeader grpc_error_response(GrpcStatus status, std::string_view message);

/// The trailers that end a response which has begun.
HeaderMap grpc_error_trailers(GrpcStatus status, std::string_view message);

}  // namespace pingora
