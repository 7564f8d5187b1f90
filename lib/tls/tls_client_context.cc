// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/tls_client_context.h"

#include <utility>

#include "tls/tls_client_state.h"
#include "tls/tls_connection.h"
#include "tls/tls_context_parts.h"
#include "tls/tls_error.h"
#include "tls/tls_session_impl.h"

namespace pingora {
namespace {

using internal::TlsConnection;

// Returns 1 if it has taken the reference to `session`.
int on_new_session(SSL* ssl, SSL_SESSION* session) {
  const auto& sink = TlsConnection::of(ssl).sessions;
  if (!sink) return 0;
  auto impl = std::make_unique<const TlsSession::Impl>(bssl::UniquePtr<SSL_SESSION>(session));
  sink->store(std::make_shared<const TlsSession>(std::move(impl)));
  return 1;
}

std::string alpn_bytes(const std::vector<std::string>& names) {
  std::string bytes;
  for (const std::string& name : names) {
    bytes += static_cast<char>(name.size());
    bytes += name;
  }
  return bytes;
}

}  // namespace

TlsClientContext::TlsClientContext(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
TlsClientContext::~TlsClientContext() = default;

const TlsClientOptions& TlsClientContext::options() const noexcept { return impl_->options; }

Result<TlsClientContext::Ptr> TlsClientContext::create(TlsClientOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  const TlsClientOptions& o = impl->options;
  auto context = internal::make_context({.version_min = o.version_min,
                                         .version_max = o.version_max,
                                         .ciphers = o.ciphers,
                                         .groups = o.groups});
  if (!context) return fail(std::move(context.error()));
  if (auto valid = internal::check_alpn(o.alpn); !valid) return fail(std::move(valid.error()));
  impl->alpn = alpn_bytes(o.alpn);
  if (o.verify != VerifyServer::Off) {
    auto trust = internal::load_trust(o.ca_file, o.ca_pem);
    if (!trust) return fail(std::move(trust.error()));
    impl->trust = std::move(*trust);
    impl->trust.subjects.clear();
  }
  impl->context = std::move(*context);
  SSL_CTX* made = impl->context.get();
  internal::set_verify(*made, SSL_VERIFY_PEER);
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(made, &on_new_session);
  if (o.key_log) internal::set_key_log(*made, o.key_log);
  return std::make_shared<const TlsClientContext>(std::move(impl));
}

}  // namespace pingora
