// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/tls_handshake.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <variant>
#include <vector>

#include "pingora/runtime/combinators.h"
#include "pingora/runtime/timer.h"
#include "tls/certificate_data.h"
#include "tls/tls_error.h"
#include "tls/verify.h"

namespace pingora::internal {
namespace {

TlsHandshake* handshake_of(SSL* ssl) { return TlsConnection::of(ssl).handshake; }

ssl_private_key_result_t on_sign(SSL* ssl, std::uint8_t* out, std::size_t* out_size,
                                 std::size_t out_max, std::uint16_t scheme, const std::uint8_t* in,
                                 std::size_t in_size) {
  TlsHandshake* handshake = handshake_of(ssl);
  if (handshake == nullptr) return ssl_private_key_failure;
  return handshake->sign(scheme, {reinterpret_cast<const char*>(in), in_size}, {out, out_max},
                         *out_size);
}

// RSA key transport, which we do not offer.
ssl_private_key_result_t on_decrypt(SSL* /*ssl*/, std::uint8_t* /*out*/, std::size_t* /*out_size*/,
                                    std::size_t /*out_max*/, const std::uint8_t* /*in*/,
                                    std::size_t /*in_size*/) {
  return ssl_private_key_failure;
}

ssl_private_key_result_t on_complete(SSL* ssl, std::uint8_t* out, std::size_t* out_size,
                                     std::size_t out_max) {
  TlsHandshake* handshake = handshake_of(ssl);
  if (handshake == nullptr) return ssl_private_key_failure;
  return handshake->finish_signing({out, out_max}, *out_size);
}

constexpr SSL_PRIVATE_KEY_METHOD kSignerMethod{
    .sign = &on_sign, .decrypt = &on_decrypt, .complete = &on_complete};

Task<> sleep_until(TimePoint time) { co_await sleep_for(time - Clock::now()); }

}  // namespace

Task<> TlsHandshake::run() {
  while (true) {
    Step step = advance();
    if (step == Step::Failed) {
      [[maybe_unused]] auto alert = connection_.flush(transport_);
      co_await std::move(*failure_);
    }
    if (!connection_.output.empty()) co_await send();
    switch (step) {
      case Step::Read: co_await receive(); break;
      case Step::Certificate: co_await await_certificate(); break;
      case Step::Key: co_await await(signature_); break;
      case Step::Verify: co_await await(verdict_); break;
      case Step::Done:
      case Step::Failed: co_return;
    }
  }
}

TlsHandshake::Step TlsHandshake::advance() {
  int result = SSL_do_handshake(ssl());
  if (result == 1) return Step::Done;
  switch (SSL_get_error(ssl(), result)) {
    case SSL_ERROR_WANT_READ: return Step::Read;
    case SSL_ERROR_PENDING_CERTIFICATE: return Step::Certificate;
    case SSL_ERROR_WANT_PRIVATE_KEY_OPERATION: return Step::Key;
    case SSL_ERROR_WANT_CERTIFICATE_VERIFY: return Step::Verify;
    default: break;
  }
  Error error = take_tls_error(ErrorType::TlsHandshakeFailure, "TLS handshake");
  if (!failure_) failure_.emplace(std::move(error));
  return Step::Failed;
}

Task<> TlsHandshake::receive() {
  Result<std::size_t> received = co_await as_result(transport_.read(connection_.input, deadline_));
  if (!received) {
    if (received.error().type() == ErrorType::ReadTimedout) co_await timed_out();
    co_await Error::because(ErrorType::TlsHandshakeFailure, "TLS handshake",
                            std::move(received.error()));
  } else if (*received == 0) {
    co_await (has_received_
                  ? Error::explain(ErrorType::TlsHandshakeFailure,
                                   "closed in the middle of the TLS handshake")
                  : Error::explain(ErrorType::ConnectionClosed, "closed before the TLS handshake"));
  }
  has_received_ = true;
}

Task<> TlsHandshake::send() {
  if (auto sent = connection_.flush(transport_); !sent)
    co_await fail_sending(std::move(sent.error()));
  if (connection_.output.empty()) co_return;
  Result<void> sent = co_await as_result(transport_.write({connection_.output.view()}, deadline_));
  if (!sent) co_await fail_sending(std::move(sent.error()));
  connection_.output.reset();
}

Error TlsHandshake::fail_sending(Error error) const {
  if (error.type() == ErrorType::WriteTimedout) return timed_out();
  return Error::because(ErrorType::TlsHandshakeFailure, "TLS handshake", std::move(error));
}

Error TlsHandshake::timed_out() const {
  return Error::explain(ErrorType::TlsHandshakeTimedout,
                        has_received_ ? "the TLS handshake is not complete in time"
                                      : "nothing was received for a TLS handshake in time");
}

template <class T>
Task<> TlsHandshake::await(Awaited<T>& awaited) {
  Task<T> task = std::move(*std::exchange(awaited.task, std::nullopt));
  if (deadline_ == kNever) {
    awaited.result.emplace(co_await std::move(task).as_result());
    co_return;
  }
  auto first = co_await when_any(std::move(task), sleep_until(deadline_));
  if (first.index() == 1) co_await timed_out();
  awaited.result.emplace(std::move(std::get<0>(first)));
}
template Task<> TlsHandshake::await(Awaited<Certificate::Ptr>& awaited);
template Task<> TlsHandshake::await(Awaited<void>& awaited);

void TlsHandshake::fail_with(Error error) {
  if (!failure_) failure_.emplace(std::move(error));
}

Result<void> TlsHandshake::use_certificate(Certificate::Ptr certificate) {
  const CertificateData& data = certificate->data();
  std::vector<CRYPTO_BUFFER*> chain;
  chain.reserve(data.chain.size());
  for (const auto& each : data.chain) chain.push_back(each.get());
  if (SSL_set_chain_and_key(ssl(), chain.data(), chain.size(), data.key.get(),
                            data.signer ? &kSignerMethod : nullptr) != 1) {
    return fail(take_tls_error(ErrorType::TlsHandshakeFailure, "the certificate"));
  }
  certificate_ = std::move(certificate);
  return {};
}

ssl_private_key_result_t TlsHandshake::sign(std::uint16_t scheme, std::string_view input,
                                            std::span<std::uint8_t> out, std::size_t& out_size) {
  const auto& signer = certificate_->data().signer;
  if (!signature_.start(signer->sign(SignatureScheme{scheme}, Bytes::copy_of(input)))) {
    return ssl_private_key_retry;
  }
  return finish_signing(out, out_size);
}

ssl_private_key_result_t TlsHandshake::finish_signing(std::span<std::uint8_t> out,
                                                      std::size_t& out_size) {
  if (!signature_.result) return ssl_private_key_retry;
  Result<Bytes> signature = std::move(*std::exchange(signature_.result, std::nullopt));
  if (!signature) {
    fail_with(Error::because(ErrorType::TlsHandshakeFailure, "the private key's signature",
                             std::move(signature.error())));
    return ssl_private_key_failure;
  }
  if (signature->size() > out.size()) {
    fail_with(Error::explain(ErrorType::TlsHandshakeFailure,
                             "the private key's signature is larger than its key"));
    return ssl_private_key_failure;
  }
  std::memcpy(out.data(), signature->data(), signature->size());
  out_size = signature->size();
  return ssl_private_key_success;
}

ssl_verify_result_t TlsHandshake::verify(std::uint8_t& alert) {
  if (verdict_.is_running()) return ssl_verify_retry;
  if (!verdict_.result) {
    const STACK_OF(CRYPTO_BUFFER)* chain = SSL_get0_peer_certificates(ssl());
    if (chain == nullptr || sk_CRYPTO_BUFFER_num(chain) == 0) return ssl_verify_invalid;
    if (!verdict_.start(start_verifying(*chain, verify_alert_))) return ssl_verify_retry;
  }
  Result<void> verdict = std::move(*std::exchange(verdict_.result, std::nullopt));
  if (verdict) return ssl_verify_ok;
  alert = verify_alert_;
  Error& error = verdict.error();
  fail_with(
      error.type() == ErrorType::InvalidCert
          ? std::move(error)
          : Error::because(ErrorType::InvalidCert, "refused by the program", std::move(error)));
  return ssl_verify_invalid;
}

std::shared_ptr<SslDigest> TlsHandshake::describe() const {
  auto digest = std::make_shared<SslDigest>();
  digest->version = SSL_get_version(ssl());
  if (const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl())) {
    digest->cipher = SSL_CIPHER_standard_name(cipher);
  }
  const std::uint8_t* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(ssl(), &alpn, &alpn_size);
  if (alpn_size != 0) digest->alpn.assign(reinterpret_cast<const char*>(alpn), alpn_size);
  if (const char* name = SSL_get_servername(ssl(), TLSEXT_NAMETYPE_host_name)) {
    digest->server_name = name;
  }
  digest->is_resumed = SSL_session_reused(ssl()) != 0;
  digest->has_early_data = SSL_in_early_data(ssl()) != 0;
  const STACK_OF(CRYPTO_BUFFER)* chain = SSL_get0_peer_certificates(ssl());
  if (chain != nullptr && sk_CRYPTO_BUFFER_num(chain) != 0) {
    describe_certificate(*sk_CRYPTO_BUFFER_value(chain, 0), *digest);
  }
  return digest;
}

}  // namespace pingora::internal
