// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/evp.h>
#include <openssl/pool.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "pingora/tls/certificate.h"

namespace pingora::internal {

/// What is behind a Certificate, for the handshakes.
struct CertificateData {
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> chain;  // DER, the certificate first; at least one
  bssl::UniquePtr<EVP_PKEY> key;                      // null if `signer` is set
  std::shared_ptr<PrivateKeySigner> signer;           // shared with the program
  bssl::UniquePtr<CRYPTO_BUFFER> ocsp;                // null if there is none
  Certificate::Time ocsp_until = Certificate::Time::max();
  mutable std::atomic<bool> has_told_of_ocsp{false};  // that it has expired; any thread

  std::vector<std::string> names;
  KeyType key_type = KeyType::Rsa;
  Certificate::Time not_before;
  Certificate::Time not_after;
  std::string subject;
  std::string serial_number;
  std::string sha256;
};

}  // namespace pingora::internal
