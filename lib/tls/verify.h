// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pingora/base/bytes.h"
#include "pingora/base/error.h"
#include "pingora/net/digest.h"

namespace pingora::internal {

/// Whom to trust. Constant once made; any thread.
struct Trust {
  bssl::UniquePtr<X509_STORE> store;
  /// The subjects (DER), for servers to tell clients whose certificates they take.
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> subjects;
};

/// Reads the PEM certificates of `file`, or those in `pem`; where both are empty, the system's.
/// Errors: ConfigError, FileOpenError, FileReadError.
Result<Trust> load_trust(const std::string& file, const std::string& pem);

/// How a chain is checked.
struct ChainPolicy {
  enum class Peer : std::uint8_t { Server, Client };
  Peer peer = Peer::Server;
  X509_STORE* store = nullptr;
  unsigned depth_max = 0;  // certificates between the peer's and the issuer's
  /// The names that it may be for, one of which must fit; empty: whatever it is for.
  std::span<const std::string_view> names;
};

/// Checks what a peer has shown; not empty. Errors: InvalidCert, saying what is wrong; `alert` is
/// then what to tell the peer.
Result<void> verify_chain(const STACK_OF(CRYPTO_BUFFER) & chain, const ChainPolicy& policy,
                          std::uint8_t& alert);

/// The chain as it was shown, shared.
std::vector<Bytes> chain_bytes(const STACK_OF(CRYPTO_BUFFER) & chain);

/// Fills in what is known of the peer's certificate. What cannot be read stays empty.
void describe_certificate(const CRYPTO_BUFFER& certificate, SslDigest& digest);

/// Whether `name` is an IP address, which is compared with other fields of a certificate.
bool is_ip_address(std::string_view name);

}  // namespace pingora::internal
