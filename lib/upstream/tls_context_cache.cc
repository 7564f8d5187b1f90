// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls_context_cache.h"

#include <algorithm>
#include <utility>

#include "pingora/runtime/offload.h"

namespace pingora::internal {
namespace {

VerifyServer verification(const PeerOptions& options) {
  if (options.verify_cert == Toggle::Off) return VerifyServer::Off;
  return options.verify_hostname == Toggle::On ? VerifyServer::Full : VerifyServer::ChainOnly;
}

std::vector<std::string> protocols(Alpn alpn) {
  switch (alpn) {
    case Alpn::H1: return {"http/1.1"};
    case Alpn::H2: return {"h2"};
    case Alpn::H2H1: return {"h2", "http/1.1"};
  }
  return {};
}

TlsClientOptions tls_options(const PeerOptions& from, const TlsDefaults& defaults) {
  const RarePeerOptions& rare = from.rare();
  TlsClientOptions options;
  options.verify = verification(from);
  options.alpn = protocols(from.alpn);
  options.ca_file = rare.ca_file;
  if (rare.ca != nullptr) options.ca_pem = *rare.ca;
  if (rare.ca == nullptr && rare.ca_file.empty()) options.ca_file = defaults.ca_file;
  options.key_log = defaults.key_log;
  options.verifier = rare.server_verifier;
  options.certificate = rare.client_cert_key;
  options.version_min = rare.tls_version_min;
  options.version_max = rare.tls_version_max;
  if (!rare.ciphers.empty()) options.ciphers = rare.ciphers;
  if (!rare.curves.empty()) options.groups = rare.curves;
  return options;
}

}  // namespace

Task<TlsClientContext::Ptr> TlsContextCache::get(const PeerOptions& options) {
  std::shared_ptr<Entry> entry = find_or_add(options);
  if (auto context = context_of(*entry)) return context;
  return make(std::move(entry));
}

std::shared_ptr<TlsContextCache::Entry> TlsContextCache::find_or_add(const PeerOptions& options) {
  std::list<std::shared_ptr<Entry>> evicted;  // destroyed behind the lock
  std::lock_guard lock(mutex_);
  auto found = std::find_if(entries_.begin(), entries_.end(), [&options](const auto& entry) {
    return is_same_tls_context(entry->options, options);
  });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    return entries_.front();
  }
  if (entries_.size() >= contexts_max_) {
    evicted.splice(evicted.begin(), entries_, std::prev(entries_.end()));
    evicted_.fetch_add(1, std::memory_order_relaxed);
  }
  return entries_.emplace_front(std::make_shared<Entry>(options));
}

Task<TlsClientContext::Ptr> TlsContextCache::make(std::shared_ptr<Entry> entry) {
  auto guard = co_await entry->making.lock();
  if (auto context = context_of(*entry)) co_return context;
  // It blocks for files, and reading the system's store takes a while.
  auto created = co_await offload([options = tls_options(entry->options, defaults_)] {
    return TlsClientContext::create(options);
  });
  if (!created) co_return std::move(created.error());
  made_.fetch_add(1, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  entry->context = *created;
  co_return std::move(*created);
}

TlsClientContext::Ptr TlsContextCache::context_of(const Entry& entry) const {
  std::lock_guard lock(mutex_);
  return entry.context;
}

std::size_t TlsContextCache::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace pingora::internal
