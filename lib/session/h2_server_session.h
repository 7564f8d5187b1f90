// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "pingora/h2/event.h"
#include "pingora/runtime/frame_allocator.h"
#include "pingora/session/server_session.h"
#include "pingora/session/server_session_options.h"
#include "session/body_pace.h"
#include "session/h2_connection.h"
#include "session/h2_stream.h"

namespace pingora::internal {

/// One request on an HTTP/2 connection. See H2ServerConnection.
class H2ServerSession final : public ServerSession, public FrameAllocated {
 public:
  /// Whether a request came when somebody else might be sending it again.
  enum class Early : bool { No, Yes };

  /// `head` is the RequestHead that began the stream; or a Refused with what was understood of a
  /// request, of which there is no stream. `options` outlives the session.
  H2ServerSession(H2StreamRef stream, h2::Event&& head, Early early,
                  const ServerSessionOptions& options);
  ~H2ServerSession() override;

  Task<bool> read_request() override;
  BodyLength body_length() const noexcept override { return length_; }
  bool is_body_done() const noexcept override { return is_received_; }
  Task<Bytes> read_body() override;
  const HeaderMap* request_trailers() const noexcept override { return trailers_.get(); }
  std::uint64_t body_bytes_read() const noexcept override { return bytes_read_; }
  bool is_upgrade_request() const noexcept override { return is_websocket_; }

  Task<> write_informational(const ResponseHeader& header) override;
  Task<> write_head(const ResponseHeader& header, EndOfStream end) override;
  Task<> write_body(Bytes data, EndOfStream end) override;
  Task<> write_trailers(const HeaderMap& trailers) override;
  Task<> flush() override;
  bool is_response_done() const noexcept override;
  std::uint64_t body_bytes_sent() const noexcept override { return bytes_sent_; }
  void start_tunnel() override;

  Task<bool> finish() override;
  void disable_keepalive() noexcept override {}
  bool is_keepalive_enabled() const noexcept override { return true; }
  void set_keepalive_timeout(std::chrono::milliseconds /*timeout*/) noexcept override {}
  void set_read_timeout(std::chrono::milliseconds timeout) noexcept override {
    read_timeout_ = timeout;
  }
  void set_write_timeout(std::chrono::milliseconds timeout) noexcept override {
    write_timeout_ = timeout;
  }
  void begin_shutdown() noexcept override {}
  void start_closed_watch(ClosedWatch& watch) override;
  void stop_closed_watch() noexcept override;

  const Digest& digest() const noexcept override { return connection_->digest(); }
  SocketAddress local_address() const override { return connection_->local_address(); }

 private:
  /// What is known of the body that is written.
  enum class BodyKind : std::uint8_t {
    None,  // there is none: what is written is dropped
    Sized,
    Unsized,
    Tunnel,
  };
  struct WatchJob : H2EndJob {
    explicit WatchJob(H2ServerSession& owner) noexcept : H2EndJob(&ended), session(owner) {}
    static void ended(Job& job) { static_cast<WatchJob&>(job).session.on_end(); }
    H2ServerSession& session;
  };

  // Reading: h2_server_session.cc.
  void refuse(int status, std::string_view reason);
  void take_protocol(std::string_view protocol);
  std::optional<Result<Bytes>> next_piece();
  Result<Bytes> take_data(h2::Event& event);
  Task<Bytes> wait_for_body();
  TimePoint body_deadline() const noexcept;
  Error body_timed_out();
  Error ended_error() const;
  void on_end();

  // Writing: h2_server_write.cc.
  Result<void> plan_body(const ResponseHeader& header, EndOfStream end);
  Result<void> submit_head(const ResponseHeader& header);
  Task<> submit_data(Bytes data, EndOfStream end);
  Task<> wait_for_room();
  Error lost();

  std::shared_ptr<H2Connection> connection_;  // shared with its other sessions and who runs it
  H2StreamRef stream_;
  const ServerSessionOptions& options_;
  std::unique_ptr<RequestHeader> header_;
  std::unique_ptr<HeaderMap> trailers_;
  std::chrono::milliseconds read_timeout_;
  std::chrono::milliseconds write_timeout_;
  WatchJob watch_job_{*this};
  ClosedWatch* watch_ = nullptr;
  BodyPace pace_;
  BodyLength length_;
  std::string_view refusal_;  // static memory
  int refusal_status_ = 0;    // 0: not refused
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_left_ = 0;  // of a Sized body
  BodyKind body_kind_ = BodyKind::Unsized;
  bool was_given_ = false;    // by read_request
  bool is_received_ = false;  // the request, as far as it was read
  bool is_websocket_ = false;
  bool is_tunnel_ = false;
  bool is_submitted_ = false;  // the response, to its end
  bool is_stalled_ = false;    // the client did not take what was written
};

}  // namespace pingora::internal
