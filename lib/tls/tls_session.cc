// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/tls_session.h"

#include <chrono>
#include <utility>

#include "tls/tls_error.h"
#include "tls/tls_session_impl.h"

namespace pingora {
namespace {

// What reading a session back needs a context for: only how certificates are kept.
SSL_CTX& parsing_context() {
  static SSL_CTX* const context = SSL_CTX_new(TLS_with_buffers_method());
  return *context;
}

}  // namespace

TlsSession::TlsSession(std::unique_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
TlsSession::~TlsSession() = default;

Result<TlsSession::Ptr> TlsSession::deserialize(std::string_view bytes) {
  bssl::UniquePtr<SSL_SESSION> session(SSL_SESSION_from_bytes(
      reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), &parsing_context()));
  if (!session) return fail(internal::take_tls_error(ErrorType::TlsHandshakeFailure, "a session"));
  return std::make_shared<const TlsSession>(std::make_unique<const Impl>(std::move(session)));
}

std::string TlsSession::serialize() const {
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_SESSION_to_bytes(impl_->session.get(), &bytes, &size) == 0) return {};
  bssl::UniquePtr<std::uint8_t> owned(bytes);
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

bool TlsSession::is_single_use() const noexcept {
  return SSL_SESSION_should_be_single_use(impl_->session.get()) != 0;
}

bool TlsSession::allows_early_data() const noexcept {
  return SSL_SESSION_early_data_capable(impl_->session.get()) != 0;
}

bool TlsSession::is_expired() const noexcept {
  using std::chrono::system_clock;
  auto now = static_cast<std::uint64_t>(system_clock::to_time_t(system_clock::now()));
  const SSL_SESSION* session = impl_->session.get();
  return now >= SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session);
}

}  // namespace pingora
