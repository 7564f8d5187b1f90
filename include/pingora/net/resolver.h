// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pingora/base/clock.h"
#include "pingora/net/socket_address.h"
#include "pingora/runtime/task.h"

namespace pingora {

/// What a look-up found.
struct ResolvedName {
  /// In order of preference (RFC 6724), at least one; their ports are 0.
  std::vector<SocketAddress> addresses;
  /// How long this may be believed: the smallest TTL of the records, 0 for a name from the hosts
  /// file; negative if nobody said.
  std::chrono::seconds ttl{-1};
};

/// Finds the addresses of a host, blocking. Called on a thread of the blocking pool.
using NameLookup = std::function<Result<ResolvedName>(const std::string& host)>;

/// Which answers of the domain name system a `dns_lookup` asks for, and whom.
struct DnsOptions {
  enum class Families : std::uint8_t { Both, Ipv4, Ipv6 };
  Families families = Families::Both;
  /// "192.0.2.1" or "192.0.2.1:5353", several with commas between; empty: the system's.
  std::string servers{};
  /// For one question to one server, and how often each is asked.
  std::chrono::milliseconds timeout{2000};
  int tries = 3;
};

/// A look-up in the hosts file and the domain name system, as the system is configured.
/// Errors: ResolveError, saying which name and why.
NameLookup dns_lookup(DnsOptions options = {});

struct ResolverOptions {
  /// Bounds for the TTLs of answers: a TTL of 0 would have every request ask again, and one of a
  /// week keep a dead host for that long.
  std::chrono::seconds ttl_min{1};
  std::chrono::seconds ttl_max{3600};
  /// For answers that say nothing of a TTL.
  std::chrono::seconds ttl_default{30};
  /// How long a failure is believed. Short: it may be a server that is just starting.
  std::chrono::seconds negative_ttl{1};
  /// Names that are kept; beyond that, those that end first make room.
  std::size_t entries_max = 4096;
  /// Where answers come from; `dns_lookup()` if empty.
  NameLookup lookup{};
  /// The time, for tests.
  std::function<TimePoint()> now = &Clock::now;
};

/// Turns host names into addresses, and remembers them for as long as they may be believed.
///
/// Several requests for a name that is being looked up share the one look-up. May be used from any
/// number of strands and threads. May be destroyed when nobody waits for it; a look-up that is
/// still running then is dropped when it ends.
class Resolver {
 public:
  explicit Resolver(ResolverOptions options = {});
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  /// The addresses of `host`, with `port`; at least one. A numeric address, with or without
  /// brackets, and a name that is remembered need no waiting. Cancelling it leaves the look-up
  /// running, for its answer is remembered.
  /// Errors: ResolveError.
  Task<std::vector<SocketAddress>> resolve(std::string host, std::uint16_t port);

  /// Forgets everything; look-ups that are running are not remembered either.
  void clear();
  /// Names that are remembered or being looked up.
  std::size_t size() const;
  /// Look-ups that were started.
  std::uint64_t lookup_count() const;

 private:
  class State;
  std::shared_ptr<State> state_;  // with look-ups that are running
};

}  // namespace pingora
