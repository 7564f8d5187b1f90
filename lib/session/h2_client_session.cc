// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "session/h2_client_session.h"

#include <utility>

namespace pingora::internal {

H2ClientSession::H2ClientSession(std::shared_ptr<H2ClientCore> connection,
                                 const ClientSessionOptions& options)
    : connection_(std::move(connection)),
      options_(options),
      read_timeout_(options.read_timeout),
      write_timeout_(options.write_timeout),
      is_reused_(connection_->note_session()) {}

// A response that nobody waits for any more is called off at once, also if the request still waits
// for the peer's window. What was written to a tunnel is still sent. The stream before its slot:
// the next to take the slot finds it free.
H2ClientSession::~H2ClientSession() {
  if (stream_ && !is_body_done_ && !is_tunnel_) {
    stream_->submit(H2Stream::Send::Now, [](h2::Engine& engine, h2::EngineStream& stream) {
      engine.reset(stream, h2::ErrorCode::Cancel);
    });
  }
  stream_.reset(deadline_in(write_timeout_));
  connection_->give_back_slot();
}

void H2ClientSession::start_tunnel() {
  is_tunnel_ = true;
  encoder_ = H1BodyEncoder(H1BodyEncoder::Kind::Tunnel);
}

void H2ClientSession::interrupt(Error error) {
  interruption_.emplace(std::move(error));
  if (stream_) stream_->interrupt_wait(H2Stream::Want::Event);
}

}  // namespace pingora::internal
