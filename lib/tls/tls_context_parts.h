// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "pingora/tls/key_log.h"
#include "pingora/tls/tls_settings.h"

namespace pingora::internal {

/// What the contexts of both roles have in common.
struct TlsBasics {
  TlsVersion version_min;
  TlsVersion version_max;
  const std::string& ciphers;
  const std::string& groups;
};

/// A context with these settings, and with what costs an idle connection the least. Errors:
/// ConfigError, with what is wrong.
Result<bssl::UniquePtr<SSL_CTX>> make_context(const TlsBasics& basics);

/// Whether the names can be said (RFC 7301 §3.1). Errors: ConfigError.
Result<void> check_alpn(const std::vector<std::string>& names);

/// Has the peer's certificate checked by its TlsHandshake; `mode` is of SSL_CTX_set_verify. One
/// that is in memory already serves all connections that show the same.
void set_verify(SSL_CTX& context, int mode);

/// Has secrets appended to `log`, which the context keeps.
void set_key_log(SSL_CTX& context, std::shared_ptr<KeyLog> log);

/// Keeps `value` as long as the context lives. One for each context.
void keep_with(SSL_CTX& context, std::shared_ptr<void> value);
void* kept_with(const SSL_CTX& context) noexcept;

}  // namespace pingora::internal
