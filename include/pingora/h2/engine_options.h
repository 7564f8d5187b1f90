// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "pingora/base/clock.h"

namespace pingora::h2 {

/// Whether extended CONNECT (RFC 8441) is announced, which WebSocket over HTTP/2 needs.
enum class ExtendedConnect : std::uint8_t { No, Yes };

/// What a peer may do that costs it little and us more: so many at once, and so many a second on
/// average. What a budget counts beyond that ends the connection with ENHANCE_YOUR_CALM.
struct Budget {
  std::uint32_t burst = 0;
  std::uint32_t per_second = 0;
};

/// Limits of one HTTP/2 connection. One per listener or peer; read-only while engines use it.
/// "Counter" names the field of EngineCounters that says how often a limit struck.
struct EngineOptions {
  // Streams and windows.

  /// Streams that the peer may have open at once, announced to it. A stream that was reset counts
  /// until it is released: until the work that it caused has ended. Above: REFUSED_STREAM.
  /// Counter: streams_refused.
  std::uint32_t concurrent_streams_max = 128;
  /// What the peer may send on one stream before any of it is consumed. Grows up to
  /// `stream_window_bytes_max` where a path turns out to be fast and long.
  std::uint32_t stream_window_bytes = 64 * 1024;
  std::uint32_t stream_window_bytes_max = 1024 * 1024;
  /// The same for the whole connection: what it may make us buffer. Several streams whose readers
  /// have stopped must not stop the others, so it is many times that of a stream. 65,535, with
  /// which a connection begins, is the least.
  std::uint32_t connection_window_bytes = 2 * 1024 * 1024;
  std::uint32_t connection_window_bytes_max = 8 * 1024 * 1024;
  /// The largest frame that the peer may send; 16,384 is the least that RFC 9113 allows.
  std::uint32_t frame_bytes_max = 16 * 1024;
  /// The table of the header decoder, announced, and the most that the encoder uses of what the
  /// peer offers.
  std::uint32_t header_table_bytes = 4096;
  ExtendedConnect extended_connect = ExtendedConnect::No;

  // Heads: as for HTTP/1, checked while decoding, so that a small block can not become a large one.

  /// Names and values of one head, with 32 bytes for each field (RFC 9113 §6.5.2); announced.
  /// Above: a request is answered with 431 and a response's stream is reset. Four times that ends
  /// the connection. Counter: heads_refused.
  std::uint32_t header_list_bytes_max = 64 * 1024;
  /// Fields of a head or trailer section, cookie fields apart. As above.
  std::uint32_t fields_max = 128;
  /// Cookie fields, into which clients split one for better compression.
  std::uint32_t cookie_crumbs_max = 256;
  /// The `:path` of a request. Above: 414. Counter: heads_refused.
  std::uint32_t target_bytes_max = 8 * 1024;
  /// A trailer section, counted as a head. Above: the stream is reset. Counter: heads_refused.
  std::uint32_t trailer_bytes_max = 8 * 1024;
  /// A header block as it arrives: bytes, and CONTINUATION frames. Above: the connection ends, with
  /// ENHANCE_YOUR_CALM. Counter: header_block_floods.
  std::uint32_t header_block_bytes_max = 64 * 1024;
  std::uint32_t continuations_max = 8;
  /// How long a head may take from its first frame to END_HEADERS. The engine has no timers: the
  /// session asks `Engine::head_deadline`.
  Duration head_timeout = std::chrono::seconds(30);

  // What is buffered.

  /// A stream whose data waits for the peer's window is not writable from `send_high_bytes` on, and
  /// again at `send_low_bytes`.
  std::uint32_t send_high_bytes = 64 * 1024;
  std::uint32_t send_low_bytes = 32 * 1024;
  /// The same over all streams of the connection: from here on none is writable.
  /// Counter: send_buffer_full.
  std::uint32_t connection_send_bytes_max = 2 * 1024 * 1024;
  /// Everything that a connection makes us hold: decoding tables, heads, queued frames, bodies
  /// received and not consumed, bodies to be sent. Above: the connection ends, with
  /// ENHANCE_YOUR_CALM. Counter: memory_exhausted.
  std::size_t memory_bytes_max = 16 * 1024 * 1024;

  // Budgets. Each is for what honest peers do now and then, and attackers do without end.

  /// Streams that the peer resets before they are complete, and streams that it makes us reset by
  /// breaking the rules (CVE-2023-44487, CVE-2025-8671). A completed stream gives one back.
  /// A browser that leaves a page resets some hundred at once. Counters: peer_resets,
  /// provoked_resets, reset_floods.
  Budget resets{256, 16};
  /// PING frames that want an answer. Counter: ping_floods.
  Budget pings{64, 8};
  /// SETTINGS frames. Counter: settings_floods.
  Budget settings{16, 2};
  /// DATA frames without data that do not end a stream. Counter: empty_data_floods.
  Budget empty_data{64, 16};
  /// WINDOW_UPDATE frames. A frame of DATA sent gives four back, a request four: honest peers send
  /// one for the stream and one for the connection. Counter: window_update_floods.
  Budget window_updates{2048, 256};
  /// PRIORITY and PRIORITY_UPDATE frames. A request gives four back. Counter: priority_floods.
  Budget priorities{512, 32};
  /// Frames of unknown types, which are to be ignored. Counter: unknown_frame_floods.
  Budget unknown_frames{64, 16};
  /// Acknowledgements that wait for the peer to read them. Counter: ack_floods.
  std::uint32_t acks_queued_max = 64;
};

}  // namespace pingora::h2
