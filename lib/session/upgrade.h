// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora::internal {

/// The protocol that `request` asks to change to, if it is one of `allowed` and the request has
/// all that this takes (RFC 9110 §7.8; for websocket RFC 6455 §4.2.1); else empty. A view into
/// `allowed`.
std::string_view requested_upgrade(const RequestHeader& request,
                                   std::span<const std::string> allowed) noexcept;

/// Whether `response`, a 101, changes to `protocol`. `key` is the request's Sec-WebSocket-Key.
bool accepts_upgrade(const ResponseHeader& response, std::string_view protocol,
                     std::string_view key) noexcept;

}  // namespace pingora::internal
