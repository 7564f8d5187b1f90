// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "pingora/proxy/http_proxy.h"
#include "pingora/proxy/session.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/frame_allocator.h"
#include "retry_buffer.h"
#include "stage.h"

namespace pingora::internal {

/// One request on its way through a proxy: the engine. Lives in the frame of `serve`.
///
/// exchange.cc has the chart and the stages, transfer.cc the two directions of a request and its
/// response, tunnel.cc raw bytes.
class Exchange final : public ClosedWatch {
 public:
  /// Serves the request that `downstream` has read; with `refused`, only answers and logs it.
  static Task<> serve(HttpProxy& proxy, ServerSession& downstream, HttpConnection& connection,
                      std::optional<Error> refused);

  Exchange(HttpProxy& proxy, ServerSession& downstream, HttpConnection& connection) noexcept;
  ~Exchange();

 private:
  /// A header that is rarely needed, and too large to have at hand always.
  template <class H>
  struct Boxed : FrameAllocated {
    H header;
  };

  // The stages: exchange.cc.
  Stage first_stage() const noexcept;
  bool is_passed_over(Stage stage) const noexcept;
  Task<Outcome> begin_stage(Stage stage);
  Outcome outcome_of(Stage stage, Result<Outcome>& result);
  Outcome on_error(Stage stage, Error error);
  Outcome retry_or_fail(Error error);
  void log_retry(const Error& error);
  void log_failure(const Error& error, int status);
  Task<Outcome> run_early_request_filter();
  Task<Outcome> run_request_modules();
  Task<Outcome> run_request_filter();
  Result<Outcome> outcome_of_request_filter(bool answered);
  Task<Outcome> run_proxy_upstream_filter();
  Task<Outcome> choose_peer();
  Task<Outcome> connect();
  template <class T>
  Task<T> connect_watched(Task<T> connecting);
  Task<Outcome> open_tunnel();
  Task<Outcome> connected(Task<UpstreamSession> connecting);
  Outcome take_upstream(UpstreamSession upstream);
  Task<Outcome> send_request();
  Task<Outcome> send_filtered_request();
  BodyLength length_of_filtered_body(const RequestHeader& request) const noexcept;
  Task<Outcome> write_request(const RequestHeader& request, const HeaderEdits& edits,
                              BodyLength length);
  Task<Outcome> write_request_slowly(Task<> writing);
  void note_downgrade(Error& error);
  Task<Outcome> answer_failure();
  Task<Outcome> run_logging();
  void end_unlogged();
  void persist_context();
  bool is_replayable() const noexcept;

  // Both directions: transfer.cc.
  Task<Outcome> transfer();
  Task<Outcome> transfer_both();
  Task<Outcome> receive_response();
  Task<> forward_head();
  Task<> filter_head();
  Task<> write_head();
  Task<> forward_body(Bytes body, EndOfStream end);
  Task<> filter_body(Bytes body, EndOfStream end);
  Task<> forward_trailers();
  bool is_grpc_cut_off() const noexcept;
  Task<> end_grpc_response();
  Task<Outcome> send_request_body();
  Task<> filter_request_body(Bytes& body, EndOfStream end);
  Task<bool> send_body_piece(Bytes body, EndOfStream end);
  Result<void> keep_write_error(Error error);
  void release_upstream();
  void keep_response();
  void on_downstream_closed(Error error) override;
  void stop_closed_watch() noexcept;

  // Raw bytes: tunnel.cc.
  Task<> tunnel_upgrade();
  Task<> tunnel(Task<> up, Task<> down);
  Task<> pump_upgrade_up();
  Task<> pump_upgrade_down();
  Task<Outcome> tunnel_connect();
  Task<> pump_connect_up();
  Task<> pump_connect_down();

  bool overrides(Phase phase) const noexcept { return phases_.overrides(phase); }
  ConnectionReuse reuse() const noexcept {
    return upstream_.reused ? ConnectionReuse::Reused : ConnectionReuse::New;
  }

  HttpProxy& proxy_;
  Phases& phases_;
  ServerSession& downstream_;
  HttpConnection& connection_;
  Session session_;
  void* ctx_ = nullptr;
  std::optional<Task<HttpPeer>> choosing_;
  HttpPeer* peer_ = nullptr;  // what `choosing_` has given
  UpstreamSession upstream_;
  ConnectedStream tunnel_;                                  // for CONNECT
  std::unique_ptr<Boxed<RequestHeader>> upstream_request_;  // what filters made of the request
  std::unique_ptr<Boxed<ResponseHeader>> kept_response_;    // for `logging`
  RetryBuffer retry_buffer_;
  std::optional<Error> error_;        // why the request failed
  std::optional<Error> write_error_;  // why the request could not be sent, if the response may say
  bool is_watching_ = false;
  bool wants_h1_upstream_ = false;  // what HTTP/2 upstreams refuse may go by HTTP/1
  Event* client_left_ = nullptr;    // while connecting: set by the watch
};

/// Waits for ever: for a branch of a `when_any` that has nothing more to say.
class NeverOp {
 public:
  using ValueType = void;
  bool start(Completion&) { return false; }
  void cancel() {}
  Result<void> take_result() { return {}; }
};

}  // namespace pingora::internal
