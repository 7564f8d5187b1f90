// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2_connector.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "within.h"

namespace pingora::internal {
namespace {

// What a connection may hold beyond what its windows let come: heads, tables, requests.
constexpr std::size_t kMemoryBesideWindows = 16 * 1024 * 1024;

TimePoint deadline_for(const PeerOptions& options) {
  auto timeout = std::min(options.connection_timeout, options.total_connection_timeout);
  return timeout == kNoTimeout ? kNever : Clock::now() + timeout;
}

// RFC 9113 §3.2, §3.3: by TLS it is agreed on; without, known before.
bool speaks_h2(const HttpPeer& peer, const Stream& stream) {
  if (!peer.is_tls()) return true;
  const auto& ssl = stream.digest().ssl;
  return ssl != nullptr && ssl->alpn == "h2";
}

Task<bool> wait_for(Event& event) {
  co_await event.wait();
  co_return true;
}

std::shared_ptr<PooledH2Connection> pooled(std::shared_ptr<SharedConnection> connection) {
  // Nothing else is ever put into the store.
  return std::static_pointer_cast<PooledH2Connection>(std::move(connection));
}

}  // namespace

H2Options h2_options(const PeerOptions& options) {
  const H2Windows& windows = options.rare().h2_windows;
  H2Options h2;
  h2.engine.stream_window_bytes = windows.stream_bytes;
  h2.engine.stream_window_bytes_max = std::max(windows.stream_bytes, windows.stream_bytes_max);
  h2.engine.connection_window_bytes = windows.connection_bytes;
  h2.engine.connection_window_bytes_max = windows.connection_bytes;
  h2.engine.memory_bytes_max = windows.connection_bytes + kMemoryBesideWindows;
  if (options.h2_ping_interval != kNoTimeout) h2.ping_interval = options.h2_ping_interval;
  return h2;
}

H2Connector::H2Connector(TransportConnector& transport, std::size_t capacity,
                         Duration fallback_time)
    : transport_(transport), store_(capacity, fallback_time) {}

Task<GotH2> H2Connector::get(const HttpPeer& peer) {
  H2Store::Found found = store_.find(peer);
  if (found.connection != nullptr) return GotH2{pooled(std::move(found.connection)), {}};
  if (found.prefers_h1) return GotH2{};
  MakingGuard guard(store_, found);
  return wait_or_make(peer, std::move(found), std::move(guard));
}

Task<GotH2> H2Connector::wait_or_make(const HttpPeer& peer, H2Store::Found found,
                                      MakingGuard guard) {
  TimePoint deadline = deadline_for(peer.options);
  for (;;) {
    if (found.connection != nullptr) co_return GotH2{pooled(std::move(found.connection)), {}};
    if (found.prefers_h1) co_return GotH2{};
    if (found.is_maker) co_return co_await make(peer, std::move(guard));
    // The maker's patience may be another than ours.
    auto waited = co_await within(deadline, "a connection to " + peer.to_string(),
                                  wait_for(found.making->done))
                      .as_result();
    if (!waited) co_return std::move(waited.error()).into_up();
    if (found.making->error()) co_return found.making->error()->clone();
    found = store_.find(peer);
    guard = MakingGuard(store_, found);
  }
}

Task<GotH2> H2Connector::make(const HttpPeer& peer, MakingGuard guard) {
  Result<ConnectedStream> connected = co_await transport_.connect(peer).as_result();
  if (!connected) {
    guard.failed(connected.error());
    co_return std::move(connected.error());
  }
  if (!speaks_h2(peer, *connected->stream)) {
    if (peer.options.alpn == Alpn::H2) {
      Error error = Error::explain(ErrorType::H2Downgrade,
                                   peer.to_string() + " does not agree to HTTP/2 (ALPN)");
      error.set_source(ErrorSource::Upstream);
      guard.failed(error);
      co_return std::move(error);
    }
    store_.note_h1_only(peer);
    co_return GotH2{{}, std::move(*connected)};
  }
  auto connection = std::make_shared<PooledH2Connection>(std::move(connected->stream), peer);
  bool is_taken = connection->try_take_stream();
  Worker& worker = (co_await current_strand()).worker();
  tasks(worker.runtime())
      .spawn_on(worker, run(connection, std::move(connected->received), std::move(guard)));
  if (!is_taken) co_return Error::internal("a new connection has no stream");
  co_return GotH2{std::move(connection), {}};
}

// The exchange that the connection was made for begins at once. Others wait until the peer has said
// how many it takes: too many would be refused, or worse.
Task<> H2Connector::announce(std::shared_ptr<PooledH2Connection> connection, MakingGuard guard) {
  if (co_await connection->connection().wait_for_settings()) {
    guard.made(std::move(connection));
    co_return;
  }
  Error error = Error::explain(ErrorType::ConnectionClosed,
                               connection->peer().to_string() + " ended a new connection");
  error.set_source(ErrorSource::Upstream);
  guard.failed(error);
}

Task<> H2Connector::carry(std::shared_ptr<PooledH2Connection> connection, Buffer received) {
  // Its exchanges know why it ended.
  [[maybe_unused]] Result<void> ended =
      co_await connection->connection().run(std::move(received)).as_result();
  store_.remove(connection->peer(), *connection);
}

Task<> H2Connector::run(std::shared_ptr<PooledH2Connection> connection, Buffer received,
                        MakingGuard guard) {
  co_await when_all(carry(connection, std::move(received)), announce(connection, std::move(guard)));
}

TaskGroup& H2Connector::tasks(Runtime& runtime) {
  std::lock_guard lock(mutex_);
  if (tasks_ == nullptr) tasks_ = std::make_unique<TaskGroup>(runtime);
  return *tasks_;
}

void H2Connector::close() {
  store_.clear();
  std::unique_ptr<TaskGroup> ending;
  {
    std::lock_guard lock(mutex_);
    ending = std::move(tasks_);
  }
  if (ending == nullptr) return;
  ending->cancel();
  ending->join_blocking();
}

}  // namespace pingora::internal
