// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "pingora/base/bytes.h"
#include "pingora/h2/error_code.h"
#include "pingora/http/end_of_stream.h"
#include "pingora/http/header_map.h"
#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora::h2 {

class EngineStream;

/// The scheme that a request names. Others than these two are malformed.
enum class Scheme : std::uint8_t { Http, Https };

/// Something that the peer did, or that became possible. Which members mean something is said at
/// each kind; the others are empty.
struct Event {
  enum class Kind : std::uint8_t {
    /// Server: `request`, `end`, `body`, `scheme`, `protocol`. The first event of `stream`, which
    /// is the program's from now on, until it calls `Engine::release`. With a `status` (431, 414)
    /// it is refused, and to be answered with that: `request` is what was understood, `reason` for
    /// a log.
    RequestHead,
    /// Client: a 1xx `response`. Any number of them.
    Informational,
    /// Client: the final `response`, `end`, `body`.
    ResponseHead,
    /// `data`, which may be empty if `end` is Yes. `Engine::consume` opens the windows again.
    Data,
    /// `trailers`, which end the message. What a trailer may not carry was dropped.
    Trailers,
    /// The stream has gone, before its end: `code`, `origin`. Nothing can be sent on it, and no
    /// event for it follows. Of a stream that the program has reset, there is no event at all.
    /// NoError behind a complete response: the server wants no more of the request.
    Reset,
    /// Both messages of `stream` are complete: ours was handed out by `take_output`. The last event
    /// of it.
    Closed,
    /// `stream` was not writable and is again.
    Writable,
    /// Server: a request was reset, and there is no stream: it was malformed (`code` ProtocolError;
    /// `request` is what was understood of it), or one too many (RefusedStream; no `request`, for
    /// it was not read). `stream_id`; `reason` for a log.
    Refused,
    /// The peer takes no more streams; those above `last_stream_id` get a Reset with RefusedStream
    /// of their own. `code`, and in `data` the peer's text, for a log. May come twice.
    GoAway,
    /// The peer's settings are known or have changed: see `Engine::peer_settings`.
    Settings,
    /// The answer to `submit_ping`: `ping`.
    PingAck,
  };
  /// Who ended a stream.
  enum class Origin : std::uint8_t {
    /// The peer, by RST_STREAM; or by GOAWAY, for a stream that it had not looked at.
    Peer,
    /// This engine, because the peer broke a rule.
    Engine,
  };

  Kind kind = Kind::Data;
  EndOfStream end = EndOfStream::No;
  Origin origin = Origin::Peer;
  Scheme scheme = Scheme::Http;
  ErrorCode code = ErrorCode::NoError;
  std::uint16_t status = 0;
  std::uint32_t stream_id = 0;
  std::uint32_t last_stream_id = 0;
  EngineStream* stream = nullptr;
  /// What the head says of the body.
  BodyLength body;
  std::unique_ptr<RequestHeader> request;
  std::unique_ptr<ResponseHeader> response;
  std::unique_ptr<HeaderMap> trailers;
  Bytes data;
  std::uint64_t ping = 0;
  /// The `:protocol` of an extended CONNECT, such as "websocket"; empty otherwise. Lies in
  /// `request`'s memory.
  std::string_view protocol;
  /// Static memory, nothing of the peer's in it.
  std::string_view reason;
};

}  // namespace pingora::h2
