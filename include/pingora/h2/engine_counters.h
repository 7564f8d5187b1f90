// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pingora::h2 {

/// The counters of an engine: what happened, and how often each limit of EngineOptions struck. The
/// first column names the field, the second says what it counts.
#define PINGORA_H2_COUNTERS(X)                                                           \
  X(streams_opened, "streams that either side began")                                    \
  X(streams_completed, "streams that ended with both messages whole")                    \
  X(streams_refused, "requests above concurrent_streams_max")                            \
  X(malformed_messages, "heads, trailers and bodies that break the rules of RFC 9113 8") \
  X(heads_refused, "heads and trailers above a limit")                                   \
  X(peer_resets, "streams that the peer reset before they were complete")                \
  X(provoked_resets, "streams that the peer made us reset")                              \
  X(reset_floods, "connections ended because of resets")                                 \
  X(header_block_floods, "connections ended because of a header block without end")      \
  X(ping_floods, "connections ended because of PING")                                    \
  X(settings_floods, "connections ended because of SETTINGS")                            \
  X(empty_data_floods, "connections ended because of empty DATA")                        \
  X(window_update_floods, "connections ended because of WINDOW_UPDATE")                  \
  X(priority_floods, "connections ended because of PRIORITY or PRIORITY_UPDATE")         \
  X(unknown_frame_floods, "connections ended because of frames of unknown types")        \
  X(ack_floods, "connections ended because the peer did not read acknowledgements")      \
  X(memory_exhausted, "connections ended at memory_bytes_max")                           \
  X(protocol_errors, "connections ended because the peer broke the rules of framing")    \
  X(send_buffer_full, "times that connection_send_bytes_max stopped the writers")

/// Plain numbers of one engine, since it was made or since `Engine::take_counters`.
struct EngineCounters {
#define PINGORA_H2_COUNTER(name, meaning) std::uint64_t name = 0;
  PINGORA_H2_COUNTERS(PINGORA_H2_COUNTER)
#undef PINGORA_H2_COUNTER

  /// Calls `visit(name, meaning, value)` for each.
  template <class Visit>
  void for_each(Visit visit) const {
#define PINGORA_H2_COUNTER(name, meaning) visit(#name, meaning, name);
    PINGORA_H2_COUNTERS(PINGORA_H2_COUNTER)
#undef PINGORA_H2_COUNTER
  }
};

}  // namespace pingora::h2
