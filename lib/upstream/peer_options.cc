// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/upstream/peer_options.h"

#include <string_view>

#include "hash_mix.h"

namespace pingora {
namespace {

bool is_same(const PortRange& a, const PortRange& b) {
  return a.low == b.low && a.high == b.high && a.falls_back == b.falls_back;
}

bool is_same(const TcpKeepalive& a, const TcpKeepalive& b) {
  return a.idle == b.idle && a.interval == b.interval && a.count == b.count &&
         a.user_timeout == b.user_timeout;
}

bool is_same(const BindTo& a, const BindTo& b);
bool is_same(const UpstreamProxy& a, const UpstreamProxy& b) { return a == b; }

template <class T>
bool is_same(const std::optional<T>& a, const std::optional<T>& b) {
  return a.has_value() == b.has_value() && (!a || is_same(*a, *b));
}

bool is_same(const BindTo& a, const BindTo& b) {
  return a.address == b.address && is_same(a.port_range, b.port_range);
}

bool is_same_text(const std::shared_ptr<const std::string>& a,
                  const std::shared_ptr<const std::string>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

bool is_same_certificate(const Certificate::Ptr& a, const Certificate::Ptr& b) {
  return a == b || (a != nullptr && b != nullptr && a->sha256() == b->sha256());
}

// What a TlsClientContext is made of.
bool is_same_tls(const RarePeerOptions& a, const RarePeerOptions& b) {
  return &a == &b || (is_same_text(a.ca, b.ca) && a.ca_file == b.ca_file &&
                      is_same_certificate(a.client_cert_key, b.client_cert_key) &&
                      a.server_verifier == b.server_verifier && a.curves == b.curves &&
                      a.ciphers == b.ciphers && a.tls_version_min == b.tls_version_min &&
                      a.tls_version_max == b.tls_version_max);
}

void mix_headers(internal::HashMix& mix, const ProxyHeaders& headers) {
  for (const auto& [name, value] : headers) {
    mix.add(name);
    mix.add(value);
  }
}

}  // namespace

bool is_same_identity(const RarePeerOptions& a, const RarePeerOptions& b) noexcept {
  return &a == &b ||
         (is_same(a.bind_to, b.bind_to) && is_same(a.proxy, b.proxy) &&
          a.extra_proxy_headers == b.extra_proxy_headers && a.custom_l4 == b.custom_l4 &&
          a.upstream_tcp_sock_tweak_hook == b.upstream_tcp_sock_tweak_hook &&
          is_same(a.tcp_keepalive, b.tcp_keepalive) && a.h2_windows == b.h2_windows &&
          a.alternative_names == b.alternative_names && is_same_tls(a, b));
}

// Options that peers of one program rarely differ in may be left out of a hash.
std::size_t RarePeerOptions::identity_hash() const noexcept {
  internal::HashMix mix;
  if (bind_to) {
    mix.add(bind_to->address.hash());
    if (bind_to->port_range) mix.add(bind_to->port_range->low);
  }
  if (proxy) {
    mix.add(proxy->address.hash());
    mix_headers(mix, proxy->headers);
  }
  mix_headers(mix, extra_proxy_headers);
  mix.add(reinterpret_cast<std::uintptr_t>(custom_l4.get()));
  mix.add(reinterpret_cast<std::uintptr_t>(upstream_tcp_sock_tweak_hook.get()));
  for (const std::string& name : alternative_names) mix.add(name);
  mix.add(ca != nullptr ? ca->size() : 0);
  mix.add(ca_file);
  if (client_cert_key != nullptr) mix.add(client_cert_key->sha256());
  mix.add(reinterpret_cast<std::uintptr_t>(server_verifier.get()));
  return mix.value();
}

// The scalars in one number, each with bits of its own.
std::uint64_t PeerOptions::identity_flags() const noexcept {
  std::uint64_t flags = 0;
  auto push = [&flags](unsigned bits, std::uint64_t value) { flags = flags << bits | value; };
  push(1, verify_cert == Toggle::On ? 1 : 0);
  push(1, verify_hostname == Toggle::On ? 1 : 0);
  push(2, static_cast<std::uint64_t>(alpn));
  push(1, tcp_fast_open == Toggle::On ? 1 : 0);
  push(9, dscp ? 256U + *dscp : 0U);
  push(1, allow_h1_response_invalid_content_length == Toggle::On ? 1 : 0);
  push(1, allow_h1_response_bare_lf == Toggle::On ? 1 : 0);
  push(1, allow_h1_response_spaces_after_header_name == Toggle::On ? 1 : 0);
  push(1, allow_h1_response_obs_fold == Toggle::On ? 1 : 0);
  push(32, max_h2_streams);
  return flags;
}

bool is_same_beyond_flags(const PeerOptions& a, const PeerOptions& b) noexcept {
  return a.h2_ping_interval == b.h2_ping_interval && a.tcp_recv_buf_bytes == b.tcp_recv_buf_bytes &&
         (a.rare_ == b.rare_ || is_same_identity(a.rare(), b.rare()));
}

bool is_same_tls_context(const PeerOptions& a, const PeerOptions& b) noexcept {
  return a.verify_cert == b.verify_cert && a.verify_hostname == b.verify_hostname &&
         a.alpn == b.alpn && (a.rare_ == b.rare_ || is_same_tls(a.rare(), b.rare()));
}

std::size_t PeerOptions::rare_hash() const noexcept {
  static const std::size_t kHashOfDefaults = RarePeerOptions().identity_hash();
  return rare_ != nullptr ? rare_->identity_hash() : kHashOfDefaults;
}

const RarePeerOptions& PeerOptions::rare() const noexcept {
  static const RarePeerOptions kDefaults;
  return rare_ != nullptr ? *rare_ : kDefaults;
}

RarePeerOptions& PeerOptions::edit_rare() {
  auto own = std::make_shared<RarePeerOptions>(rare());
  RarePeerOptions& reference = *own;
  rare_ = std::move(own);
  return reference;
}

}  // namespace pingora
