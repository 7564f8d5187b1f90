// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "pingora/session/client_session.h"
#include "pingora/session/client_session_options.h"
#include "pingora/session/h1_transport.h"

namespace pingora {

/// The client's side of an HTTP/1 connection: carries one exchange after the other. Between them it
/// holds no buffer and no header.
///
/// A pool derives from it, and between two exchanges calls `end_exchange` when it takes the session
/// and `begin_reuse` when it gives it out.
///
/// See ClientSession for what the functions do, and ClientSessionOptions for what limits them.
class H1ClientSession : public ClientSession {
 public:
  /// `options` outlives the first exchange. The stream is closed with the session.
  H1ClientSession(std::unique_ptr<Stream> stream, const ClientSessionOptions& options);
  ~H1ClientSession() override;

  Task<> write_head(const RequestHeader& request, const HeaderEdits& edits,
                    BodyLength body) override;
  Task<> write_body(Bytes data, EndOfStream end) override;
  Task<> write_trailers(const HeaderMap& trailers) override;
  Task<> flush() override;
  bool is_request_done() const noexcept override;

  Task<> read_head() override;
  BodyLength body_length() const noexcept override;
  bool is_body_done() const noexcept override;
  Task<Bytes> read_body() override;
  bool has_buffered_input() const noexcept override;
  const HeaderMap* response_trailers() const noexcept override;
  std::uint64_t body_bytes_read() const noexcept override;
  void start_tunnel() override;

  void interrupt(Error error) override;
  bool is_reused() const noexcept override { return is_reused_; }
  bool is_reusable() const noexcept override;
  void set_read_timeout(std::chrono::milliseconds timeout) noexcept override {
    read_timeout_ = timeout;
  }
  void set_write_timeout(std::chrono::milliseconds timeout) noexcept override {
    transport_.set_write_timeout(timeout);
  }
  const Digest& digest() const noexcept override { return transport_.stream().digest(); }
  int fd() const noexcept override { return transport_.stream().fd(); }

  Stream& stream() noexcept { return transport_.stream(); }
  const Stream& stream() const noexcept { return transport_.stream(); }

  /// Drops what is left of the exchange, and lifts the deadlines, so that another strand may use
  /// the session next. In the strand that used it last. No task of the session is alive.
  void end_exchange();
  /// Prepares for another exchange, in whichever strand; `options`, which may be others than
  /// before, outlives it. `is_reused` from now on.
  void begin_reuse(const ClientSessionOptions& options);
  void mark_reused() noexcept { is_reused_ = true; }

 private:
  /// What lasts as long as one exchange.
  struct Exchange;
  struct RequestPlan;

  // Writing: h1_client_write.cc.
  void plan_body(const RequestHeader& request, BodyLength body, RequestPlan& plan);
  void plan_connection(const RequestHeader& request, RequestPlan& plan);
  Task<> keep_write_error(Task<> writing);
  Task<> keep_write_error_slowly(Task<> writing);
  Task<> shutdown_behind(Task<> writing);
  bool is_write_lost() const noexcept;

  // Reading: h1_client_read.cc.
  Task<> wait_for_head();
  std::optional<Result<void>> parse_head();
  Result<void> accept_head();
  Result<void> accept_informational();
  std::optional<Result<Bytes>> next_piece();
  Task<Bytes> wait_for_body();
  std::optional<Result<Bytes>> take_read(Result<std::size_t> read);
  Result<Bytes> body_ended();
  Error read_failed(Error error);
  Error take_interruption();
  Error closed_early();

  internal::H1Transport transport_;
  const ClientSessionOptions* options_;
  std::unique_ptr<Exchange> exchange_;
  std::chrono::milliseconds read_timeout_;
  bool is_reused_ = false;
};

}  // namespace pingora
