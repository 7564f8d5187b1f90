// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace pingora::h2 {

class Engine;

/// A stream of an engine, as the program sees it: from its first event, or from `submit_request`,
/// until `Engine::release`. A reference stays valid that long, also when the stream itself has
/// ended or the connection has failed; the engine must still exist.
///
/// Belongs to whatever guards the engine.
class EngineStream {
 public:
  EngineStream(const EngineStream&) = delete;
  EngineStream& operator=(const EngineStream&) = delete;

  std::uint32_t id() const noexcept { return id_; }

  /// A pointer of the program's, null at first.
  void* user_data() const noexcept { return user_data_; }
  void set_user_data(void* user_data) noexcept { user_data_ = user_data; }

  /// Bytes submitted that were not handed out yet: they wait for a window, or their turn.
  std::size_t send_buffered() const noexcept { return send_buffered_; }
  /// Whether more should be submitted. If not, a Writable event follows, unless the stream ends.
  /// What is submitted all the same is kept, up to the memory ceiling.
  bool is_writable() const noexcept { return is_writable_; }
  /// Bytes given out as Data events that were not consumed yet.
  std::size_t unconsumed() const noexcept { return unconsumed_; }
  /// Whether the peer's message was given out as events up to its end.
  bool is_receive_done() const noexcept { return is_receive_done_; }
  /// Whether our message was submitted up to its end.
  bool is_send_done() const noexcept { return is_send_done_; }
  /// Whether the stream has ended: completed, or reset by either side. Submitting on it does
  /// nothing.
  bool is_closed() const noexcept { return is_closed_; }
  /// RFC 9218 §4: 0 to 7, the lower the more urgent; 3 where nothing was said. Server only.
  std::uint8_t urgency() const noexcept { return urgency_; }
  bool is_incremental() const noexcept { return is_incremental_; }

 protected:
  EngineStream() noexcept = default;
  ~EngineStream() = default;

  std::uint32_t id_ = 0;
  std::uint8_t urgency_ = 3;
  bool is_incremental_ = false;
  bool is_writable_ = true;
  bool is_receive_done_ = false;
  bool is_send_done_ = false;
  bool is_closed_ = false;
  std::size_t send_buffered_ = 0;
  std::size_t unconsumed_ = 0;
  void* user_data_ = nullptr;
};

}  // namespace pingora::h2
