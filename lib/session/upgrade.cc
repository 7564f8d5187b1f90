// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "session/upgrade.h"

#include "pingora/http/websocket.h"

namespace pingora::internal {
namespace {

constexpr std::string_view kWebsocket = "websocket";

}  // namespace

std::string_view requested_upgrade(const RequestHeader& request,
                                   std::span<const std::string> allowed) noexcept {
  const HeaderMap& headers = request.headers();
  if (!headers.contains(HeaderId::Upgrade)) return {};
  if (request.version() == Version::Http10 || headers.count(HeaderId::Upgrade) != 1 ||
      !headers.has_token(HeaderId::Connection, "upgrade")) {
    return {};
  }
  // A body would be part of the request, and what follows it of the tunnel: nobody sends that.
  if (headers.contains(HeaderId::TransferEncoding) ||
      headers.get(HeaderId::ContentLength).value_or("0") != "0") {
    return {};
  }
  std::string_view asked = *headers.get(HeaderId::Upgrade);
  for (const std::string& protocol : allowed) {
    if (!equals_ignoring_case(asked, protocol)) continue;
    bool is_complete = protocol != kWebsocket || is_websocket_request(request);
    return is_complete ? std::string_view(protocol) : std::string_view();
  }
  return {};
}

bool accepts_upgrade(const ResponseHeader& response, std::string_view protocol,
                     std::string_view key) noexcept {
  if (protocol == kWebsocket) return is_websocket_response(response, key);
  const HeaderMap& headers = response.headers();
  return headers.count(HeaderId::Upgrade) == 1 &&
         equals_ignoring_case(*headers.get(HeaderId::Upgrade), protocol) &&
         headers.has_token(HeaderId::Connection, "upgrade");
}

}  // namespace pingora::internal
