// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "pingora/base/error.h"
#include "pingora/tls/tls_settings.h"

namespace pingora {

/// What a listener's handshakes have come to. Any thread.
struct TlsServerCounters {
  std::atomic<std::uint64_t> handshakes{0};      // complete
  std::atomic<std::uint64_t> resumed{0};         // of these
  std::atomic<std::uint64_t> failed{0};          // not complete, whatever the reason
  std::atomic<std::uint64_t> timed_out{0};       // of these
  std::atomic<std::uint64_t> early_data{0};      // complete, with early data accepted
  std::atomic<std::uint64_t> tickets_opened{0};  // tickets that a key was there for
  std::atomic<std::uint64_t> tickets_refused{0};
};

/// What all connections of a listener share: made of its settings once, constant from then on. Any
/// thread. Certificates change in the settings' store, not here.
class TlsServerContext {
 public:
  using Ptr = std::shared_ptr<const TlsServerContext>;

  /// Blocks for files: for start-up. Errors: ConfigError, FileOpenError, FileReadError, with what
  /// is wrong.
  static Result<Ptr> create(TlsSettings settings);
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;
  ~TlsServerContext();

  const TlsSettings& settings() const noexcept;
  TlsServerCounters& counters() const noexcept;

  /// What lib/tls knows of it.
  struct Impl;
  const Impl& impl() const noexcept { return *impl_; }
  explicit TlsServerContext(std::unique_ptr<Impl> impl) noexcept;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace pingora
