// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/tls_server_context.h"

#include <openssl/pool.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>

#include "tls/ticket_keys_impl.h"
#include "tls/tls_connection.h"
#include "tls/tls_context_parts.h"
#include "tls/tls_error.h"
#include "tls/tls_handshake.h"
#include "tls/tls_server_state.h"
#include "tls/x509_text.h"

namespace pingora {
namespace {

using internal::TlsConnection;
using internal::TlsHandshake;
using internal::TlsServerState;

// How long a client may come back with a ticket: as long as the keys of TicketKeys' defaults are
// kept for sure.
constexpr std::chrono::seconds kTicketLifetime = std::chrono::hours(24);

TlsServerState& state_of(const SSL* ssl) {
  return *static_cast<TlsServerState*>(internal::kept_with(*SSL_get_SSL_CTX(ssl)));
}

ssl_select_cert_result_t on_client_hello(const SSL_CLIENT_HELLO* hello) {
  TlsHandshake* handshake = TlsConnection::of(hello->ssl).handshake;
  return handshake == nullptr ? ssl_select_cert_error : handshake->select_certificate(*hello);
}

// A name that nothing is for: `select_certificate` goes on without a certificate, for here is where
// the right alert can be chosen.
int on_server_name(SSL* ssl, int* alert, void* /*argument*/) {
  TlsHandshake* handshake = TlsConnection::of(ssl).handshake;
  if (handshake == nullptr || !handshake->refuses_name()) return SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// In our order of preference, what the client has offered too (RFC 7301 §3.2).
int on_alpn(SSL* ssl, const std::uint8_t** out, std::uint8_t* out_size, const std::uint8_t* in,
            unsigned in_size, void* /*argument*/) {
  const auto& ours = state_of(ssl).settings.alpn;
  if (ours.empty()) return SSL_TLSEXT_ERR_NOACK;
  for (const std::string& name : ours) {
    for (unsigned at = 0; at < in_size; at += 1U + in[at]) {
      std::string_view offered(reinterpret_cast<const char*>(in) + at + 1, in[at]);
      if (offered != name) continue;
      *out = in + at + 1;
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::size_t ticket_overhead(SSL* /*ssl*/) { return TicketKeys::Impl::kOverhead; }

int seal_ticket(SSL* ssl, std::uint8_t* out, std::size_t* out_size, std::size_t out_max,
                const std::uint8_t* in, std::size_t in_size) {
  TicketKeys& keys = *state_of(ssl).ticket_keys;
  keys.rotate_if_due(coarse_now());
  return keys.impl().seal({out, out_max}, *out_size, {in, in_size}) ? 1 : 0;
}

ssl_ticket_aead_result_t open_ticket(SSL* ssl, std::uint8_t* out, std::size_t* out_size,
                                     std::size_t out_max, const std::uint8_t* in,
                                     std::size_t in_size) {
  TlsServerState& state = state_of(ssl);
  state.ticket_keys->rotate_if_due(coarse_now());
  bool is_open = state.ticket_keys->impl().open({out, out_max}, *out_size, {in, in_size});
  auto& counter = is_open ? state.counters.tickets_opened : state.counters.tickets_refused;
  counter.fetch_add(1, std::memory_order_relaxed);
  return is_open ? ssl_ticket_aead_success : ssl_ticket_aead_ignore_ticket;
}

constexpr SSL_TICKET_AEAD_METHOD kTicketMethod{
    .max_overhead = &ticket_overhead, .seal = &seal_ticket, .open = &open_ticket};

void set_tickets(SSL_CTX& context, const TlsServerState& state) {
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  if (state.settings.session_tickets == SessionTickets::Off) {
    SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
    return;
  }
  SSL_CTX_set_ticket_aead_method(&context, &kTicketMethod);
  SSL_CTX_set_num_tickets(&context, state.settings.tickets_per_connection);
  SSL_CTX_set_timeout(&context, static_cast<std::uint32_t>(kTicketLifetime.count()));
  SSL_CTX_set_session_psk_dhe_timeout(&context,
                                      static_cast<std::uint32_t>(kTicketLifetime.count()));
  if (state.settings.early_data == EarlyData::On) SSL_CTX_set_early_data_enabled(&context, 1);
}

Result<void> set_client_certificates(SSL_CTX& context, TlsServerState& state) {
  const TlsSettings& settings = state.settings;
  if (settings.client_certificates == ClientCertificates::Off) return {};
  if (settings.client_ca_file.empty() && settings.client_ca_pem.empty()) {
    // Nobody is trusted but by the program's callback.
    state.trust.store.reset(X509_STORE_new());
  } else {
    auto trust = internal::load_trust(settings.client_ca_file, settings.client_ca_pem);
    if (!trust) return fail(std::move(trust.error()).more_context("issuers of clients"));
    state.trust = std::move(*trust);
  }
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> names(sk_CRYPTO_BUFFER_new_null());
  for (const auto& subject : state.trust.subjects) {
    bssl::PushToStack(names.get(), bssl::UpRef(subject));
  }
  SSL_CTX_set0_client_CAs(&context, names.release());
  int mode = SSL_VERIFY_PEER;
  if (settings.client_certificates == ClientCertificates::Required) {
    mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  internal::set_verify(context, mode);
  return {};
}

// What a session was opened under: whose certificates were demanded and trusted.
std::string session_context_of(const TlsServerState& state) {
  std::string text = std::to_string(static_cast<int>(state.settings.client_certificates)) + "/" +
                     std::to_string(state.settings.client_chain_depth_max);
  for (const auto& subject : state.trust.subjects) {
    text.append(reinterpret_cast<const char*>(CRYPTO_BUFFER_data(subject.get())),
                CRYPTO_BUFFER_len(subject.get()));
  }
  return internal::sha256_of(text);
}

}  // namespace

TlsServerContext::TlsServerContext(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
TlsServerContext::~TlsServerContext() = default;

const TlsSettings& TlsServerContext::settings() const noexcept { return impl_->state->settings; }
TlsServerCounters& TlsServerContext::counters() const noexcept { return impl_->state->counters; }

Result<TlsServerContext::Ptr> TlsServerContext::create(TlsSettings settings) {
  if (auto valid = settings.validate(); !valid) return fail(std::move(valid.error()));
  auto state = std::make_shared<TlsServerState>();
  state->settings = std::move(settings);
  const TlsSettings& s = state->settings;
  auto context = internal::make_context({.version_min = s.version_min,
                                         .version_max = s.version_max,
                                         .ciphers = s.ciphers,
                                         .groups = s.groups});
  if (!context) return fail(std::move(context.error()));
  SSL_CTX& made = **context;
  internal::keep_with(made, state);
  // Among ciphers of the same rank (see TlsSettings::ciphers), the client's preference still
  // counts.
  SSL_CTX_set_options(&made, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (!s.key_log_file.empty()) {
    auto log = KeyLog::open(s.key_log_file);
    if (!log) return fail(std::move(log.error()));
    internal::set_key_log(made, std::move(*log));
  }
  if (auto set = set_client_certificates(made, *state); !set) return fail(std::move(set.error()));
  state->session_context = session_context_of(*state);
  state->ticket_keys = s.ticket_keys ? s.ticket_keys : std::make_shared<TicketKeys>();
  set_tickets(made, *state);
  SSL_CTX_set_select_certificate_cb(&made, &on_client_hello);
  SSL_CTX_set_tlsext_servername_callback(&made, &on_server_name);
  SSL_CTX_set_alpn_select_cb(&made, &on_alpn, nullptr);
  return std::make_shared<const TlsServerContext>(
      std::make_unique<Impl>(std::move(state), std::move(*context)));
}

}  // namespace pingora
