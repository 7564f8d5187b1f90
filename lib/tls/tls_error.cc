// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <utility>

namespace pingora::internal {
namespace {

using Text = std::pair<int, std::string_view>;

// Where BoringSSL's own words leave open what to do.
constexpr std::array kReasons{
    Text{SSL_R_HTTP_REQUEST, "this is plain HTTP, not TLS"},
    Text{SSL_R_HTTPS_PROXY_REQUEST, "this is a plain CONNECT request, not TLS"},
    Text{SSL_R_WRONG_VERSION_NUMBER, "this is not TLS, or a version that nobody knows"},
    Text{SSL_R_UNSUPPORTED_PROTOCOL, "no version of TLS that both sides allow"},
    Text{SSL_R_UNKNOWN_PROTOCOL, "this is not TLS"},
    Text{SSL_R_NO_SHARED_CIPHER,
         "no cipher suite that both sides allow, or no certificate of a kind that the client can "
         "check"},
    Text{SSL_R_NO_SHARED_GROUP, "no key exchange group that both sides allow"},
    Text{SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS,
         "no signature algorithm that the client accepts suits the key of the certificate"},
    Text{SSL_R_NO_CERTIFICATE_SET, "there is no certificate to show"},
    Text{SSL_R_CONNECTION_REJECTED, "there is no certificate for this client"},
    Text{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the client has shown no certificate"},
    Text{SSL_R_CERTIFICATE_VERIFY_FAILED, "the certificate was refused"},
    Text{SSL_R_NO_APPLICATION_PROTOCOL, "no protocol that both sides speak (ALPN)"},
    Text{SSL_R_NO_RENEGOTIATION, "renegotiation is refused"},
    Text{SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, "a record was damaged or forged on its way"},
    Text{SSL_R_EXCESSIVE_MESSAGE_SIZE, "a handshake message is too large"},
    Text{SSL_R_TOO_MANY_KEY_UPDATES, "the peer asks for new keys again and again"},
};

constexpr std::array kAlerts{
    Text{SSL3_AD_CLOSE_NOTIFY, "it has closed the connection"},
    Text{SSL3_AD_UNEXPECTED_MESSAGE, "a message out of turn"},
    Text{SSL3_AD_BAD_RECORD_MAC, "a damaged record"},
    Text{SSL3_AD_HANDSHAKE_FAILURE, "no version, cipher suite and certificate that both allow"},
    Text{SSL3_AD_BAD_CERTIFICATE, "a damaged certificate"},
    Text{SSL3_AD_UNSUPPORTED_CERTIFICATE, "a certificate of a kind that it cannot check"},
    Text{SSL3_AD_CERTIFICATE_REVOKED, "our certificate is revoked"},
    Text{SSL3_AD_CERTIFICATE_EXPIRED, "our certificate has expired"},
    Text{SSL3_AD_CERTIFICATE_UNKNOWN, "it does not accept our certificate"},
    Text{SSL3_AD_ILLEGAL_PARAMETER, "an illegal value"},
    Text{TLS1_AD_UNKNOWN_CA, "it does not know the issuer of our certificate"},
    Text{TLS1_AD_ACCESS_DENIED, "it denies access to our certificate"},
    Text{TLS1_AD_DECODE_ERROR, "a message that it cannot read"},
    Text{TLS1_AD_DECRYPT_ERROR, "a signature or ticket that is not right"},
    Text{TLS1_AD_PROTOCOL_VERSION, "no version of TLS that both sides allow"},
    Text{TLS1_AD_INSUFFICIENT_SECURITY, "it demands stronger cipher suites"},
    Text{TLS1_AD_INTERNAL_ERROR, "a failure of its own"},
    Text{TLS1_AD_USER_CANCELLED, "it was cancelled there"},
    Text{TLS1_AD_NO_RENEGOTIATION, "it refuses renegotiation"},
    Text{TLS1_AD_UNRECOGNIZED_NAME, "it serves no such name (SNI)"},
    Text{TLS1_AD_CERTIFICATE_REQUIRED, "it demands a certificate of us"},
    Text{TLS1_AD_NO_APPLICATION_PROTOCOL, "no protocol that both sides speak (ALPN)"},
};

template <std::size_t kSize>
std::string_view find(const std::array<Text, kSize>& texts, int key) {
  for (const auto& [known, text] : texts) {
    if (known == key) return text;
  }
  return {};
}

}  // namespace

std::string alert_text(int alert) {
  std::string text = "the peer complains: ";
  text += find(kAlerts, alert);
  std::string_view name = SSL_alert_desc_string_long(alert);
  text += text.ends_with(' ') ? "" : " ";
  text += "(alert ";
  text += name;
  text += ", ";
  text += std::to_string(alert);
  text += ")";
  return text;
}

std::string take_tls_error_text() {
  std::uint32_t packed = ERR_get_error();
  // What TLS makes of it says more than what the cipher, or the parser, stumbled over.
  for (std::uint32_t next = packed; next != 0; next = ERR_get_error()) {
    if (ERR_GET_LIB(packed) != ERR_LIB_SSL)
      packed = ERR_GET_LIB(next) == ERR_LIB_SSL ? next : packed;
  }
  if (packed == 0) return "failed without a reason";
  int reason = ERR_GET_REASON(packed);
  if (ERR_GET_LIB(packed) == ERR_LIB_SSL) {
    if (reason >= SSL_AD_REASON_OFFSET) return alert_text(reason - SSL_AD_REASON_OFFSET);
    if (std::string_view text = find(kReasons, reason); !text.empty()) return std::string(text);
  }
  const char* known = ERR_reason_error_string(packed);
  if (known == nullptr) return "error " + std::to_string(packed) + " of BoringSSL";
  std::string text = known;
  for (char& c : text) c = c == '_' ? ' ' : static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return text;
}

Error take_tls_error(ErrorType type, std::string_view doing) {
  return Error::explain(type, std::string(doing) + ": " + take_tls_error_text());
}

}  // namespace pingora::internal
