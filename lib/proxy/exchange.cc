// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// A request's way. `-->` is Outcome::Done; what is answered goes to Logging, what fails to
// FailToProxy, what may be tried again back to UpstreamPeer.
//
//   EarlyRequestFilter --> RequestModules --> RequestFilter --> ProxyUpstreamFilter
//                                                 | answered        | answered
//                                                 v                 v
//   +--> UpstreamPeer --> Connect --> SendRequest --> Transfer --> Logging --> End
//   |        |              |  |          |              |            ^  ^
//   |        v              v  | CONNECT  v              v            |  |
//   +--------+--------------+--|----------+--------------+            |  |
//        retry              |  +------------> Tunnel -----------------+  |
//                           | failed                                     |
//                           +------------> FailToProxy ------------------+
//
// Invariants:
//  [once]    Logging is entered exactly once, unless the whole exchange is cancelled;
//  [replay]  Retry is chosen only if no final response was begun, and all that was
//            read of the request's body is in retry_buffer_;
//  [pool]    an upstream session is given back only by release_upstream; everywhere else it dies.
#include "exchange.h"

#include <utility>

#include "pingora/base/assert.h"
#include "pingora/base/log.h"
#include "pingora/runtime/combinators.h"

namespace pingora::internal {
namespace {

Task<Outcome> await_done(Task<> task) {
  co_await std::move(task);
  co_return Outcome::Done;
}

// Outcome::Done behind `task`, without a coroutine if it is ready.
Task<Outcome> done_behind(Task<> task) {
  if (!task.is_ready()) return await_done(std::move(task));
  Result<void> result = std::move(task).take_ready();
  if (!result) return std::move(result.error());
  return Outcome::Done;
}

Task<> wait_for(Event& event) { co_await event.wait(); }

}  // namespace

Exchange::Exchange(HttpProxy& proxy, ServerSession& downstream, HttpConnection& connection) noexcept
    : proxy_(proxy),
      phases_(*proxy.phases_),
      downstream_(downstream),
      connection_(connection),
      session_(downstream, connection),
      retry_buffer_(proxy.options_.retry_buffer_bytes_max) {}

Exchange::~Exchange() {
  stop_closed_watch();
  phases_.delete_ctx(ctx_);
}

Task<> Exchange::serve(HttpProxy& proxy, ServerSession& downstream, HttpConnection& connection,
                       std::optional<Error> refused) {
  Exchange exchange(proxy, downstream, connection);
  auto ctx = exchange.phases_.new_ctx();
  if (!ctx) {  // without it no phase can be called
    log_error("new_ctx failed: {}", ctx.error().to_string());
    downstream.disable_keepalive();
    co_await write_error_response(downstream, 500);
    co_return;
  }
  exchange.ctx_ = *ctx;

  Stage stage = exchange.first_stage();
  if (!refused && downstream.req_header().method() == Method::Connect &&
      !proxy.options_.allow_connect_method_proxying) {
    refused = Error::http_status(405, "CONNECT").into_down();
  }
  if (refused) {
    exchange.error_ = std::move(refused);
    stage = Stage::FailToProxy;
  }
  while (stage != Stage::End) {
    if (stage == Stage::Logging && !exchange.overrides(Phase::Logging)) {
      exchange.end_unlogged();
      break;
    }
    Outcome outcome = Outcome::Done;
    if (stage >= Stage::UpstreamPeer || !exchange.is_passed_over(stage)) {
      Task<Outcome> step = exchange.begin_stage(stage);
      if (step.is_ready()) {
        outcome = exchange.outcome_of(stage, step.ready());
      } else {
        Result<Outcome> result = co_await std::move(step).as_result();
        outcome = exchange.outcome_of(stage, result);
      }
    }
    stage = next_stage(stage, outcome);
  }
}

Outcome Exchange::outcome_of(Stage stage, Result<Outcome>& result) {
  return result ? *result : on_error(stage, std::move(result.error()));
}

// Most programs have few phases, and many none before the peer is chosen.
Stage Exchange::first_stage() const noexcept {
  constexpr PhaseSet kBeforePeer{Phase::EarlyRequestFilter, Phase::RequestFilter,
                                 Phase::ProxyUpstreamFilter};
  bool has_work = phases_.overrides_any(kBeforePeer) || connection_.persisted.has_value() ||
                  !proxy_.downstream_modules_.empty();
  return has_work ? Stage::EarlyRequestFilter : Stage::UpstreamPeer;
}

// Whether nothing is to be done in `stage`, which is before UpstreamPeer, for this program.
bool Exchange::is_passed_over(Stage stage) const noexcept {
  switch (stage) {
    case Stage::EarlyRequestFilter:
      return !overrides(Phase::EarlyRequestFilter) && !connection_.persisted.has_value() &&
             proxy_.downstream_modules_.empty();
    case Stage::RequestModules: return session_.downstream_modules_.empty();
    case Stage::RequestFilter: return !overrides(Phase::RequestFilter);
    case Stage::ProxyUpstreamFilter: return !overrides(Phase::ProxyUpstreamFilter);
    case Stage::UpstreamPeer:
    case Stage::Connect:
    case Stage::SendRequest:
    case Stage::Transfer:
    case Stage::Tunnel:
    case Stage::FailToProxy:
    case Stage::Logging:
    case Stage::End: break;
  }
  return false;
}

Task<Outcome> Exchange::begin_stage(Stage stage) {
  switch (stage) {
    case Stage::EarlyRequestFilter: return run_early_request_filter();
    case Stage::RequestModules: return run_request_modules();
    case Stage::RequestFilter: return run_request_filter();
    case Stage::ProxyUpstreamFilter: return run_proxy_upstream_filter();
    case Stage::UpstreamPeer: return choose_peer();
    case Stage::Connect: return connect();
    case Stage::SendRequest: return send_request();
    case Stage::Transfer: return transfer();
    case Stage::Tunnel: return tunnel_connect();
    case Stage::FailToProxy: return answer_failure();
    case Stage::Logging: return run_logging();
    case Stage::End: break;
  }
  return Outcome::Done;
}

// What an error in `stage` means for the request.
Outcome Exchange::on_error(Stage stage, Error error) {
  stop_closed_watch();
  switch (stage) {
    case Stage::Connect:
      if (error.source() == ErrorSource::Downstream) return retry_or_fail(std::move(error));
      return retry_or_fail(
          phases_.fail_to_connect(session_, *peer_, ctx_, std::move(error).into_up()));
    case Stage::UpstreamPeer: return retry_or_fail(std::move(error));
    case Stage::SendRequest:
    case Stage::Transfer: {
      // A request that could not be sent says more than the missing response to it.
      if (write_error_ && error.source() == ErrorSource::Upstream) {
        write_error_->set_retry_type(error.retry_type());
        error = std::move(*write_error_);
      }
      write_error_.reset();
      if (error.type() == ErrorType::H2Downgrade) note_downgrade(error);
      Error decided = phases_.error_while_proxy(*peer_, session_, std::move(error), ctx_, reuse(),
                                                is_replayable());
      keep_response();
      session_.upstream_ = nullptr;
      upstream_.session.reset();
      return retry_or_fail(std::move(decided));
    }
    case Stage::FailToProxy:
    case Stage::Logging:
      log_error("{} failed: {}, {}", to_string(stage), error.to_string(),
                phases_.request_summary(session_, ctx_));
      downstream_.disable_keepalive();
      return Outcome::Failed;
    default: error_ = std::move(error).into_in(); return Outcome::Failed;
  }
}

Outcome Exchange::retry_or_fail(Error error) {
  error = std::move(error).into_in();
  bool can_retry = error.retry() && error.source() != ErrorSource::Downstream &&
                   session_.tries_ <= *proxy_.options_.retries_max &&
                   !downstream_.is_response_started() && !retry_buffer_.is_truncated();
  if (!can_retry) {
    error_ = std::move(error);
    return Outcome::Failed;
  }
  log_retry(error);
  return Outcome::Retry;
}

// While an upstream is down, retries come at the rate of requests: one line a second is enough.
void Exchange::log_retry(const Error& error) {
  if (!is_log_enabled(LogLevel::Warn) || phases_.suppress_error_log(session_, ctx_, error)) return;
  auto not_logged = proxy_.retry_log_.admit();
  if (!not_logged) return;
  log_warn("retrying: {}, tries: {}, {}{}", error.to_string(), session_.tries_,
           phases_.request_summary(session_, ctx_), LogLimiter::more(*not_logged));
}

// An upstream that is down for good fails each request: one line a second for each kind of error.
// That clients leave is nothing that the program's operator could mend: whoever wants to see it
// sees it all.
void Exchange::log_failure(const Error& error, int status) {
  LogLevel level = error.source() == ErrorSource::Downstream ? LogLevel::Info : LogLevel::Error;
  if (!is_log_enabled(level) || phases_.suppress_error_log(session_, ctx_, error)) return;
  std::optional<std::uint64_t> not_logged = 0;
  if (level == LogLevel::Error) {
    not_logged = proxy_.failure_logs_[static_cast<std::size_t>(error.type())].admit();
  }
  if (!not_logged) return;
  log(level, "request failed: {}, status: {}, tries: {}, {}{}", error.to_string(), status,
      session_.tries_, phases_.request_summary(session_, ctx_), LogLimiter::more(*not_logged));
}

bool Exchange::is_replayable() const noexcept {
  return session_.req_header().method().is_idempotent() && !retry_buffer_.is_truncated() &&
         !downstream_.is_response_started();
}

Task<Outcome> Exchange::run_early_request_filter() {
  if (connection_.persisted.has_value()) {
    std::any persisted = std::exchange(connection_.persisted, {});
    if (overrides(Phase::OnConnectionReuse)) {
      if (auto called = phases_.on_connection_reuse(session_, ctx_, persisted); !called) {
        return std::move(called.error());
      }
    }
  }
  if (!proxy_.downstream_modules_.empty()) {
    session_.downstream_modules_ = proxy_.downstream_modules_.make_context();
  }
  if (!overrides(Phase::EarlyRequestFilter)) return Outcome::Done;
  return done_behind(phases_.early_request_filter(session_, ctx_));
}

Task<Outcome> Exchange::run_request_modules() {
  return done_behind(session_.downstream_modules_.request_header_filter(downstream_.req_header()));
}

Task<Outcome> Exchange::run_request_filter() {
  Task<bool> filter = phases_.request_filter(session_, ctx_);
  if (filter.is_ready()) {
    Result<bool> answered = std::move(filter).take_ready();
    if (!answered) return std::move(answered.error());
    return outcome_of_request_filter(*answered);
  }
  return [](Exchange& self, Task<bool> waiting) -> Task<Outcome> {
    co_return self.outcome_of_request_filter(co_await std::move(waiting));
  }(*this, std::move(filter));
}

// A client that waits for an answer which nobody will give is the program's fault.
Result<Outcome> Exchange::outcome_of_request_filter(bool answered) {
  if (!answered) return Outcome::Done;
  if (downstream_.is_response_started()) return Outcome::Answered;
  return fail(Error::internal("request_filter said that it had answered, and had not"));
}

Task<Outcome> Exchange::run_proxy_upstream_filter() {
  return [](Exchange& self) -> Task<Outcome> {
    if (co_await self.phases_.proxy_upstream_filter(self.session_, self.ctx_)) {
      co_return Outcome::Done;
    }
    if (!self.downstream_.is_response_started()) co_await self.session_.respond_error(502);
    co_return Outcome::Answered;
  }(*this);
}

// A peer is large: it stays where the phase has put it.
Task<Outcome> Exchange::choose_peer() {
  struct MadeInPlace {
    Exchange& self;
    operator Task<HttpPeer>() const {  // NOLINT(*-explicit-*)
      return self.phases_.upstream_peer(self.session_, self.ctx_);
    }
  };
  ++session_.tries_;
  choosing_.emplace(MadeInPlace{*this});
  if (choosing_->is_ready()) {
    Result<HttpPeer>& peer = choosing_->ready();
    if (!peer) return std::move(peer.error());
    peer_ = &*peer;
    return Outcome::Done;
  }
  return [](Exchange& self) -> Task<Outcome> {
    HttpPeer peer = co_await std::move(*self.choosing_);
    self.choosing_.emplace(std::move(peer));
    self.peer_ = &*self.choosing_->ready();
    co_return Outcome::Done;
  }(*this);
}

Task<Outcome> Exchange::connect() {
  if (wants_h1_upstream_) peer_->options.alpn = Alpn::H1;
  if (downstream_.req_header().method() == Method::Connect) return open_tunnel();
  Task<UpstreamSession> connecting = proxy_.connector_->get_http_session(*peer_);
  if (connecting.is_ready() && !overrides(Phase::ConnectedToUpstream)) {
    Result<UpstreamSession>& upstream = connecting.ready();
    if (!upstream) return std::move(upstream.error());
    return take_upstream(std::move(*upstream));
  }
  return connected(std::move(connecting));
}

// What `connecting` gives, unless the client leaves meanwhile.
template <class T>
Task<T> Exchange::connect_watched(Task<T> connecting) {
  Event client_left;
  client_left_ = &client_left;
  is_watching_ = true;
  downstream_.start_closed_watch(*this);
  auto first = co_await when_any(std::move(connecting), wait_for(client_left));
  stop_closed_watch();
  client_left_ = nullptr;
  if (auto* connected = std::get_if<0>(&first)) co_return std::move(*connected);
  co_return Error::explain(ErrorType::ConnectionClosed, "the client left while connecting")
      .into_down();
}

Task<Outcome> Exchange::open_tunnel() {
  tunnel_ = co_await connect_watched(proxy_.connector_->connect_stream(*peer_));
  co_return Outcome::Tunnel;
}

Outcome Exchange::take_upstream(UpstreamSession upstream) {
  upstream_ = std::move(upstream);
  session_.upstream_ = upstream_.session.get();
  return Outcome::Done;
}

Task<Outcome> Exchange::connected(Task<UpstreamSession> connecting) {
  if (!connecting.is_ready()) connecting = connect_watched(std::move(connecting));
  take_upstream(co_await std::move(connecting));
  if (overrides(Phase::ConnectedToUpstream)) {
    // The program's own error, not a failure to connect: there is a connection to give up.
    Result<void> told =
        co_await phases_
            .connected_to_upstream(session_, reuse(), *peer_, upstream_.session->fd(),
                                   upstream_.session->digest(), ctx_)
            .as_result();
    if (!told) {
      co_return on_error(Stage::Transfer, std::move(told.error()));
    }
  }
  co_return Outcome::Done;
}

Task<Outcome> Exchange::answer_failure() {
  FailToProxy decision;
  Result<FailToProxy> decided = co_await phases_.fail_to_proxy(session_, *error_, ctx_).as_result();
  if (decided) {
    decision = *decided;
  } else if (!downstream_.is_response_started() &&
             decided.error().source() != ErrorSource::Downstream) {
    decision.error_code = 500;
    co_await session_.respond_error(500);
  }
  if (is_grpc_cut_off()) co_await end_grpc_response();
  if (!decision.can_reuse_downstream) downstream_.disable_keepalive();
  log_failure(*error_, decision.error_code);
  co_return Outcome::Done;
}

// Logging, where the program does none.
void Exchange::end_unlogged() {
  if (upstream_.session != nullptr) release_upstream();
  persist_context();
}

Task<Outcome> Exchange::run_logging() {
  if (upstream_.session != nullptr) release_upstream();
  const Error* error = error_ ? &*error_ : nullptr;
  return [](Exchange& self, const Error* failure) -> Task<Outcome> {
    // The end of a response may wait for that of its connection, which this phase may put off.
    if (!self.downstream_.is_keepalive_enabled()) {
      [[maybe_unused]] auto sent = co_await self.downstream_.flush().as_result();
    }
    co_await self.phases_.logging(self.session_, failure, self.ctx_);
    self.persist_context();
    co_return Outcome::Done;
  }(*this, error);
}

void Exchange::persist_context() {
  if (overrides(Phase::PersistConnectionContext) && downstream_.is_keepalive_enabled()) {
    connection_.persisted = phases_.persist_connection_context(session_, ctx_);
  }
}

}  // namespace pingora::internal
