// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pingora/base/error.h"
#include "pingora/tls/certificate_store.h"
#include "pingora/tls/tls_accept.h"

namespace pingora {

class TicketKeys;

/// Versions of the protocol; older ones are not spoken.
enum class TlsVersion : std::uint16_t { Tls12 = 0x0303, Tls13 = 0x0304 };

/// Whether a listener asks clients for a certificate.
enum class ClientCertificates : std::uint8_t {
  Off,
  /// A client may show one; if it does, it must be good.
  Optional,
  /// A client that shows none is refused.
  Required,
};

/// What a client gets that names a server which no certificate is for.
enum class UnknownName : std::uint8_t {
  /// The default certificate, which it will hardly accept. So that clients without SNI and those
  /// that connect by an address of their own are served alike.
  DefaultCertificate,
  /// The alert unrecognized_name. Clients that name no server still get the default certificate.
  Alert,
};

enum class SessionTickets : bool { Off, On };
/// Whether a client may send its first request together with its ClientHello. Others can send that
/// again: only safe methods pass, marked with `Early-Data: 1` on the way to the upstream; the
/// others are answered 425 (RFC 8470).
enum class EarlyData : bool { Off, On };

/// How a listener speaks TLS. Answers to Pingora's `TlsSettings`.
///
///     auto settings = TlsSettings::intermediate("cert.pem", "key.pem");
///     if (!settings) return fail(std::move(settings.error()));
///     settings->enable_h2();
///     service.add_tls("0.0.0.0:443", std::move(*settings));
struct TlsSettings {
  /// For any client of the last ten years: TLS 1.2 and 1.3, with forward secrecy and authenticated
  /// encryption only. Mozilla's "intermediate" profile, version 5.7, as far as BoringSSL goes (no
  /// DHE). With the certificate in these files, or those of `certificates`.
  static Result<TlsSettings> intermediate(std::string certificate_file, std::string key_file);
  static TlsSettings intermediate(std::shared_ptr<CertificateStore> certificates);
  /// For clients of the last few years: TLS 1.3 alone. Mozilla's "modern" profile.
  static Result<TlsSettings> modern(std::string certificate_file, std::string key_file);
  static TlsSettings modern(std::shared_ptr<CertificateStore> certificates);

  /// Offers HTTP/2 beside HTTP/1.1, and before it.
  void enable_h2();

  /// Checks what can be checked without taking anything; an error's `context()` is one line.
  Result<void> validate() const;

  /// Shared with whoever reloads it, and with other listeners. Empty only if `callbacks` gives all
  /// the certificates.
  std::shared_ptr<CertificateStore> certificates;

  TlsVersion version_min = TlsVersion::Tls12;
  TlsVersion version_max = TlsVersion::Tls13;
  /// For TLS 1.2, in the order of preference: names of OpenSSL with colons between. Among those in
  /// brackets the client's preference decides, which knows whether it has AES in hardware. Those of
  /// TLS 1.3 are fixed.
  std::string ciphers =
      "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]:"
      "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:"
      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
  /// For the key exchange, in the order of preference: names with colons between.
  std::string groups = "X25519:P-256:P-384";
  /// Protocols to agree on (ALPN), in the order of preference. A client that offers only others is
  /// refused (no_application_protocol, RFC 7301 §3.2); one that offers none speaks HTTP/1.1.
  std::vector<std::string> alpn{"http/1.1"};
  UnknownName unknown_name = UnknownName::DefaultCertificate;

  ClientCertificates client_certificates = ClientCertificates::Off;
  /// The issuers of clients' certificates: a PEM file, or what would be in it. Read once.
  std::string client_ca_file;
  std::string client_ca_pem;
  /// Certificates between a client's and the issuer's, at most.
  unsigned client_chain_depth_max = 4;

  /// Shared by all connections of the listener; null: none.
  std::shared_ptr<TlsAccept> callbacks;

  SessionTickets session_tickets = SessionTickets::On;
  /// Tickets that a connection of TLS 1.3 gives its client, 1 to 16: the client can resume as many
  /// connections at once when it comes back, each ticket being good for one (RFC 8446 §C.4). Each
  /// takes a few microseconds and 200 bytes. (BoringSSL and OpenSSL: 2.)
  unsigned tickets_per_connection = 1;
  /// What tickets are sealed with; null: keys of the listener's own, which are made in memory and
  /// change by themselves. To be shared between listeners, and by machines that serve the same
  /// names.
  std::shared_ptr<TicketKeys> ticket_keys;
  EarlyData early_data = EarlyData::Off;

  /// Where the keys of all connections are written to, for debugging with a packet analyser (the
  /// format of SSLKEYLOGFILE). Whoever reads it reads everything. Empty: nowhere.
  std::string key_log_file;

  /// From the beginning of a connection until the handshake is complete (Pingora: 60 s).
  std::chrono::milliseconds handshake_timeout{15'000};
  /// Handshakes at once, at most, for a listener: one takes about 50 KB. At the limit, the one that
  /// has waited for its client for the longest, a second at least, is given up for the newcomer; if
  /// there is none, accepting waits. 0: no limit.
  std::size_t handshakes_max = 4096;
};

}  // namespace pingora
