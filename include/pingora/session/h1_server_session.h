// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "pingora/base/buffer.h"
#include "pingora/session/h1_transport.h"
#include "pingora/session/server_session.h"
#include "pingora/session/server_session_options.h"

namespace pingora {

/// The server's side of an HTTP/1 connection: serves the requests that come on it one after the
/// other, pipelined ones too. Between requests it holds no buffer and no header.
///
/// See ServerSession for what the functions do, and ServerSessionOptions for what limits them.
class H1ServerSession final : public ServerSession, public internal::FrameAllocated {
 public:
  /// `options` outlives the session. The stream is closed with the session.
  H1ServerSession(std::unique_ptr<Stream> stream, const ServerSessionOptions& options);

  /// What is left of a session that waits for a request: for whoever has so many of them that he
  /// rather waits without them.
  struct Idle {
    std::unique_ptr<Stream> stream;
    std::chrono::milliseconds keepalive_timeout;
    TimePoint deadline = kNever;  // for the next request
    std::uint32_t requests = 0;   // served so far
    /// Counts that the deadline has struck.
    void count_late() const;
  };
  /// Goes on from `idle`.
  H1ServerSession(Idle idle, const ServerSessionOptions& options);
  /// Has `read_request` give false once it has waited that long for the first byte of a request,
  /// and could wait longer; `is_detachable` then says so, and `detach` ends the session.
  void set_detach_after(std::chrono::milliseconds wait) noexcept { detach_after_ = wait; }
  bool is_detachable() const noexcept { return idle_deadline_ != TimePoint::min(); }
  /// In the session's strand; only destroying may follow.
  Idle detach();

  /// What is left of a session whose client speaks HTTP/2.
  struct Http2Start {
    std::unique_ptr<Stream> stream;
    Buffer received;
  };
  /// Has `read_request` give false if what the client sends first is the preface of HTTP/2 by prior
  /// knowledge (RFC 9113 §3.3); `is_http2` then says so, and `detach_http2` ends the session.
  void detect_http2() noexcept { detects_http2_ = true; }
  bool is_http2() const noexcept { return is_http2_; }
  /// In the session's strand; only destroying may follow.
  Http2Start detach_http2();

  ~H1ServerSession() override;

  Task<bool> read_request() override;
  BodyLength body_length() const noexcept override;
  bool is_body_done() const noexcept override;
  Task<Bytes> read_body() override;
  const HeaderMap* request_trailers() const noexcept override;
  std::uint64_t body_bytes_read() const noexcept override;
  bool is_upgrade_request() const noexcept override;

  Task<> write_informational(const ResponseHeader& header) override;
  Task<> write_head(const ResponseHeader& header, EndOfStream end) override;
  Task<> write_body(Bytes data, EndOfStream end) override;
  Task<> write_trailers(const HeaderMap& trailers) override;
  Task<> flush() override;
  bool is_response_done() const noexcept override;
  std::uint64_t body_bytes_sent() const noexcept override;
  void start_tunnel() override;

  Task<bool> finish() override;
  void disable_keepalive() noexcept override;
  bool is_keepalive_enabled() const noexcept override { return keep_alive_; }
  void set_keepalive_timeout(std::chrono::milliseconds timeout) noexcept override;
  void set_read_timeout(std::chrono::milliseconds timeout) noexcept override;
  void set_write_timeout(std::chrono::milliseconds timeout) noexcept override;
  void begin_shutdown() noexcept override;
  void start_closed_watch(ClosedWatch& watch) override;
  void stop_closed_watch() noexcept override;

  const Digest& digest() const noexcept override { return transport_.stream().digest(); }
  SocketAddress local_address() const override { return transport_.stream().local_address(); }
  Stream& stream() noexcept { return transport_.stream(); }

 private:
  /// What lasts as long as one request.
  struct Exchange;

  // Reading: h1_server_read.cc.
  Task<bool> wait_for_request();
  std::optional<Task<bool>> parse_head();
  bool may_be_http2() noexcept;
  Task<bool> accept_head();
  Error refuse(int status, std::string_view reason);
  Result<bool> give_up_head(Result<std::size_t> read, bool is_in_head);
  std::optional<Result<Bytes>> next_piece();
  Task<Bytes> wait_for_body();
  std::optional<Result<Bytes>> take_read(Result<std::size_t> read);
  Result<Bytes> body_ended();
  bool awaits_continue() const noexcept;
  Duration body_rate_left() const noexcept;
  TimePoint body_deadline() const noexcept;
  Error body_timed_out();

  // Watching for the client to leave: h1_server_watch.cc.
  void arm_watch();
  void look_later();
  void disarm_watch() noexcept;
  void on_readable();
  bool is_watch_full() const noexcept;
  void look_at_peer();
  void tell_watch(Error error);

  // Writing: h1_server_write.cc.
  struct ResponsePlan;
  Result<void> plan_body(const ResponseHeader& header, EndOfStream end, ResponsePlan& plan);
  void plan_connection(const ResponseHeader& header, ResponsePlan& plan);
  internal::Send end_of_response() const noexcept;
  Task<> shutdown_behind(Task<> writing);

  // The end: h1_server_session.cc.
  bool end_exchange();
  Task<bool> finish_slowly();
  Task<bool> drain(TimePoint deadline, std::size_t* bytes_left);
  Task<> linger(TimePoint deadline, std::size_t bytes_left);

  internal::H1Transport transport_;
  const ServerSessionOptions& options_;
  Strand* strand_ = nullptr;  // since the first read_request
  std::unique_ptr<Exchange> exchange_;
  std::chrono::milliseconds keepalive_timeout_;
  std::chrono::milliseconds read_timeout_;
  std::chrono::milliseconds detach_after_{0};   // 0: never
  TimePoint idle_deadline_ = TimePoint::min();  // of the wait that was given up to detach
  std::uint32_t requests_ = 0;
  bool keep_alive_ = true;  // after this request, as far as is known
  bool detects_http2_ = false;
  bool is_http2_ = false;
  bool is_shutting_down_ = false;
  bool is_idle_ = false;  // waiting for the first byte of a request
  bool saw_end_ = false;  // of the stream
};

}  // namespace pingora
