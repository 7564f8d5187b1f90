// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// An accept loop:
//
//   wait for room --> accept --> hand over to the least loaded worker --> (again)
//        |               |
//        |               +-- out of descriptors: shed, pause --> (again)
//        +-- at the limit: until a connection, or a handshake, ends
//
// A connection (the handshake is in tls_front.cc):
//
//   accepted --> filtered --> handshake, where there is TLS --> its protocol is served
//
// One of HTTP/1:
//
//   served -- idle for a while --> parked -- late, shutdown --> closed
//     ^                              |
//     +----- something arrives ------+
//
// One of HTTP/2, by ALPN or, without TLS and where that is allowed, by the preface that it begins
// with: its requests are served as those of HTTP/1 are, each in a task and a strand of its own.
//
// Invariant [count]: `open_` counts each connection, from before its task is spawned until its last
// coroutine, or what is parked of it, is gone.
#include "server/endpoint.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <utility>

#include "pingora/base/log.h"
#include "pingora/net/socket_stream.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/timer.h"
#include "pingora/session/h1_server_session.h"
#include "pingora/session/h2_server_connection.h"

namespace pingora::internal {
namespace {

// Descriptors asked from those who can give some up, each time that there are none left.
constexpr std::size_t kShedCount = 64;
// How long accepting rests where nobody gave one up, and where somebody did.
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr auto kPauseAfterShedding = std::chrono::milliseconds(4);
// How often parked connections are looked at.
constexpr auto kLateInterval = std::chrono::seconds(1);

Task<> wait_for_shutdown(ShutdownWatch& shutdown) { co_await shutdown.wait(); }

// What is wrong with a connection is the client's business or was logged by the app; the rest is
// ours.
void log_failure(const Serving& serving, const Error& error) {
  bool is_ours = error.source() != ErrorSource::Downstream;
  log(is_ours ? LogLevel::Error : LogLevel::Debug, "{}: a connection ended with {}",
      serving.service_name, error.to_string());
}

// Serves requests until the session has no more.
Task<> serve_requests(ServerSession& session, HttpConnection& connection, Serving& serving) {
  for (;;) {
    Result<bool> has_request = co_await session.read_request().as_result();
    if (has_request && !*has_request) co_return;
    if (!has_request && has_request.error().status() == 0) co_return;  // the client has left
    ++connection.requests;
    Task<> answer = has_request ? serving.http_app->process_request(session, connection)
                                : serving.http_app->process_refused(session, connection,
                                                                    std::move(has_request.error()));
    if (!has_request) session.disable_keepalive();
    Result<void> served = co_await std::move(answer).as_result();
    if (!served) {
      log_failure(serving, served.error());
      session.disable_keepalive();
    }
    if (!co_await session.finish()) co_return;
  }
}

// Why SocketAddress::parse refuses `text`.
std::string_view why_no_address(std::string_view text) {
  if (text.starts_with("unix:")) return "the path of a Unix socket has 1 to 107 bytes";
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(':') || text.ends_with(']')) {
    return "the port is missing";
  }
  std::string_view host = text.substr(0, colon);
  if (host.find(':') != std::string_view::npos && !host.starts_with('[')) {
    return "an IPv6 address stands in brackets";
  }
  std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return "the port is no number from 0 to 65535";
  }
  if (host.empty()) return "the address is missing";
  return "no IP address, and a host name is not allowed here";
}

}  // namespace

Result<SocketAddress> Endpoint::parse() const {
  Result<SocketAddress> address = SocketAddress::parse(address_);
  if (address) return address;
  std::string shown;
  append_escaped(shown, address_, 200);
  return fail(ErrorType::BindError,
              fmt::format("cannot listen on '{}': {} (expected: 127.0.0.1:6188, [::1]:6188)", shown,
                          why_no_address(address_)));
}

Result<void> Endpoint::check_tls() const {
  if (!tls_settings_) return {};
  Result<std::unique_ptr<TlsFront>> front = TlsFront::create(*tls_settings_);
  if (!front) return fail(std::move(front.error()).more_context(address_));
  return {};
}

Result<void> Endpoint::bind(ServiceContext& context, Serving& serving) {
  context_ = &context;
  serving_ = &serving;
  Result<SocketAddress> address = parse();
  if (!address) return fail(std::move(address.error()));
  if (tls_settings_) {
    Result<std::unique_ptr<TlsFront>> front = TlsFront::create(*tls_settings_);
    if (!front) return fail(std::move(front.error()).more_context(address_));
    tls_ = std::move(*front);
  }
  Result<Listener> listener = Listener::bind(*address, options_.listen);
  if (!listener) return fail(std::move(listener.error()));
  local_address_ = listener->local_address();
  listeners_.emplace_back(std::move(*listener));
  while (listeners_.size() < context.configuration.listener_tasks_per_fd) {
    UniqueFd copy(::dup(listeners_.front()->fd()));
    Result<Listener> another = Listener::adopt(std::move(copy), options_.listen);
    if (!another) return fail(std::move(another.error()));
    listeners_.emplace_back(std::move(*another));
  }
  context.shed_hooks.add([this](std::size_t count) { return parked_.close_oldest(count); });
  return {};
}

