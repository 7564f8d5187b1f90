// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/certificate_index.h"

#include <algorithm>

namespace pingora::internal {
namespace {

// In the order of preference: ECDSA costs a server a tenth of RSA.
constexpr std::array kPreference{KeyType::Ecdsa, KeyType::Ed25519, KeyType::Rsa};

// The longest name that DNS can carry, with the dot at the end that it may be written with.
constexpr std::size_t kNameMax = 254;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

Certificate::Ptr CertificateIndex::Entry::best(AcceptedKeys accepted) const {
  Certificate::Ptr any;
  for (KeyType type : kPreference) {
    const Certificate::Ptr& certificate = by_key[static_cast<std::size_t>(type)];
    if (!certificate) continue;
    if (accepted.accepts(type)) return certificate;
    if (!any) any = certificate;
  }
  return any;
}

void CertificateIndex::Entry::add(const Certificate::Ptr& certificate) {
  Certificate::Ptr& place = by_key[static_cast<std::size_t>(certificate->key_type())];
  if (!place) place = certificate;
}

void CertificateIndex::add(const Certificate::Ptr& certificate) {
  if (!first_) first_ = certificate;
  for (const std::string& name : certificate->names()) entries_[name].add(certificate);
  ++size_;
}

const CertificateIndex::Entry* CertificateIndex::entry(std::string_view name) const {
  auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

Certificate::Ptr CertificateIndex::find(std::string_view server_name, AcceptedKeys accepted) const {
  if (server_name.empty() || server_name.size() > kNameMax) return nullptr;
  // With room for the "*" in front of what is behind the first label.
  std::array<char, kNameMax + 1> text;
  std::transform(server_name.begin(), server_name.end(), text.begin() + 1, lower);
  std::string_view name(text.data() + 1, server_name.size());
  if (name.ends_with('.')) name.remove_suffix(1);
  // A client that asks for "*.example.com" asks for nothing.
  if (name.starts_with('*')) return nullptr;
  if (const Entry* exact = entry(name)) return exact->best(accepted);
  // RFC 6125 §6.4.3: the wildcard stands for one whole label.
  std::size_t dot = name.find('.');
  if (dot == 0 || dot == std::string_view::npos) return nullptr;
  text[dot] = '*';
  const Entry* wildcard = entry({text.data() + dot, name.size() - dot + 1});
  return wildcard != nullptr ? wildcard->best(accepted) : nullptr;
}

Certificate::Ptr CertificateIndex::default_certificate(AcceptedKeys accepted) const {
  if (!first_ || accepted.accepts(first_->key_type()) || first_->names().empty()) return first_;
  return entry(first_->names().front())->best(accepted);
}

}  // namespace pingora::internal
