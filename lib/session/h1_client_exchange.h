// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "pingora/h1/head_parser.h"
#include "pingora/runtime/frame_allocator.h"
#include "pingora/session/h1_client_session.h"
#include "session/h1_body_encoder.h"
#include "session/h1_body_reader.h"

namespace pingora {

struct H1ClientSession::Exchange : internal::FrameAllocated {
  ResponseHeader header;
  h1::HeadProgress progress;
  internal::H1BodyReader reader;
  internal::H1BodyEncoder encoder;
  std::optional<Error> write_error;   // kept for when there is no response
  std::optional<Error> interruption;  // for the next read that has to wait
  std::string_view upgrade_protocol;  // that the request asks for, or empty
  std::string websocket_key;
  std::uint32_t informational_responses = 0;
  Method::Known method = Method::Get;
  bool has_response_bytes = false;
  bool is_head_seen = false;    // `header` holds one
  bool is_interrupted = false;  // by the caller, who knows why
  bool keep_alive = false;      // as the response says
  bool is_tunnel = false;
};

}  // namespace pingora
