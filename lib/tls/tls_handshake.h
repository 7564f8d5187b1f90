// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "pingora/net/digest.h"
#include "pingora/runtime/task.h"
#include "pingora/tls/certificate.h"
#include "tls/tls_connection.h"

namespace pingora::internal {

/// Something that BoringSSL's callbacks ask for and that may take its time: the task, then what it
/// gave.
template <class T>
struct Awaited {
  std::optional<Task<T>> task;
  std::optional<Result<T>> result;

  /// Whether the result is there already.
  bool start(Task<T> started) {
    if (started.is_ready()) {
      result.emplace(std::move(started).take_ready());
    } else {
      task.emplace(std::move(started));
    }
    return result.has_value();
  }
  bool is_running() const noexcept { return task.has_value(); }
};

/// What both roles of a handshake have in common: the loop that does what BoringSSL waits for, and
/// signing. Lives in the coroutine of the handshake, and is what BoringSSL's callbacks come to.
///
///   advance --Read--> receive --+        Certificate, Key and Verify wait for a task of the
///      ^ ^                      |        program, whose result the callback finds when it is
///      | +----------------------+        called again.
///      +--Certificate, Key, Verify
///   Done, Failed: over. What was sealed is sent behind every advance.
class TlsHandshake {
 public:
  TlsHandshake(TlsConnection& connection, Stream& transport, TimePoint deadline) noexcept
      : connection_(connection), transport_(transport), deadline_(deadline) {
    connection.handshake = this;
  }
  TlsHandshake(const TlsHandshake&) = delete;
  TlsHandshake& operator=(const TlsHandshake&) = delete;

  /// Errors: TlsHandshakeFailure, TlsHandshakeTimedout, InvalidCert, ConnectionClosed.
  Task<> run();

  /// What was agreed on. Once it is complete.
  std::shared_ptr<SslDigest> describe() const;

  // What BoringSSL asks. `alert` is what the peer is told of a failure.
  virtual ssl_select_cert_result_t select_certificate(const SSL_CLIENT_HELLO& hello) = 0;
  /// Whether the name that the client has asked for is to be answered with an alert.
  virtual bool refuses_name() const noexcept { return false; }
  ssl_verify_result_t verify(std::uint8_t& alert);
  ssl_private_key_result_t sign(std::uint16_t scheme, std::string_view input,
                                std::span<std::uint8_t> out, std::size_t& out_size);
  ssl_private_key_result_t finish_signing(std::span<std::uint8_t> out, std::size_t& out_size);

 protected:
  ~TlsHandshake() { connection_.handshake = nullptr; }

  SSL* ssl() const noexcept { return connection_.ssl(); }
  Stream& transport() const noexcept { return transport_; }
  /// Shows `certificate`, which is kept until the handshake is over.
  Result<void> use_certificate(Certificate::Ptr certificate);
  /// Notes why the handshake fails, where BoringSSL only knows that it does.
  void fail_with(Error error);
  /// Checks what the peer has shown; the task gives the final say.
  virtual Task<> start_verifying(const STACK_OF(CRYPTO_BUFFER) & chain, std::uint8_t& alert) = 0;
  /// Awaits the certificate that `select_certificate` has asked for.
  virtual Task<> await_certificate() = 0;
  /// Waits for a task of the program, until the deadline.
  template <class T>
  Task<> await(Awaited<T>& awaited);

 private:
  enum class Step : std::uint8_t { Read, Certificate, Key, Verify, Done, Failed };
  Step advance();
  Task<> receive();
  Task<> send();
  Error timed_out() const;
  Error fail_sending(Error error) const;

  TlsConnection& connection_;
  Stream& transport_;
  TimePoint deadline_;
  Certificate::Ptr certificate_;
  Awaited<Bytes> signature_;
  Awaited<void> verdict_;
  std::uint8_t verify_alert_ = SSL_AD_CERTIFICATE_UNKNOWN;
  std::optional<Error> failure_;
  bool has_received_ = false;
};

}  // namespace pingora::internal
