// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora {

/// Whether the request asks to become a WebSocket (RFC 6455 §4.2.1): GET by HTTP/1.1, or by HTTP/2
/// in the form that it has been given (see h2/translation.h), with
/// `Connection: upgrade`, `Upgrade: websocket` and nothing else, version 13, and one key of 16
/// bytes in Base64.
bool is_websocket_request(const RequestHeader& request) noexcept;

/// Whether the response is the 101 that such a request with this key asked for: `Upgrade:
/// websocket`, `Connection: upgrade` and the one Sec-WebSocket-Accept that the key calls for.
/// Anything else that is a 101 is to be answered with 502, and no tunnel.
bool is_websocket_response(const ResponseHeader& response, std::string_view key) noexcept;

/// The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key: 28 characters.
std::array<char, 28> websocket_accept(std::string_view key) noexcept;

}  // namespace pingora
