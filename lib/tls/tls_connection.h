// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "pingora/base/buffer.h"
#include "pingora/net/stream.h"
#include "pingora/tls/tls_session.h"

namespace pingora::internal {

class TlsHandshake;

/// An SSL, and the ciphertext on both sides of it. Knows no waiting: what it lacks it says, and
/// what it has sealed lies in `output`.
class TlsConnection final : public FrameAllocated {
 public:
  /// Errors: InternalError, where there is no memory.
  static Result<std::unique_ptr<TlsConnection>> create(SSL_CTX& context);
  /// For BoringSSL's callbacks.
  static TlsConnection& of(const SSL* ssl) noexcept;
  explicit TlsConnection(bssl::UniquePtr<SSL> ssl) noexcept : ssl_(std::move(ssl)) {}
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  SSL* ssl() const noexcept { return ssl_.get(); }
  /// The handshake that is going on, or null.
  TlsHandshake* handshake = nullptr;
  /// What is told of new sessions; null on servers.
  std::shared_ptr<TlsSessionSink> sessions;

  /// Ciphertext that has arrived and was not taken by the SSL yet.
  Buffer input;
  /// Sealed, and not written yet.
  Buffer output;

  /// While it is set, sealed records go to it behind `output`, as far as it takes them without
  /// waiting. Its error, if any, is in `write_error` then.
  void set_direct(Stream* stream) noexcept { direct_ = stream; }
  /// Writes what is sealed, as far as that goes without waiting. Errors of `stream`.
  Result<void> flush(Stream& stream) { return flush(stream, &Stream::try_write); }
  /// The same for the last of it: the stream's end may go with it.
  Result<void> flush_last(Stream& stream) { return flush(stream, &Stream::try_write_last); }
  /// Set when the stream has failed under the SSL, which is not told.
  std::optional<Error> write_error;

  /// Whether the SSL holds no part of a record.
  bool is_between_records() const noexcept { return header_size_ == 0 && body_left_ == 0; }
  /// Whether decrypted bytes are left of the last record.
  bool has_plaintext() const noexcept { return SSL_pending(ssl_.get()) != 0; }

 private:
  static int on_bio_read(BIO* bio, char* out, int size);
  static int on_bio_write(BIO* bio, const char* data, int size);
  static long on_bio_ctrl(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD& bio_method();
  void note_taken(std::string_view bytes) noexcept;
  std::size_t write_direct(std::string_view record);
  using TryWrite = std::optional<Result<std::size_t>> (Stream::*)(std::span<const iovec> pieces);
  Result<void> flush(Stream& stream, TryWrite try_write);

  bssl::UniquePtr<SSL> ssl_;
  Stream* direct_ = nullptr;
  // How far the SSL is in the record that it takes.
  std::uint8_t header_size_ = 0;
  std::uint8_t high_length_ = 0;
  std::uint16_t body_left_ = 0;
};

}  // namespace pingora::internal
