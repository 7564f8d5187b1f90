// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "pingora/tls/tls_client_context.h"
#include "tls/verify.h"

namespace pingora {

struct TlsClientContext::Impl {
  TlsClientOptions options;
  internal::Trust trust;  // without a store where nothing is checked
  std::string alpn;       // as it is sent
  bssl::UniquePtr<SSL_CTX> context;
};

}  // namespace pingora
