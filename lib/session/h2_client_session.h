// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "pingora/runtime/frame_allocator.h"
#include "pingora/session/client_session.h"
#include "pingora/session/client_session_options.h"
#include "session/h1_body_encoder.h"
#include "session/h2_client_core.h"
#include "session/h2_stream.h"

namespace pingora::internal {

/// The client's side of one HTTP/2 stream. What asks for an upgrade to websocket becomes an
/// extended CONNECT, and its answer a 101 (RFC 8441), so that the proxy sees one way only.
///
/// Destroying it before the response is complete resets the stream (CANCEL). See ClientSession for
/// what the functions do, and ClientSessionOptions for what limits them.
class H2ClientSession final : public ClientSession, public FrameAllocated {
 public:
  /// With a slot of `connection`, which is given back with this. `options` outlives it.
  H2ClientSession(std::shared_ptr<H2ClientCore> connection, const ClientSessionOptions& options);
  ~H2ClientSession() override;

  Task<> write_head(const RequestHeader& request, const HeaderEdits& edits,
                    BodyLength body) override;
  Task<> write_body(Bytes data, EndOfStream end) override;
  Task<> write_trailers(const HeaderMap& trailers) override;
  Task<> flush() override;
  bool is_request_done() const noexcept override;

  Task<> read_head() override;
  BodyLength body_length() const noexcept override { return body_length_; }
  bool is_body_done() const noexcept override { return is_head_final_ && is_body_done_; }
  Task<Bytes> read_body() override;
  bool has_buffered_input() const noexcept override { return stream_ && stream_->has_event(); }
  const HeaderMap* response_trailers() const noexcept override { return trailers_.get(); }
  std::uint64_t body_bytes_read() const noexcept override { return body_bytes_read_; }
  void start_tunnel() override;

  void interrupt(Error error) override;
  bool is_reused() const noexcept override { return is_reused_; }
  /// The connection takes other exchanges whatever becomes of this one.
  bool is_reusable() const noexcept override { return is_body_done() && is_request_done(); }
  void set_read_timeout(std::chrono::milliseconds timeout) noexcept override {
    read_timeout_ = timeout;
  }
  void set_write_timeout(std::chrono::milliseconds timeout) noexcept override {
    write_timeout_ = timeout;
  }
  const Digest& digest() const noexcept override { return connection_->digest(); }
  int fd() const noexcept override { return connection_->fd(); }

 private:
  // Writing: h2_client_write.cc.
  Task<> write_websocket_head(const RequestHeader& request, const HeaderEdits& edits);
  Task<> write_websocket_head_later(RequestHeader request);
  Result<void> open_websocket(const RequestHeader& request);
  Result<void> open(const RequestHeader& request, h2::RequestParts parts, EndOfStream end);
  Task<> wait_for_room();
  bool is_write_lost() const noexcept;

  // Reading: h2_client_read.cc.
  Task<> wait_for_head();
  Task<Bytes> wait_for_body();
  Result<void> wait_ended(Result<void> result);
  std::optional<Result<void>> next_head();
  Result<void> accept_head(h2::Event event);
  std::optional<Result<Bytes>> next_piece();
  Error take_interruption();
  Error stream_ended(const H2StreamEnd& end);
  Error reset(const H2StreamEnd& end);

  const std::shared_ptr<H2ClientCore> connection_;  // shared with the other sessions
  const ClientSessionOptions& options_;
  H2StreamRef stream_;
  std::chrono::milliseconds read_timeout_;
  std::chrono::milliseconds write_timeout_;

  H1BodyEncoder encoder_;      // counts: HTTP/2 has the framing
  std::string websocket_key_;  // of a request that asks for an upgrade
  std::unique_ptr<ResponseHeader> header_;
  std::unique_ptr<HeaderMap> trailers_;
  std::optional<Error> open_error_;    // why there is no stream: for the read of the head
  std::optional<Error> interruption_;  // for the next read that has to wait
  BodyLength body_length_;
  std::uint64_t body_bytes_read_ = 0;
  std::uint32_t informational_responses_ = 0;
  const bool is_reused_;
  bool has_response_ = false;  // something of it
  bool is_body_done_ = false;
  bool is_tunnel_ = false;
};

}  // namespace pingora::internal
