// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// An accept loop:
//
//   wait for room --> accept --> hand over to the least loaded worker --> (again)
//        |               |
//        |               +-- out of descriptors: shed, pause --> (again)
//        +-- at the limit: until a connection ends
//
// Invariant [count]: `open_` is the number of OpenConnection objects, one for each connection, from
// before its task is spawned until its last coroutine is gone.
#include "server/endpoint.h"

#include <unistd.h>

#include <utility>

#include "pingora/base/log.h"
#include "pingora/net/socket_stream.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/timer.h"
#include "pingora/session/h1_server_session.h"

namespace pingora::internal {
namespace {

// Descriptors asked from those who can give some up, each time that there are none left.
constexpr std::size_t kShedCount = 64;
// How long accepting rests where nobody gave one up, and where somebody did.
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr auto kPauseAfterShedding = std::chrono::milliseconds(4);
constexpr auto kLogInterval = std::chrono::seconds(10);

Task<> wait_for_shutdown(ShutdownWatch& shutdown) { co_await shutdown.wait(); }

// What is wrong with a connection is the client's business or was logged by the app; the rest is
// ours.
void log_failure(const Serving& serving, const Error& error) {
  bool is_ours = error.source() != ErrorSource::Downstream;
  log(is_ours ? LogLevel::Error : LogLevel::Debug, "{}: a connection ended with {}",
      serving.service_name, error.to_string());
}

}  // namespace

// Counts a connection while it lives.
class Endpoint::OpenConnection {
 public:
  explicit OpenConnection(Endpoint& endpoint) noexcept : endpoint_(&endpoint) {
    endpoint.open_.fetch_add(1);
  }
  OpenConnection(OpenConnection&& other) noexcept
      : endpoint_(std::exchange(other.endpoint_, nullptr)) {}
  OpenConnection& operator=(OpenConnection&&) = delete;
  ~OpenConnection() {
    if (endpoint_ == nullptr) return;
    std::size_t before = endpoint_->open_.fetch_sub(1);
    if (before == endpoint_->options_.connections_max) endpoint_->has_room_.set();
  }

