// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include "pingora/tls/tls_session.h"

namespace pingora {

struct TlsSession::Impl {
  bssl::UniquePtr<SSL_SESSION> session;  // never null
};

}  // namespace pingora
