// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/upstream/http_peer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "hash_mix.h"

namespace pingora {
namespace {

constexpr std::size_t kHostNameBytesMax = 253;  // RFC 1035 §2.3.4, in text

bool is_host_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

// The port behind the last colon; 0 if `text` is not a name and a port.
std::uint16_t port_of_name(std::string_view text, std::string_view& name) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon > kHostNameBytesMax) return 0;
  name = text.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), is_host_name_byte)) return 0;
  std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() ? port : 0;
}

}  // namespace

HttpPeer::HttpPeer(SocketAddress address, Tls tls, std::string sni)
    : sni(std::move(sni)), address_(std::move(address)), tls_(tls) {}

HttpPeer::HttpPeer(std::string_view address, Tls tls, std::string sni)
    : sni(std::move(sni)), tls_(tls) {
  if (auto parsed = SocketAddress::parse(address)) {
    address_ = std::move(*parsed);
    return;
  }
  std::string_view name = address;
  name_port_ = port_of_name(address, name);
  host_name_ = name;
  if (this->sni.empty() && name_port_ != 0 && is_tls()) this->sni = host_name_;
}

Result<HttpPeer> HttpPeer::parse(std::string_view address, Tls tls, std::string sni) {
  HttpPeer peer(address, tls, std::move(sni));
  if (peer.is_valid()) return peer;
  std::string context = "'";
  append_escaped(context, address, 256);
  context += !peer.address().is_none() ? "': 0 is no port to connect to"
                                       : "' is no address:port, name:port or unix:/path";
  return fail(ErrorType::ConfigError, context);
}

std::uint16_t HttpPeer::port() const noexcept {
  return address_.is_none() ? name_port_ : address_.port();
}

std::string HttpPeer::authority() const {
  if (address_.is_none()) return host_name_ + ":" + std::to_string(name_port_);
  return address_.to_string();
}

std::string HttpPeer::to_string() const {
  std::string text;
  append_escaped(text, authority(), 512);
  if (is_tls()) text += ", tls";
  return text;
}

PeerKey::PeerKey(const HttpPeer& peer) noexcept
    : peer_(&peer), flags_(peer.options.identity_flags()) {
  internal::HashMix mix;
  mix.add(peer.address().hash());
  mix.add(std::uint64_t{peer.port()} << 1 | (peer.is_tls() ? 1 : 0));
  if (!peer.host_name().empty()) mix.add(peer.host_name());
  if (!peer.sni.empty()) mix.add(peer.sni);
  mix.add(peer.group_key);
  mix.add(flags_);
  mix.add(peer.options.rare_hash());
  hash_ = mix.value();
}

bool operator==(const PeerKey& a, const PeerKey& b) noexcept {
  if (a.hash_ != b.hash_ || a.flags_ != b.flags_) return false;
  const HttpPeer& p = *a.peer_;
  const HttpPeer& q = *b.peer_;
  // As views, which compare sizes without a call.
  auto is_same = [](std::string_view x, std::string_view y) { return x == y; };
  return p.is_tls() == q.is_tls() && p.group_key == q.group_key && p.address() == q.address() &&
         p.port() == q.port() && is_same(p.host_name(), q.host_name()) && is_same(p.sni, q.sni) &&
         is_same_beyond_flags(p.options, q.options);
}

}  // namespace pingora
