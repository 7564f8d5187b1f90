// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pingora/base/error.h"
#include "pingora/runtime/task.h"
#include "pingora/tls/certificate.h"

namespace pingora {

/// The kinds of keys that a client can verify signatures of, as its ClientHello says.
struct AcceptedKeys {
  bool ecdsa = true;
  bool ed25519 = false;  // which few clients do
  bool rsa = true;

  bool accepts(KeyType type) const noexcept {
    switch (type) {
      case KeyType::Ecdsa: return ecdsa;
      case KeyType::Ed25519: return ed25519;
      case KeyType::Rsa: return rsa;
    }
    return false;
  }
};

/// The certificates of a listener, or of several: any number of them, each found by the names that
/// are in it, and exchanged while the server serves.
///
/// Handshakes that read take no lock. Any thread may call anything. Where two certificates have a
/// name and the kind of key in common, the one that was added first is used.
class CertificateStore {
 public:
  CertificateStore();
  CertificateStore(const CertificateStore&) = delete;
  CertificateStore& operator=(const CertificateStore&) = delete;
  ~CertificateStore();

  /// Adds one that a program has; no reload changes it.
  void add(Certificate::Ptr certificate);
  /// Adds the one in these files. Errors as of `Certificate::load`; nothing is added then.
  Result<void> add_files(CertificateFiles files);
  Result<void> add_files(std::string certificate_file, std::string key_file) {
    return add_files(
        {.certificate = std::move(certificate_file), .key = std::move(key_file), .ocsp{}});
  }
  /// Adds all that are in a directory, in the order of their names, but "default" first: NAME.crt
  /// or NAME.pem with NAME.key, or a NAME.pem that has the key in it too; each with NAME.ocsp if
  /// that is there; and NAME/fullchain.pem with NAME/privkey.pem, NAME/tls.crt with NAME/tls.key.
  /// A directory without any is an error, as is one of them that cannot be used: as of `add_files`.
  Result<void> add_directory(std::string path);

  /// Reads all files again and puts what is in them in place of what was, all at once; what has
  /// gone from a directory goes. A file that is missing, cannot be used, or is expired where the
  /// old one is not, leaves the old one in place, which is logged and the (first) error of this.
  /// Handshakes that have begun go on with what they have found. Reads files: not for a worker;
  /// `co_await offload(...)` there.
  Result<void> reload();
  /// Reloads whenever one of the files changes, until it is cancelled: a change is followed within
  /// half a second, and files that are written one after the other in that time are read once. The
  /// store outlives it. Of several that watch, one works and the others wait for their turn; the
  /// endpoints of a listening service do it by themselves.
  Task<> watch();

  /// The certificate for `server_name` (SNI), in any case: one with that very name, else one with
  /// the wildcard for it. Of several the first that the client accepts, of ECDSA, Ed25519, RSA; if
  /// it accepts none, the first. Null: nothing is for that name.
  Certificate::Ptr find(std::string_view server_name, AcceptedKeys accepted = {}) const;
  /// The one for clients that name no server: the first that was added, or one with its name and
  /// a key that the client accepts. Null: the store is empty.
  Certificate::Ptr default_certificate(AcceptedKeys accepted = {}) const;

  struct Stats {
    std::size_t certificates = 0;  // now
    std::uint64_t reloads = 0;
    /// Files, or pairs of them, that a reload has left alone because they could not be used.
    std::uint64_t failures = 0;
  };
  Stats stats() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // with a reload that runs on when its watch is cancelled
};

}  // namespace pingora