// Ends what is idle when an accept loop ends, or is cancelled, in a shutdown.
class Endpoint::IdleCloser {
 public:
  explicit IdleCloser(Endpoint& endpoint) noexcept : endpoint_(endpoint) {}
  IdleCloser(const IdleCloser&) = delete;
  IdleCloser& operator=(const IdleCloser&) = delete;
  ~IdleCloser() {
    if (!endpoint_.context_->shutdown.is_shutting_down()) return;
    endpoint_.connections_.begin_shutdown();
    endpoint_.parked_.close();
  }

 private:
  Endpoint& endpoint_;
};

Task<> Endpoint::accept_until_shutdown(std::size_t loop) {
  Strand& strand = co_await current_strand();
  IdleCloser closer(*this);
  listeners_[loop]->start(strand.worker());
  auto first =
      co_await when_any(accept_all(*listeners_[loop]), wait_for_shutdown(context_->shutdown),
                        look_after_connections(loop));
  listeners_[loop].reset();
  if (first.index() == 0) {  // broken for good
    log_error("{}: no longer accepts connections on {}: {}", serving_->service_name, address_,
              std::get<0>(first).error().to_string());
    // Those that were accepted have their deadlines still, and their end at the shutdown.
    co_await when_any(wait_for_shutdown(context_->shutdown), look_after_connections(loop));
  }
  if (loop == 0) publish();
}

// One of the loops also brings the figures into the registry.
Task<> Endpoint::look_after_connections(std::size_t loop) {
  for (;;) {
    if (loop == 0) publish();
    co_await sleep_for(kLateInterval);
    parked_.close_late(coarse_now());
  }
}

void Endpoint::publish() {
  ListeningStats stats;
  add_stats(stats);
  metrics_.publish(stats);
}

Task<> Endpoint::accept_all(Listener& listener) {
  for (;;) {
    if (open_.is_full()) {
      limit_pauses_.fetch_add(1, std::memory_order_relaxed);
      co_await open_.wait_for_room();
    }
    if (tls_ && tls_->handshakes().is_full()) {
      handshake_pauses_.fetch_add(1, std::memory_order_relaxed);
      co_await tls_->handshakes().make_room();
    }
    Result<Accepted> accepted = co_await as_result(listener.accept());
    if (accepted) {
      hand_over(std::move(*accepted));
    } else if (accepted.error().type() == ErrorType::AcceptError) {
      co_await pause(accepted.error());
    } else {
      co_await std::move(accepted.error());
    }
  }
}

Task<> Endpoint::pause(const Error& error) {
  descriptor_pauses_.fetch_add(1, std::memory_order_relaxed);
  std::size_t closed = context_->shed_hooks.shed(kShedCount);
  if (auto not_logged = pause_log_.admit()) {
    log_error("{}: accepting pauses: {}; closed {} idle connections{}", address_, error.to_string(),
              closed, LogLimiter::more(*not_logged));
  }
  co_await sleep_for(closed == 0 ? Duration(kPause) : Duration(kPauseAfterShedding));
}

// The system may have a limit on what a worker waits for.
void Endpoint::hand_over(Accepted accepted) {
  accepted_.fetch_add(1, std::memory_order_relaxed);
  Worker& worker = context_->runtime.least_loaded_worker();
  auto stream = SocketStream::open(worker, std::move(accepted.fd), std::move(accepted.peer));
  if (!stream) {
    if (auto not_logged = drop_log_.admit()) {
      log_error("{}: a connection was dropped: {}{}", address_, stream.error().to_string(),
                LogLimiter::more(*not_logged));
    }
    return;
  }
  context_->connections.spawn_on(worker, serve(std::move(*stream), worker),
                                 TaskGroup::Start::AtOnce);
}

// Under locks: it starts later.
void Endpoint::resume(std::unique_ptr<ParkedConnection> connection) {
  Worker& worker = connection->worker;
  context_->connections.spawn_on(worker, serve_resumed(std::move(connection)));
}

Task<> Endpoint::serve(std::unique_ptr<Stream> stream, Worker& worker) {
  Token open(open_);
  if (!serving_->filter && !tls_) {
    return serve_protocol(std::move(stream), worker, std::move(open));
  }
  auto place = tls_ ? std::make_unique<TlsFront::Place>(tls_->handshakes()) : nullptr;
  return admit(std::move(stream), worker, std::move(open), std::move(place));
}

Task<> Endpoint::admit(std::unique_ptr<Stream> stream, Worker& worker, Token open,
                       std::unique_ptr<TlsFront::Place> place) {
  if (serving_->filter && co_await is_filtered(stream->digest())) co_return;
  if (tls_) {
    Result<std::unique_ptr<Stream>> secured =
        co_await tls_->accept(std::move(stream), std::move(place)).as_result();
    if (!secured) {
      log_failure(*serving_, secured.error());
      co_return;
    }
    stream = std::move(*secured);
  }
  co_await serve_protocol(std::move(stream), worker, std::move(open));
}

