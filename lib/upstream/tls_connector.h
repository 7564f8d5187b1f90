// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "pingora/base/clock.h"
#include "pingora/net/stream.h"
#include "pingora/runtime/task.h"
#include "pingora/upstream/http_peer.h"
#include "tls_context_cache.h"
#include "tls_session_cache.h"

namespace pingora::internal {

/// Puts TLS on the streams to peers, and keeps what connections to them have in common: contexts,
/// and sessions to resume. Counts `pingora_upstream_tls_handshakes_total{result="full|resumed|
/// failed"}`. Any strand.
class TlsConnector {
 public:
  TlsConnector(std::size_t contexts_max, std::size_t session_peers_max, TlsDefaults defaults = {})
      : contexts_(contexts_max, std::move(defaults)),
        sessions_(std::make_shared<TlsSessionCache>(session_peers_max)) {}

  /// The handshake on `transport`, which is connected to `peer`; `peer` and this must stay until
  /// the task ends. Errors: as of tls_connect, or with source Internal if the options of the peer
  /// make no sense.
  Task<std::unique_ptr<Stream>> connect(std::unique_ptr<Stream> transport, const HttpPeer& peer,
                                        TimePoint deadline);

  TlsContextCache& contexts() noexcept { return contexts_; }
  TlsSessionCache& sessions() noexcept { return *sessions_; }

 private:
  TlsContextCache contexts_;
  std::shared_ptr<TlsSessionCache> sessions_;  // with the connections, to which sessions come late
};

}  // namespace pingora::internal
