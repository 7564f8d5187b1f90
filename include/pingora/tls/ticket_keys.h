// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pingora/base/clock.h"
#include "pingora/base/error.h"

namespace pingora {

/// The keys that session tickets are sealed with: the current one seals and opens, those before it
/// only open. Shared by all contexts whose tickets are to be good for each other; machines that
/// share tickets are given the same keys.
///
/// Whoever has a key can read the TLS 1.2 sessions whose tickets it sealed (RFC 8446 §C.4), so that
/// they are rotated. Any thread.
class TicketKeys {
 public:
  static constexpr std::size_t kNameSize = 16;
  static constexpr std::size_t kSecretSize = 32;
  /// How many keys there are at the most, and how long one is the current one unless told.
  static constexpr std::size_t kKeysMax = 8;
  static constexpr std::chrono::hours kRotateAfter{12};
  static constexpr std::size_t kKept = 3;

  struct Options {
    /// How long a key seals; 0 never rotates. Default 12 h.
    std::chrono::seconds rotate_after = kRotateAfter;
    /// How many keys open tickets, the current one included. Default 3: a ticket is good for 24 h.
    std::size_t kept = kKept;
  };

  /// Random keys that are rotated when it is time, by whichever handshake comes then.
  TicketKeys();
  explicit TicketKeys(Options options);
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  /// Replaces all keys by `keys`, each 48 random bytes (16 of name, 32 of secret), the current one
  /// first. From then on nothing is rotated by time: whoever sets keys sets the next ones too.
  /// Errors: ConfigError for none, more than `kKeysMax`, another size, or a name that comes twice.
  Result<void> set(std::span<const std::string> keys);
  /// The same from a file of one or several keys of 48 bytes, one behind the other. Blocks.
  /// Errors: also FileOpenError, FileReadError.
  Result<void> load(const std::string& file);
  /// Makes a new random key the current one, now.
  void rotate();
  /// Does so if it is time at `now`: what each handshake calls.
  void rotate_if_due(TimePoint now);

  /// What lib/tls knows of it.
  struct Impl;
  Impl& impl() const noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace pingora
