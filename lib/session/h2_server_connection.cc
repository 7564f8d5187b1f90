// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/session/h2_server_connection.h"

#include <utility>
#include <vector>

#include "base/pooled_allocator.h"
#include "session/h2_connection.h"
#include "session/h2_metrics.h"
#include "session/h2_server_session.h"
#include "session/session_metrics.h"

namespace pingora {

using internal::H2Connection;
using internal::H2Metrics;
using internal::H2ServerSession;
using internal::H2Stream;
using internal::H2StreamRef;
using internal::PooledAllocator;
using internal::SessionMetrics;

class H2ServerConnection::Core final : public H2Connection {
 public:
  Core(std::unique_ptr<Stream> stream, const ServerSessionOptions& options)
      : H2Connection(std::move(stream), h2::Role::Server, options.h2), options_(options) {
    set_idle_timeout(options.first_request_timeout);
    set_write_timeout(options.write_timeout);
  }

  Acceptor* acceptor = nullptr;  // while it runs

 protected:
  void on_event(h2::Event&& event) override {
    bool is_request = event.kind == h2::Event::Kind::RequestHead ||
                      (event.kind == h2::Event::Kind::Refused && event.request != nullptr);
    if (is_request) begin_request(std::move(event));
  }
  void after_events() override {
    if (incoming_.empty()) return;
    auto incoming = std::move(incoming_);
    for (auto& session : incoming) acceptor->accept(std::move(session));
    incoming.clear();
    if (incoming.capacity() <= kKeptIncomingMax) incoming_ = std::move(incoming);
  }
  void on_limit(std::string_view name) override { H2Metrics::count_limit("downstream", name); }
  void publish(const h2::EngineCounters& counters) override {
    H2Metrics::downstream().publish(counters);
  }

 private:
  static constexpr std::size_t kKeptIncomingMax = 8;

  // Also one that is only to be logged, because it was malformed: of it there is no stream.
  void begin_request(h2::Event&& head) {
    std::unique_ptr<H2Stream> stream;
    if (head.stream != nullptr) stream = std::make_unique<H2Stream>(*this, *head.stream);
    const SslDigest* ssl = digest().ssl.get();
    bool is_early = ssl != nullptr && ssl->has_early_data && may_be_replayed();
    incoming_.push_back(std::make_unique<H2ServerSession>(
        H2StreamRef(shared_from_this(), std::move(stream)), std::move(head),
        is_early ? H2ServerSession::Early::Yes : H2ServerSession::Early::No, options_));
    if (requests_++ == 0) set_idle_timeout(options_.keepalive_timeout);
    if (requests_ == options_.h2.requests_per_connection_max) {
      SessionMetrics::get().downstream.requests_per_connection.add();
      announce_shutdown();
    }
  }

  const ServerSessionOptions& options_;
  using Incoming =
      std::vector<std::unique_ptr<ServerSession>, PooledAllocator<std::unique_ptr<ServerSession>>>;
  Incoming incoming_;  // to be handed out behind the mutex
  std::uint32_t requests_ = 0;
};

H2ServerConnection::H2ServerConnection(std::unique_ptr<Stream> stream,
                                       const ServerSessionOptions& options)
    : core_(std::make_shared<Core>(std::move(stream), options)) {}

H2ServerConnection::~H2ServerConnection() = default;

Task<> H2ServerConnection::serve(Buffer received, Acceptor& acceptor) {
  core_->acceptor = &acceptor;
  return core_->run(std::move(received));
}

void H2ServerConnection::begin_shutdown() noexcept { core_->begin_shutdown(); }

}  // namespace pingora
