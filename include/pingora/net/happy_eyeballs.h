// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "pingora/net/connect.h"

namespace pingora {

struct HappyEyeballsOptions {
  /// How long an attempt runs alone before the next one joins it (RFC 8305 §5).
  Duration attempt_delay = std::chrono::milliseconds(250);
  /// Addresses beyond so many are not tried.
  std::size_t attempts_max = 16;
};

/// Connects to whichever of `addresses`, the addresses of one host in order of preference, answers
/// first: families in turn, the next attempt when the last one has failed or taken its time, and
/// the others closed as soon as one succeeds (RFC 8305). Runs in the strand of the caller.
///
/// `options` holds for each attempt and must stay until this ends; its deadline is that of all.
/// Errors: that of the first attempt to fail, with those of the others in its context; ResolveError
/// if there is no address.
Task<std::unique_ptr<Stream>> happy_eyeballs_connect(std::vector<SocketAddress> addresses,
                                                     const ConnectOptions& options,
                                                     HappyEyeballsOptions pace = {});

/// `addresses` with the families in turn, beginning with that of the first; otherwise in order.
std::vector<SocketAddress> interleave_families(std::vector<SocketAddress> addresses);

}  // namespace pingora
