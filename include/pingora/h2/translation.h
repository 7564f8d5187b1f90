// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora::h2 {

// How messages of HTTP/2 and HTTP/1.1 become each other. The engine does what every message needs:
//
//   in   :method, :path become the start line, :authority the Host field, first of all; with
//        Host fields they must agree. Cookie crumbs are joined with "; " (RFC 9113 §8.2.3).
//        Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade and TE but for
//        "trailers" are malformed, and so are a Content-Length that is no number, is repeated, or
//        differs from the DATA. The version is Http2.
//   out  names in lower case; the connection fields above, HTTP2-Settings and what Connection
//        nominates are left out; TE becomes "trailers" if it has that element. Host becomes
//        :authority.
//
// What only upgrades need is here. Each changes nothing and gives false where it does not apply.

/// Makes the extended CONNECT for a WebSocket (RFC 8441) the GET with Upgrade that HTTP/1.1 has for
/// it (RFC 6455 §4.1), with a fresh key; the fields that a WebSocket has in both stay. Not for a
/// CONNECT without a path. That its `:protocol` is "websocket" is the caller's to know.
bool to_http1_websocket(RequestHeader& request);
/// The other direction: method CONNECT with a path, without Upgrade, Connection and
/// Sec-WebSocket-Key; `RequestParts::protocol` is then "websocket". Only for what
/// `is_websocket_request` accepts.
bool to_http2_websocket(RequestHeader& request);
/// Makes the 101 of HTTP/1.1 the 200 that extended CONNECT is answered with: without Upgrade,
/// Connection and Sec-WebSocket-Accept.
bool to_http2_websocket(ResponseHeader& response);
/// Makes a 2xx the 101 that the client's `key` calls for.
bool to_http1_websocket(ResponseHeader& response, std::string_view key);

}  // namespace pingora::h2
