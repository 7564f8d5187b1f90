// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pingora/base/error.h"

namespace pingora {

/// What a client needs to resume a session with the server that gave it: secrets. Immutable; any
/// thread. One of TLS 1.3 should be used once only (RFC 8446 §C.4).
class TlsSession {
 public:
  using Ptr = std::shared_ptr<const TlsSession>;

  /// For other processes of the same program.
  static Result<Ptr> deserialize(std::string_view bytes);
  std::string serialize() const;

  bool is_single_use() const noexcept;
  /// Whether the server would take early data with it.
  bool allows_early_data() const noexcept;
  /// Whether the server still takes it, as far as its lifetime says.
  bool is_expired() const noexcept;

  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  /// What lib/tls knows of it.
  struct Impl;
  const Impl& impl() const noexcept { return *impl_; }
  explicit TlsSession(std::unique_ptr<const Impl> impl) noexcept;

 private:
  std::unique_ptr<const Impl> impl_;
};

/// Where sessions that servers give are kept: they come with, or long after, the handshake. Shared
/// by connections on all workers.
class TlsSessionSink {
 public:
  virtual ~TlsSessionSink() = default;
  /// Called in the strand of the connection, while it is read. Does not wait.
  virtual void store(TlsSession::Ptr session) noexcept = 0;
};

}  // namespace pingora
