// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "pingora/base/bytes.h"
#include "pingora/base/clock.h"
#include "pingora/base/error.h"
#include "pingora/h2/engine_counters.h"
#include "pingora/h2/engine_options.h"
#include "pingora/h2/engine_stream.h"
#include "pingora/h2/error_code.h"
#include "pingora/h2/event.h"
#include "pingora/h2/output.h"
#include "pingora/http/end_of_stream.h"
#include "pingora/http/header_edits.h"
#include "pingora/http/header_map.h"
#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora::h2 {

enum class Role : std::uint8_t { Server, Client };

/// What goes with a request's head beyond the header itself.
struct RequestParts {
  HeaderEdits edits;
  Scheme scheme = Scheme::Http;
  /// For an extended CONNECT (RFC 8441), which needs the peer's settings to allow it: the header
  /// has the method CONNECT and a path.
  std::string_view protocol;
  void* user_data = nullptr;
};

/// What the peer has announced. What it has not is as RFC 9113 §6.5.2 says.
struct PeerSettings {
  bool are_known = false;
  std::uint32_t concurrent_streams_max = 100;
  std::uint32_t stream_window_bytes = 65535;
  std::uint32_t frame_bytes_max = 16384;
  std::uint32_t header_list_bytes_max = UINT32_MAX;
  bool extended_connect = false;
};

/// HTTP/2 without I/O (RFC 9113): bytes in, events out, bytes out. One object is one connection in
/// one of the two roles.
///
/// The loop around it: `feed` what was read; take events with `next_event` until there is none;
/// `take_output` and write that; take events again, because handing output out makes some (Closed,
/// Writable). Anything submitted makes output. Nothing is sent, read, or called back by itself, and
/// there are no timers; `now` is what budgets and deadlines are measured by, monotonic, as coarse
/// as it likes.
///
/// Back-pressure is end to end: the peer's windows open when the program says with `consume` that
/// its reader has taken the bytes, and never before.
///
/// Heads are translated on the way in and out (see translation.h): what an event gives is a valid
/// message with a Host field and without connection fields, as after an HTTP/1 parser; what is
/// malformed in any way of RFC 9113 §8 is reset and gives no RequestHead, so that nothing of it can
/// reach an upstream.
///
/// Not synchronised: one mutex or one strand guards an engine with its streams. Never throws but
/// for memory, and no input makes it fail an assertion. Errors have type H2Error.
class Engine {
 public:
  /// `options` must outlive the engine. The connection preface and our SETTINGS are output at once.
  Engine(Role role, const EngineOptions& options, TimePoint now);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  Role role() const noexcept;

  // Bytes in, events out.

  /// Takes what has arrived, all of it. Data events share the memory of `input` where that is
  /// sensible. An error ends the connection: `next_event` still has events, `take_output` a GOAWAY
  /// that says why, which should be sent before the connection is closed; further input is ignored.
  Result<void> feed(const Bytes& input, TimePoint now);
  /// The next event, or nothing.
  std::optional<Event> next_event();
  bool has_event() const noexcept;

  // Bytes out.

  /// Whether `take_output` would give anything now. What waits for a window of the peer's is none.
  bool has_output() const noexcept;
  /// Appends frames to `out` until that holds `bytes_max`, or a little more. Streams take turns by
  /// RFC 9218 priority, so a smaller `bytes_max` lets an urgent stream overtake sooner.
  void take_output(Output& out, std::size_t bytes_max = kTurnBytesMax);
  static constexpr std::size_t kTurnBytesMax = 64 * 1024;

  // Server.

  /// Submits a 1xx response, before the final one.
  void submit_informational(EngineStream& stream, const ResponseHeader& response,
                            const HeaderEdits& edits = {});
  /// Submits the final response, once. `end` Yes: it has no body. Connection fields, and those that
  /// Connection nominates, are left out; the edits are applied. InvalidHttpHeader if an added field
  /// is no valid field: nothing was submitted then.
  Result<void> submit_response(EngineStream& stream, const ResponseHeader& response,
                               const HeaderEdits& edits, EndOfStream end);

