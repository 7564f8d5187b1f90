// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/websocket.h"

#include <cstdint>
#include <string>

#include "http/sha1.h"
#include "pingora/http/field_syntax.h"

namespace pingora {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Base64 of some size: that it holds 16 bytes is the origin's to check, and popular clients made by
// hand do not keep to it.
bool is_key(std::string_view key) {
  constexpr std::size_t kSizeMax = 64;
  while (key.ends_with('=')) key.remove_suffix(1);
  return !key.empty() && key.size() <= kSizeMax &&
         key.find_first_not_of(kBase64) == std::string_view::npos;
}

// Whether the message's Upgrade is `websocket` alone and its Connection says `upgrade`.
bool upgrades_to_websocket(const HeaderMap& headers) {
  return headers.count(HeaderId::Upgrade) == 1 &&
         equals_ignoring_case(*headers.get(HeaderId::Upgrade), "websocket") &&
         headers.has_token(HeaderId::Connection, "upgrade");
}

}  // namespace

bool is_websocket_request(const RequestHeader& request) noexcept {
  const HeaderMap& headers = request.headers();
  return request.method() == Method::Get && request.version() != Version::Http10 &&
         upgrades_to_websocket(headers) && headers.count(HeaderId::SecWebSocketKey) == 1 &&
         is_key(*headers.get(HeaderId::SecWebSocketKey)) &&
         headers.count(HeaderId::SecWebSocketVersion) == 1 &&
         *headers.get(HeaderId::SecWebSocketVersion) == "13";
}

bool is_websocket_response(const ResponseHeader& response, std::string_view key) noexcept {
  const HeaderMap& headers = response.headers();
  if (response.status() != 101 || !upgrades_to_websocket(headers) ||
      headers.count(HeaderId::SecWebSocketAccept) != 1) {
    return false;
  }
  std::array<char, 28> accept = websocket_accept(key);
  return *headers.get(HeaderId::SecWebSocketAccept) ==
         std::string_view(accept.data(), accept.size());
}

std::array<char, 28> websocket_accept(std::string_view key) noexcept {
  std::string text(key);
  std::array<std::uint8_t, 20> hash =
      internal::sha1(text.append("258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
  std::array<char, 28> result;
  std::size_t out = 0;
  for (std::size_t i = 0; i < hash.size(); i += 3) {
    std::uint32_t group = std::uint32_t{hash[i]} << 16 | std::uint32_t{hash[i + 1]} << 8;
    if (i + 2 < hash.size()) group |= hash[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) result[out++] = kBase64[group >> shift & 63];
  }
  result.back() = '=';
  return result;
}

}  // namespace pingora
