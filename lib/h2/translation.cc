// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h2/translation.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "pingora/base/assert.h"
#include "pingora/http/websocket.h"

namespace pingora::h2 {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// RFC 6455 §4.1: 16 random bytes in Base64. Each character but the last is six bits of chance; of
// the last, which stands for what 16 bytes leave over, two are.
std::array<char, 24> make_websocket_key() {
  constexpr std::size_t kCharacters = 22;
  std::array<char, 24> key;
  key.fill('=');
  std::random_device random;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < kCharacters; ++i) {
    if (i % 5 == 0) bits = random();
    std::uint32_t six = bits & 63;
    key[i] = kBase64[i + 1 < kCharacters ? six : six & 48];
    bits >>= 6;
  }
  return key;
}

// Sets a field to text that is known to be valid.
void set(HeaderMap& headers, HeaderId id, std::string_view value) {
  Result<void> inserted = headers.insert(id, value);
  PINGORA_ASSERT(inserted.has_value());
}

void add_upgrade(HeaderMap& headers) {
  set(headers, HeaderId::Connection, "Upgrade");
  set(headers, HeaderId::Upgrade, "websocket");
}

void remove_upgrade(HeaderMap& headers) {
  headers.remove(HeaderId::Connection);
  headers.remove(HeaderId::Upgrade);
}

}  // namespace

bool to_http1_websocket(RequestHeader& request) {
  bool has_path = request.target_form() == TargetForm::Origin;
  if (request.method() != Method::Connect || !has_path) return false;
  Result<void> changed = request.set_method(Method::Get);
  PINGORA_ASSERT(changed.has_value());
  request.set_version(Version::Http11);
  HeaderMap& headers = request.headers();
  add_upgrade(headers);
  std::array<char, 24> key = make_websocket_key();
  set(headers, HeaderId::SecWebSocketKey, {key.data(), key.size()});
  if (!headers.contains(HeaderId::SecWebSocketVersion)) {
    set(headers, HeaderId::SecWebSocketVersion, "13");
  }
  return true;
}

bool to_http2_websocket(RequestHeader& request) {
  if (!is_websocket_request(request) || request.path_and_query().empty()) return false;
  Result<void> changed = request.set_method(Method::Connect);
  PINGORA_ASSERT(changed.has_value());
  request.set_version(Version::Http2);
  remove_upgrade(request.headers());
  request.remove_header(HeaderId::SecWebSocketKey);
  return true;
}

bool to_http2_websocket(ResponseHeader& response) {
  if (response.status() != 101) return false;
  response.set_status(200);
  response.set_version(Version::Http2);
  remove_upgrade(response.headers());
  response.remove_header(HeaderId::SecWebSocketAccept);
  return true;
}

bool to_http1_websocket(ResponseHeader& response, std::string_view key) {
  if (!response.status().is_success()) return false;
  response.set_status(101);
  response.set_version(Version::Http11);
  HeaderMap& headers = response.headers();
  headers.remove(HeaderId::ContentLength);
  add_upgrade(headers);
  std::array<char, 28> accept = websocket_accept(key);
  set(headers, HeaderId::SecWebSocketAccept, {accept.data(), accept.size()});
  return true;
}

}  // namespace pingora::h2
