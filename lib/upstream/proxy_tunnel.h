// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "pingora/upstream/http_peer.h"
#include "pingora/upstream/transport_connector.h"

namespace pingora::internal {

/// Asks the proxy at the other end of `stream` for a tunnel to `peer`, whose rare options name that
/// proxy and what it is told (RFC 9110 §9.3.6). Any 2xx is a yes, but for one that announces a
/// Transfer-Encoding. `peer` must stay until this ends.
/// Errors: ConnectProxyFailure, with the proxy's status if it answered; ConnectTimedout.
Task<ConnectedStream> open_proxy_tunnel(std::unique_ptr<Stream> stream, const HttpPeer& peer,
                                        TimePoint deadline);

}  // namespace pingora::internal
