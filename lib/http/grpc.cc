// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/grpc.h"

#include "pingora/base/assert.h"

namespace pingora {
namespace {

constexpr std::size_t kMessageBytesMax = 512;
constexpr std::string_view kContentType = "application/grpc";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

void set_status(HeaderMap& headers, GrpcStatus status, std::string_view message) {
  bool is_set = headers.insert(HeaderId::GrpcStatus, std::to_string(static_cast<int>(status))) &&
                (message.empty() || headers.insert(HeaderId::GrpcMessage, grpc_message(message)));
  PINGORA_ASSERT(is_set);
}

}  // namespace

bool is_grpc_request(const RequestHeader& request) noexcept {
  if (request.version() != Version::Http2) return false;
  auto type = request.get_header(HeaderId::ContentType);
  if (!type || type->size() < kContentType.size()) return false;
  for (std::size_t i = 0; i < kContentType.size(); ++i) {
    if (lower((*type)[i]) != kContentType[i]) return false;
  }
  std::string_view rest = type->substr(kContentType.size());
  return rest.empty() || rest[0] == '+' || rest[0] == ';' || rest[0] == ' ';
}

GrpcStatus grpc_status_of(int http_status) noexcept {
  switch (http_status) {
    case 400:
    case 500: return GrpcStatus::Internal;
    case 401: return GrpcStatus::Unauthenticated;
    case 403: return GrpcStatus::PermissionDenied;
    case 404:
    case 405:
    case 501: return GrpcStatus::Unimplemented;
    case 408:
    case 504: return GrpcStatus::DeadlineExceeded;
    case 413:
    case 431: return GrpcStatus::ResourceExhausted;
    case 429:
    case 502:
    case 503: return GrpcStatus::Unavailable;
    default: return GrpcStatus::Unknown;
  }
}

std::string grpc_message(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string message;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool is_plain = byte >= 0x20 && byte <= 0x7E && c != '%';
    if (message.size() + (is_plain ? 1 : 3) > kMessageBytesMax) break;
    if (is_plain) {
      message += c;
    } else {
      message += '%';
      message += kHex[byte >> 4];
      message += kHex[byte & 15];
    }
  }
  // A field's value has no spaces around it.
  while (message.ends_with(' ')) message.pop_back();
  message.erase(0, message.find_first_not_of(' '));
  return message;
}

ResponseHeader grpc_error_response(GrpcStatus status, std::string_view message) {
  ResponseHeader response;
  bool is_made = response.insert_header(HeaderId::ContentType, kContentType).has_value();
  PINGORA_ASSERT(is_made);
  set_status(response.headers(), status, message);
  return response;
}

HeaderMap grpc_error_trailers(GrpcStatus status, std::string_view message) {
  HeaderMap trailers;
  set_status(trailers, status, message);
  return trailers;
}

}  // namespace pingora