Task<bool> Endpoint::is_filtered(const Digest& digest) {
  Result<bool> accepts = co_await serving_->filter->should_accept(digest).as_result();
  if (!accepts) log_failure(*serving_, accepts.error());
  if (accepts && *accepts) co_return false;
  filtered_.fetch_add(1, std::memory_order_relaxed);
  co_return true;
}

// Here is decided what a connection speaks: whatever was agreed on is known (`digest().ssl->alpn`).
Task<> Endpoint::serve_protocol(std::unique_ptr<Stream> stream, Worker& worker, Token open) {
  if (!serving_->http_app) return serve_raw(std::move(stream), std::move(open));
  const SslDigest* ssl = stream->digest().ssl.get();
  if (ssl != nullptr && ssl->alpn == "h2") {
    start_http2(std::move(stream), {}, worker, std::move(open));
    return {};
  }
  return serve_http(std::move(stream), worker, std::move(open));
}

Task<> Endpoint::serve_raw(std::unique_ptr<Stream> stream, Token /*open*/) {
  Result<void> served =
      co_await serving_->server_app->process_new(std::move(stream), context_->shutdown).as_result();
  if (!served) log_failure(*serving_, served.error());
}

Task<> Endpoint::serve_http(std::unique_ptr<Stream> stream, Worker& worker, Token open) {
  auto connection =
      std::make_unique<ParkedConnection>(parked_, worker, std::move(open), context_->shutdown);
  connection->idle = {.stream = std::move(stream),
                      .keepalive_timeout = options_.session.keepalive_timeout};
  connection->park_after = options_.park_after;
  return serve_resumed(std::move(connection));
}

Task<> Endpoint::serve_resumed(std::unique_ptr<ParkedConnection> connection) {
  Strand& strand = co_await current_strand();
  // Behind it, no event is being told of any more.
  [[maybe_unused]] bool is_silent = connection->idle.stream->stop_idle_watch();
  H1ServerSession::Http2Start http2;
  {
    H1ServerSession session(std::move(connection->idle), options_.session);
    session.set_detach_after(connection->park_after);
    const std::uint64_t requests = connection->http.requests;
    if (options_.enable_h2c && !tls_) session.detect_http2();
    ConnectionSet::Member member(connections_, strand, session);
    co_await serve_requests(session, connection->http, *serving_);
    if (session.is_http2()) {
      http2 = session.detach_http2();
    } else if (session.is_detachable()) {
      connection->idle = session.detach();
      if (connection->http.requests != requests) connection->park_after = options_.park_after;
    } else {
      co_return;
    }
  }
  if (http2.stream == nullptr) {
    connection->state = ParkedConnection::State::Starting;
    parked_.park(std::move(connection));
    co_return;
  }
  start_http2(std::move(http2.stream), std::move(http2.received), connection->worker,
              std::move(connection->open));
}

// Has each request of an HTTP/2 connection served in a strand of its own. They start later, so that
// one that computes for long does not hold up the connection.
class Endpoint::Http2Acceptor final : public H2ServerConnection::Acceptor {
 public:
  Http2Acceptor(Endpoint& endpoint, Worker& worker) noexcept
      : endpoint_(endpoint), worker_(worker) {}
  void accept(std::unique_ptr<ServerSession> session) override {
    endpoint_.context_->connections.spawn_on(worker_, endpoint_.serve_request(std::move(session)));
  }

 private:
  Endpoint& endpoint_;
  Worker& worker_;
};

// In a task of its own: an idle connection is not to keep the frames of what came before.
void Endpoint::start_http2(std::unique_ptr<Stream> stream, Buffer received, Worker& worker,
                           Token open) {
  context_->connections.spawn_on(
      worker, serve_http2(std::move(stream), std::move(received), worker, std::move(open)));
}

Task<> Endpoint::serve_http2(std::unique_ptr<Stream> stream, Buffer received, Worker& worker,
                             Token /*open*/) {
  Strand& strand = co_await current_strand();
  H2ServerConnection connection(std::move(stream), options_.session);
  ConnectionSet::Member member(connections_, strand, connection);
  Http2Acceptor acceptor(*this, worker);
  Result<void> served = co_await connection.serve(std::move(received), acceptor).as_result();
  if (!served) log_failure(*serving_, std::move(served.error()).into_down());
}

Task<> Endpoint::serve_request(std::unique_ptr<ServerSession> session) {
  HttpConnection connection{.shutdown = context_->shutdown, .persisted = {}};
  co_await serve_requests(*session, connection, *serving_);
}

void Endpoint::add_stats(ListeningStats& stats) const {
  stats.accepted += accepted_.load(std::memory_order_relaxed);
  stats.filtered += filtered_.load(std::memory_order_relaxed);
  stats.limit_pauses += limit_pauses_.load(std::memory_order_relaxed);
  stats.descriptor_pauses += descriptor_pauses_.load(std::memory_order_relaxed);
  stats.handshake_pauses += handshake_pauses_.load(std::memory_order_relaxed);
  if (tls_) tls_->add_stats(stats.tls);
  stats.open += open_.count();
  stats.parked += parked_.size();
}

}  // namespace pingora::internal
