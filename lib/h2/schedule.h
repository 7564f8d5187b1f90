// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pingora/base/intrusive_list.h"

namespace pingora::h2 {

class StreamState;

/// A stream's place among those that have data to send and a window for it.
struct SendTurn : ListHook {
  explicit SendTurn(StreamState& owner) noexcept : stream(owner) {}

  StreamState& stream;
};

/// Who sends next (RFC 9218 §10): the most urgent; among equals those that came first, or each in
/// turn where they are incremental.
class Schedule {
 public:
  static constexpr std::size_t kUrgencies = 8;

  /// Behind all others of this urgency.
  void add(SendTurn& turn, std::uint8_t urgency) noexcept {
    waiting_[urgency].push_back(turn);
    used_ |= 1U << urgency;
  }
  static void remove(SendTurn& turn) noexcept {
    if (turn.is_linked()) turn.unlink();
  }
  /// The one whose turn it is, or null.
  SendTurn* next() noexcept {
    while (used_ != 0) {
      auto urgency = static_cast<std::size_t>(__builtin_ctz(used_));
      if (SendTurn* turn = waiting_[urgency].front()) return turn;
      used_ &= used_ - 1;
    }
    return nullptr;
  }

 private:
  std::array<IntrusiveList<SendTurn>, kUrgencies> waiting_;
  std::uint32_t used_ = 0;  // a bit for each urgency of which there may be any
};

}  // namespace pingora::h2