  // Client.

  /// Whether a request can be sent now: neither GOAWAY nor the peer's limit of concurrent streams
  /// stands against it. A limit of our own is the program's to keep, by `streams`.
  bool can_open_stream() const noexcept;
  /// Whether no request can ever be sent again: GOAWAY came or was sent, stream identifiers have
  /// run out, or the connection failed.
  bool is_draining() const noexcept;
  /// Submits a request. Fields are left out and added as for `submit_response`; the authority is
  /// the Host field, or that of the target, and is left out if there is none.
  /// Errors: H2Error, with retry Yes, unless `can_open_stream`; InvalidHttpHeader.
  Result<EngineStream*> submit_request(const RequestHeader& request, const RequestParts& parts,
                                       EndOfStream end);

  // Both. On a stream that is closed these do nothing.

  /// Submits a piece of the body; behind the head. `data` is kept until it was handed out.
  /// Whether the length agrees with a Content-Length that was sent is the program's to see to.
  void submit_data(EngineStream& stream, Bytes data, EndOfStream end);
  /// Ends the message with trailers, of which those are left out that a trailer may not carry.
  void submit_trailers(EngineStream& stream, const HeaderMap& trailers);
  /// Ends the stream at once; what it has buffered is dropped, and no event for it follows.
  void reset(EngineStream& stream, ErrorCode code);
  /// The reader has taken `bytes` of what Data events gave: the windows open by as much.
  void consume(EngineStream& stream, std::size_t bytes);
  /// The program has done with the stream, which is gone after this. One that is not closed is
  /// reset, with NoError behind a complete response and Cancel otherwise. What was not consumed is,
  /// for the connection. Constant time.
  void release(EngineStream& stream);

  // The connection.

  void submit_ping(std::uint64_t opaque);
  /// The first of the two steps of ending gracefully: says that the end is near, and takes further
  /// requests all the same, because some are on their way. A PING goes with it; its answer, which
  /// gives no event, makes the second step.
  void begin_shutdown();
  /// The second step, for those who do not wait: names the last stream that is served. Streams
  /// above it are refused. Also without `begin_shutdown`.
  void finish_shutdown();
  bool is_shutting_down() const noexcept;
  /// Ends the connection with this code: `take_output` has a GOAWAY, streams get Reset events.
  void terminate(ErrorCode code, TimePoint now);
  /// Whether nothing more is to be read or written once `take_output` is empty: the connection
  /// failed, or was shut down and its last stream has ended. Close it then.
  bool is_finished() const noexcept;
  /// Whether the connection ends with an error, the peer's or that of `terminate`, and not because
  /// it was shut down.
  bool has_failed() const noexcept;

  // What is known.

  const PeerSettings& peer_settings() const noexcept;
  /// Streams that are open or not released.
  std::size_t streams() const noexcept;
  /// When the head whose first frame has arrived must be complete, or `kNever`. When it passes,
  /// `terminate(EnhanceYourCalm)`. Ask after `feed`.
  TimePoint head_deadline() const noexcept;
  /// Bytes of bodies that were submitted and not handed out, over all streams.
  std::size_t send_buffered() const noexcept;
  /// Bytes of bodies given out and not consumed, over all streams. 0 when all streams are released.
  std::size_t unconsumed() const noexcept;
  /// Bytes that the peer may still send on this connection, as it knows, and how much of the window
  /// it has used that was not given back yet. For tests and logs.
  std::int64_t receive_window() const noexcept;
  std::int64_t receive_window_used() const noexcept;
  /// Bytes that we may send on this connection.
  std::int64_t send_window() const noexcept;
  /// Everything that counts towards `memory_bytes_max`, in bytes.
  std::size_t memory_used() const noexcept;
  /// Gives back what a connection that waits has no use for, some KiB. For one without streams
  /// on which nothing has happened for a while: a system call, and another when it wakes up.
  void trim() noexcept;
  const EngineCounters& counters() const noexcept;
  /// The counters so far; they begin again at 0.
  EngineCounters take_counters() noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pingora::h2