 private:
  Endpoint* endpoint_;
};

Result<SocketAddress> Endpoint::parse() const {
  Result<SocketAddress> address = SocketAddress::parse(address_);
  if (address) return address;
  std::string shown;
  append_escaped(shown, address_, 200);
  return fail(ErrorType::BindError,
              "cannot listen on '" + shown + "': no address (such as 127.0.0.1:6188, [::1]:6188)");
}

Result<void> Endpoint::bind(unsigned loops) {
  Result<SocketAddress> address = parse();
  if (!address) return fail(std::move(address.error()));
  Result<Listener> listener = Listener::bind(*address, options_.listen);
  if (!listener) return fail(std::move(listener.error()));
  local_address_ = listener->local_address();
  listeners_.emplace_back(std::move(*listener));
  while (listeners_.size() < loops) {
    UniqueFd copy(::dup(listeners_.front()->fd()));
    Result<Listener> another = Listener::adopt(std::move(copy), options_.listen);
    if (!another) return fail(std::move(another.error()));
    listeners_.emplace_back(std::move(*another));
  }
  return {};
}

SocketAddress Endpoint::local_address() const { return *local_address_; }

Task<> Endpoint::accept_until_shutdown(std::size_t loop, ServiceContext& context,
                                       Serving& serving) {
  Strand& strand = co_await current_strand();
  listeners_[loop]->start(strand.worker());
  auto first = co_await when_any(accept_all(*listeners_[loop], context, serving),
                                 wait_for_shutdown(context.shutdown));
  listeners_[loop].reset();
  connections_.begin_shutdown();
  if (first.index() == 0) {  // broken for good
    log_error("{}: no longer accepts connections on {}: {}", serving.service_name, address_,
              std::get<0>(first).error().to_string());
  }
}

Task<> Endpoint::accept_all(Listener& listener, ServiceContext& context, Serving& serving) {
  for (;;) {
    if (options_.connections_max != 0 && open_.load() >= options_.connections_max) {
      co_await wait_for_room();
    }
    Result<Accepted> accepted = co_await as_result(listener.accept());
    if (accepted) {
      hand_over(std::move(*accepted), context, serving);
    } else if (accepted.error().type() == ErrorType::AcceptError) {
      co_await pause(accepted.error(), context.shed_hooks);
    } else {
      co_await std::move(accepted.error());
    }
  }
}

// Whoever ends a connection at the limit sets the event. Resetting it comes before looking, so that
// the one that falls between looking and waiting is not missed.
Task<> Endpoint::wait_for_room() {
  limit_pauses_.fetch_add(1, std::memory_order_relaxed);
  for (;;) {
    has_room_.reset();
    if (open_.load() < options_.connections_max) co_return;
    co_await has_room_.wait();
  }
}

Task<> Endpoint::pause(const Error& error, ShedHooks& shed_hooks) {
  descriptor_pauses_.fetch_add(1, std::memory_order_relaxed);
  std::size_t closed = shed_hooks.shed(kShedCount);
  TimePoint now = coarse_now();
  TimePoint next = next_pause_log_.load();
  if (now >= next && next_pause_log_.compare_exchange_strong(next, now + kLogInterval)) {
    log_error("{}: accepting pauses: {}; closed {} idle connections", address_, error.to_string(),
              closed);
  }
  co_await sleep_for(closed == 0 ? Duration(kPause) : Duration(kPauseAfterShedding));
}

// Registering the socket with the worker may throw, where the system has a limit on that.
void Endpoint::hand_over(Accepted accepted, ServiceContext& context, Serving& serving) {
  accepted_.fetch_add(1, std::memory_order_relaxed);
  Worker& worker = context.runtime.least_loaded_worker();
  try {
    auto stream =
        std::make_unique<SocketStream>(worker, accepted.fd.release(), std::move(accepted.peer));
    context.connections.spawn_on(worker, serve(std::move(stream), context.shutdown, serving),
                                 TaskGroup::Start::AtOnce);
  } catch (const std::exception& exception) {
    log_error("{}: a connection was dropped: {}", address_, exception.what());
  }
}

Task<> Endpoint::serve(std::unique_ptr<Stream> stream, ShutdownWatch& shutdown, Serving& serving) {
  OpenConnection open(*this);
  if (serving.filter) {
    return serve_filtered(std::move(stream), std::move(open), shutdown, serving);
  }
  if (serving.http_app) return serve_http(std::move(stream), std::move(open), shutdown, serving);
  return serve_raw(std::move(stream), std::move(open), shutdown, serving);
}

Task<> Endpoint::serve_filtered(std::unique_ptr<Stream> stream, OpenConnection open,
                                ShutdownWatch& shutdown, Serving& serving) {
  Result<bool> accepts = co_await serving.filter->should_accept(stream->digest()).as_result();
  if (!accepts) log_failure(serving, accepts.error());
  if (!accepts || !*accepts) {
    filtered_.fetch_add(1, std::memory_order_relaxed);
    co_return;
  }
  if (serving.http_app) {
    co_await serve_http(std::move(stream), std::move(open), shutdown, serving);
  } else {
    co_await serve_raw(std::move(stream), std::move(open), shutdown, serving);
  }
}

Task<> Endpoint::serve_raw(std::unique_ptr<Stream> stream, OpenConnection /*open*/,
                           ShutdownWatch& shutdown, Serving& serving) {
  Result<void> served =
      co_await serving.server_app->process_new(std::move(stream), shutdown).as_result();
  if (!served) log_failure(serving, served.error());
}

// One such frame is what an idle connection costs, beside its session and stream: no large locals.
Task<> Endpoint::serve_http(std::unique_ptr<Stream> stream, OpenConnection /*open*/,
                            ShutdownWatch& shutdown, Serving& serving) {
  Strand& strand = co_await current_strand();
  H1ServerSession session(std::move(stream), options_.session);
  ConnectionSet::Member member(connections_, strand, session);
  HttpConnection connection{.shutdown = shutdown, .persisted = {}};
  for (;;) {
    Result<bool> has_request = co_await session.read_request().as_result();
    if (has_request && !*has_request) co_return;
    Result<void> served;
    if (has_request) {
      ++connection.requests;
      served = co_await serving.http_app->process_request(session, connection).as_result();
    } else {
      if (has_request.error().status() == 0) co_return;  // the client has left in between
      ++connection.requests;
      session.disable_keepalive();
      served = co_await serving.http_app
                   ->process_refused(session, connection, std::move(has_request.error()))
                   .as_result();
    }
    if (!served) {
      log_failure(serving, served.error());
      session.disable_keepalive();
    }
    if (!co_await session.finish()) co_return;
  }
}

void Endpoint::add_stats(ListeningStats& stats) const {
  stats.accepted += accepted_.load(std::memory_order_relaxed);
  stats.filtered += filtered_.load(std::memory_order_relaxed);
  stats.limit_pauses += limit_pauses_.load(std::memory_order_relaxed);
  stats.descriptor_pauses += descriptor_pauses_.load(std::memory_order_relaxed);
  stats.open += open_.load();
}

}  // namespace pingora::internal
