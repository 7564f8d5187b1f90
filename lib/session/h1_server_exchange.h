// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pingora/h1/head_parser.h"
#include "pingora/runtime/frame_allocator.h"
#include "pingora/runtime/timer.h"
#include "pingora/session/h1_server_session.h"
#include "session/body_pace.h"
#include "session/h1_body_encoder.h"
#include "session/h1_body_reader.h"

namespace pingora {

struct H1ServerSession::Exchange : internal::FrameAllocated {
  struct WatchJob : Job {
    explicit WatchJob(H1ServerSession& owner) noexcept : Job(&readable), session(owner) {}
    static void readable(Job& job) { static_cast<WatchJob&>(job).session.on_readable(); }
    H1ServerSession& session;
  };
  /// Looks whether the client has gone without an edge of its own: see Stream::kLookAgainAfter.
  struct WatchLook : Deadline {
    explicit WatchLook(H1ServerSession& owner) noexcept : Deadline(&expired), session(owner) {}
    static void expired(Deadline& deadline) {
      H1ServerSession& session = static_cast<WatchLook&>(deadline).session;
      session.disarm_watch();
      session.on_readable();
    }
    H1ServerSession& session;
  };
  explicit Exchange(H1ServerSession& session) noexcept : watch_job(session), watch_look(session) {}

  RequestHeader header;
  h1::HeadProgress progress;
  internal::H1BodyReader reader;
  internal::H1BodyEncoder encoder;
  internal::BodyPace pace;
  WatchJob watch_job;
  WatchLook watch_look;
  ClosedWatch* watch = nullptr;
  bool is_watch_armed = false;
  bool accepts_trailers = false;
  bool expects_continue = false;  // and has not been told to
  bool is_tunnel = false;
  /// Bytes of the request may still come that nobody can make sense of.
  bool is_input_lost = false;
};

}  // namespace pingora
