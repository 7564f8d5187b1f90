// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/client_handshake.h"

#include <string>
#include <string_view>
#include <utility>

#include "tls/tls_error.h"
#include "tls/tls_session_impl.h"

namespace pingora::internal {

Result<void> ClientHandshake::configure() {
  const TlsClientOptions& options = context_.options;
  std::string name = connect_.server_name;
  if (name.ends_with('.')) name.pop_back();
  if (!name.empty() && !is_ip_address(name) && SSL_set_tlsext_host_name(ssl(), name.c_str()) != 1) {
    return fail(take_tls_error(ErrorType::TlsHandshakeFailure, "the server's name " + name));
  }
  if (!context_.alpn.empty()) {
    SSL_set_alpn_protos(ssl(), reinterpret_cast<const std::uint8_t*>(context_.alpn.data()),
                        static_cast<unsigned>(context_.alpn.size()));
  }
  if (options.certificate) {
    if (auto used = use_certificate(options.certificate); !used) return used;
  }
  if (connect_.session) SSL_set_session(ssl(), connect_.session->impl().session.get());
  return {};
}

Result<void> ClientHandshake::check(const STACK_OF(CRYPTO_BUFFER) & chain,
                                    std::uint8_t& alert) const {
  const TlsClientOptions& options = context_.options;
  if (options.verify == VerifyServer::Off) return {};
  std::vector<std::string_view> names;
  if (options.verify == VerifyServer::Full) {
    names.assign({connect_.server_name});
    names.insert(names.end(), connect_.alternative_names.begin(), connect_.alternative_names.end());
  }
  return verify_chain(chain,
                      {.peer = ChainPolicy::Peer::Server,
                       .store = context_.trust.store.get(),
                       .depth_max = options.chain_depth_max,
                       .names = names},
                      alert);
}

Task<> ClientHandshake::start_verifying(const STACK_OF(CRYPTO_BUFFER) & chain,
                                        std::uint8_t& alert) {
  Result<void> verdict = check(chain, alert);
  const auto& verifier = context_.options.verifier;
  if (!verifier) return verdict;
  if (!verdict) verify_failure_.emplace(std::move(verdict.error()));
  chain_ = chain_bytes(chain);
  return verifier->verify(chain_, connect_.server_name,
                          verify_failure_ ? &*verify_failure_ : nullptr);
}

}  // namespace pingora::internal
