// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/grpc.h"

#include <catch2/catch.hpp>
#include <string>

using namespace pingora;

namespace {

RequestHeader request(Version version, std::string_view type) {
  auto header = RequestHeader::build(Method::Post, "/pkg.Service/Call", version);
  REQUIRE(header);
  if (!type.empty()) REQUIRE(header->insert_header(HeaderId::ContentType, type));
  return std::move(*header);
}

}  // namespace

TEST_CASE("gRPC: a call is HTTP/2 with the content type of gRPC", "[grpc]") {
  for (const char* type : {"application/grpc", "application/grpc+proto", "Application/GRPC+json",
                           "application/grpc; charset=utf-8", "application/grpc;a=b"}) {
    INFO(type);
    CHECK(is_grpc_request(request(Version::Http2, type)));
    CHECK_FALSE(is_grpc_request(request(Version::Http11, type)));
  }
  for (const char* type :
       {"", "application/grp", "application/grpc-web", "application/grpc-web+proto",
        "application/grpcx", "text/plain", "application/json"}) {
    INFO(type);
    CHECK_FALSE(is_grpc_request(request(Version::Http2, type)));
  }
}

TEST_CASE("gRPC: what an HTTP status means to a call", "[grpc]") {
  CHECK(grpc_status_of(502) == GrpcStatus::Unavailable);
  CHECK(grpc_status_of(503) == GrpcStatus::Unavailable);
  CHECK(grpc_status_of(504) == GrpcStatus::DeadlineExceeded);
  CHECK(grpc_status_of(400) == GrpcStatus::Internal);
  CHECK(grpc_status_of(401) == GrpcStatus::Unauthenticated);
  CHECK(grpc_status_of(403) == GrpcStatus::PermissionDenied);
  CHECK(grpc_status_of(404) == GrpcStatus::Unimplemented);
  CHECK(grpc_status_of(413) == GrpcStatus::ResourceExhausted);
  CHECK(grpc_status_of(429) == GrpcStatus::Unavailable);
  CHECK(grpc_status_of(500) == GrpcStatus::Internal);
  CHECK(grpc_status_of(418) == GrpcStatus::Unknown);
}

TEST_CASE("gRPC: a message is a valid field whatever is in it", "[grpc]") {
  CHECK(grpc_message("no such thing") == "no such thing");
  CHECK(grpc_message("100%\r\n\xC3\xBC") == "100%25%0D%0A%C3%BC");
  CHECK(grpc_message("  a b ") == "a b");
  CHECK(grpc_message(std::string(512, 'a')).size() == 512);
  CHECK(grpc_message(std::string(513, 'a')).size() == 512);
  // Not cut within an escape.
  CHECK(grpc_message(std::string(510, 'a') + "\n") == std::string(510, 'a'));
}

TEST_CASE("gRPC: an error is a head alone, or trailers behind what was sent", "[grpc]") {
  ResponseHeader head = grpc_error_response(GrpcStatus::Unavailable, "gone\n");
  CHECK(head.status() == 200);
  CHECK(head.get_header(HeaderId::ContentType) == "application/grpc");
  CHECK(head.get_header(HeaderId::GrpcStatus) == "14");
  CHECK(head.get_header(HeaderId::GrpcMessage) == "gone%0A");
  HeaderMap trailers = grpc_error_trailers(GrpcStatus::DeadlineExceeded, "late");
  CHECK(trailers.get(HeaderId::GrpcStatus) == "4");
  CHECK(trailers.get(HeaderId::GrpcMessage) == "late");
}
