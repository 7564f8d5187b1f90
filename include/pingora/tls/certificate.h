// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pingora/base/bytes.h"
#include "pingora/base/error.h"
#include "pingora/runtime/task.h"

namespace pingora {

namespace internal {
struct CertificateData;
}

enum class KeyType : std::uint8_t { Ecdsa, Ed25519, Rsa };

std::string_view to_string(KeyType type) noexcept;

/// How a handshake is signed: the code points of RFC 8446 §4.2.3.
enum class SignatureScheme : std::uint16_t {
  RsaPkcs1Sha256 = 0x0401,
  RsaPkcs1Sha384 = 0x0501,
  RsaPkcs1Sha512 = 0x0601,
  EcdsaSecp256r1Sha256 = 0x0403,
  EcdsaSecp384r1Sha384 = 0x0503,
  EcdsaSecp521r1Sha512 = 0x0603,
  RsaPssRsaeSha256 = 0x0804,
  RsaPssRsaeSha384 = 0x0805,
  RsaPssRsaeSha512 = 0x0806,
  Ed25519 = 0x0807,
};

/// A private key that is somewhere else: in a security module, or with another process. Any number
/// of handshakes use it at once, on all workers.
class PrivateKeySigner {
 public:
  virtual ~PrivateKeySigner() = default;
  /// Signs `input`, which is not hashed yet. In the strand of the connection; may wait. Whatever it
  /// fails with ends the handshake.
  virtual Task<Bytes> sign(SignatureScheme scheme, Bytes input) = 0;
};

/// Which files a certificate is in. Each is read anew with every reload.
struct CertificateFiles {
  /// PEM: the certificate, and behind it those that lead to the root.
  std::string certificate;
  /// PEM, without a password: the private key. May be the same file.
  std::string key;
  /// DER: what the issuer says of the certificate's revocation (OCSP), sent to clients that ask for
  /// it, for as long as it says that it is good. Empty: none.
  std::string ocsp;
};

/// A certificate with what leads to its issuer, and its key: what one end of a connection shows.
///
/// Constant; shared by the store that holds it and the handshakes that use it. Any thread.
class Certificate {
 public:
  using Ptr = std::shared_ptr<const Certificate>;
  using Time = std::chrono::system_clock::time_point;

  /// Reads the files, 1 MiB at most each. The error's `context()` is one line that names the file;
  /// if the key is not that of the certificate, both files. Errors: FileOpenError, FileReadError,
  /// InvalidCert.
  static Result<Ptr> load(const CertificateFiles& files);
  static Result<Ptr> load(std::string certificate_file, std::string key_file) {
    return load({.certificate = std::move(certificate_file), .key = std::move(key_file), .ocsp{}});
  }
  /// As `load`, of what would be in the files. Errors: InvalidCert.
  static Result<Ptr> from_pem(std::string_view chain, std::string_view key,
                              std::string_view ocsp = {});
  /// With a key that is somewhere else.
  static Result<Ptr> with_signer(std::string_view chain, std::shared_ptr<PrivateKeySigner> signer,
                                 std::string_view ocsp = {});

  explicit Certificate(std::unique_ptr<const internal::CertificateData> data) noexcept;
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  ~Certificate();

  /// The host names that it is for, in lower case: "example.com", "*.example.com". Those of its
  /// alternative names; the common name of the subject where it has none at all.
  const std::vector<std::string>& names() const noexcept;
  KeyType key_type() const noexcept;
  /// As far as `Time` goes, which ends in 2262.
  Time not_before() const noexcept;
  Time not_after() const noexcept;
  /// One line for logs: "CN=example.com,O=Example".
  const std::string& subject() const noexcept;
  /// Hexadecimal, upper case, two digits for each byte.
  const std::string& serial_number() const noexcept;
  /// SHA-256 of the certificate (DER), 32 bytes.
  const std::string& sha256() const noexcept;
  /// Whether there is an OCSP response; it is stapled until `ocsp_good_until`.
  bool has_ocsp_staple() const noexcept;
  /// The end of the clock where there is none, or where it does not say.
  Time ocsp_good_until() const noexcept;

  const internal::CertificateData& data() const noexcept { return *data_; }

 private:
  std::unique_ptr<const internal::CertificateData> data_;
};

}  // namespace pingora
