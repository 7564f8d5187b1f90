// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/aead.h>
#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pingora/base/snapshot.h"
#include "pingora/tls/ticket_keys.h"

namespace pingora {

namespace internal {

/// One key, ready for use by any number of threads.
struct TicketKey {
  std::string name;  // kNameSize
  bssl::UniquePtr<EVP_AEAD_CTX> aead;
};
/// The current one first. Shared between the snapshots before and behind a rotation.
using TicketKeySet = std::vector<std::shared_ptr<const TicketKey>>;

}  // namespace internal

struct TicketKeys::Impl {
  explicit Impl(Options chosen);

  const Options options;
  internal::Snapshot<internal::TicketKeySet> keys;
  std::mutex mutex;                          // one replaces the keys at a time
  std::atomic<Clock::rep> next_rotation{0};  // a TimePoint; changed under the mutex

  /// A sealed ticket is name, nonce, ciphertext, tag.
  static constexpr std::size_t kNonceSize = 12;
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kOverhead = kNameSize + kNonceSize + kTagSize;

  /// False if it cannot be sealed. `out` has room for `kOverhead` more than `in`.
  bool seal(std::span<std::uint8_t> out, std::size_t& out_size,
            std::span<const std::uint8_t> in) const;
  /// False if no key is its, or it was tampered with.
  bool open(std::span<std::uint8_t> out, std::size_t& out_size,
            std::span<const std::uint8_t> in) const;

  void set_next_rotation(TimePoint now);
  void rotate_locked(TimePoint now);
};

}  // namespace pingora
