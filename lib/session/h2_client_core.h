// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "pingora/http/request_header.h"
#include "pingora/runtime/event.h"
#include "pingora/session/h2_client_connection.h"
#include "session/h2_connection.h"

namespace pingora::internal {

/// Where a connection keeps its options: in front of the base that refers to them.
struct H2ClientOptions {
  explicit H2ClientOptions(H2Options from) : own_options(std::move(from)) {}
  const H2Options own_options;
};

/// An HTTP/2 connection in the client's role. Shared by its handles, its sessions and whoever runs
/// it.
class H2ClientCore final : H2ClientOptions, public H2Connection {
 public:
  H2ClientCore(std::unique_ptr<pingora::Stream> stream, H2Options options,
               std::uint32_t streams_max);

  /// Ends the connection once it is closed to streams and the last is gone.
  Task<> shut_down_when_retired();

  /// Sends the head of a request: the beginning of a stream. Errors, with retry Yes since nothing
  /// was sent: H2Error, ConnectionClosed. InvalidHttpHeader if it can not be sent.
  Result<H2StreamRef> open(const RequestHeader& request, const h2::RequestParts& parts,
                           EndOfStream end);

  void close_to_streams();
  bool close_if_idle();
  void give_back_slot();
  /// An exchange waited for too long: is the peer still there?
  void check_peer();

  StreamSlots& slots() noexcept { return slots_; }
  /// Counts the sessions; returns whether there was one before.
  bool note_session() noexcept { return sessions_.fetch_add(1, std::memory_order_relaxed) != 0; }
  bool is_used() const noexcept { return sessions_.load(std::memory_order_relaxed) != 0; }

  /// Set once the peer's settings are known, or the connection has ended.
  Event& settings_known() noexcept { return settings_known_; }
  /// Whether the connection ended before that.
  bool has_ended() const noexcept { return has_ended_.load(std::memory_order_acquire); }
  /// Whether the peer takes extended CONNECT (RFC 8441). Once its settings are known.
  bool takes_extended_connect() const noexcept {
    return takes_extended_connect_.load(std::memory_order_relaxed);
  }

 protected:
  void on_event(h2::Event&& event) override;
  void on_limit(std::string_view name) override;
  void on_ended() override;
  void publish(const h2::EngineCounters& counters) override;

 private:
  const std::uint32_t streams_max_;
  StreamSlots slots_;
  std::atomic<std::uint64_t> sessions_{0};
  std::atomic<bool> takes_extended_connect_{false};
  std::atomic<bool> has_ended_{false};
  Event settings_known_;
  Event retired_;
};

}  // namespace pingora::internal
