// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Life of a connection, seen by those who want a stream:
//
//   open: gives slots ---------------- close, GOAWAY, no identifiers left, lost ---> closed
//     |                                                                                |
//     +-- idle for too long ----------------------------------------------------------+
//                                                                                      | last slot
//                                                                                      v  is back
//                                                                 ended <--- run --- retired
//
// Invariant [retired]: `retired_` is set once the slots are closed and none is taken; whoever
// brings about the second of the two sets it.
#include "pingora/session/h2_client_connection.h"

#include <algorithm>
#include <utility>

#include "pingora/runtime/combinators.h"
#include "session/h2_client_core.h"
#include "session/h2_client_session.h"
#include "session/h2_metrics.h"

namespace pingora {

using internal::H2ClientCore;
using internal::H2ClientSession;

namespace internal {
namespace {

Error not_sent(ErrorType type, std::string_view why) {
  Error error = Error::explain(type, why);
  error.set_source(ErrorSource::Upstream);
  error.set_retry_type(RetryType::Yes);
  return error;
}

}  // namespace

H2ClientCore::H2ClientCore(std::unique_ptr<pingora::Stream> stream, H2Options options,
                           std::uint32_t streams_max)
    : H2ClientOptions(std::move(options)),
      H2Connection(std::move(stream), h2::Role::Client, own_options),
      streams_max_(std::max(streams_max, 1U)),
      slots_(std::min(streams_max_, h2::PeerSettings().concurrent_streams_max)) {}

Task<> H2ClientCore::shut_down_when_retired() {
  co_await retired_.wait();
  {
    std::lock_guard lock(mutex());
    engine().finish_shutdown();
    request_flush();
  }
  Event never;
  co_await never.wait();
}

Result<H2StreamRef> H2ClientCore::open(const RequestHeader& request, const h2::RequestParts& parts,
                                       EndOfStream end) {
  std::lock_guard lock(mutex());
  if (is_lost()) return fail(not_sent(ErrorType::ConnectionClosed, "the connection has ended"));
  Result<h2::EngineStream*> opened = engine().submit_request(request, parts, end);
  if (!opened) {
    if (engine().is_draining()) slots_.close();
    bool is_ours = opened.error().type() == ErrorType::InvalidHttpHeader;
    opened.error().set_source(is_ours ? ErrorSource::Internal : ErrorSource::Upstream);
    return fail(std::move(opened.error()));
  }
  end_idle();
  if (end == EndOfStream::Yes) request_flush();  // nothing is to go along with it
  return H2StreamRef(shared_from_this(), std::make_unique<H2Stream>(*this, **opened));
}

void H2ClientCore::close_to_streams() {
  slots_.close();
  if (slots_.taken() == 0) retired_.set();
}

bool H2ClientCore::close_if_idle() {
  if (!slots_.close_if_idle_since(kNever)) return false;
  retired_.set();
  return true;
}

void H2ClientCore::give_back_slot() {
  if (slots_.give_back()) retired_.set();
}

void H2ClientCore::check_peer() {
  std::lock_guard lock(mutex());
  if (!is_lost()) probe();
}

void H2ClientCore::on_event(h2::Event&& event) {
  switch (event.kind) {
    case h2::Event::Kind::Settings: {
      const h2::PeerSettings& settings = engine().peer_settings();
      slots_.set_limit(std::min(streams_max_, settings.concurrent_streams_max));
      takes_extended_connect_.store(settings.extended_connect, std::memory_order_relaxed);
      settings_known_.set();
      break;
    }
    case h2::Event::Kind::GoAway:
      close_to_streams();
      if (event.code != h2::ErrorCode::NoError) H2Metrics::upstream().goaway_errors.add();
      break;
    default: break;
  }
}

void H2ClientCore::on_limit(std::string_view name) { H2Metrics::count_limit("upstream", name); }

void H2ClientCore::on_ended() {
  if (!settings_known_.is_set()) has_ended_.store(true, std::memory_order_release);
  close_to_streams();
  settings_known_.set();
}

void H2ClientCore::publish(const h2::EngineCounters& counters) {
  H2Metrics::upstream().publish(counters);
}

namespace {

// Holds the connection for as long as it runs.
Task<> run_core(std::shared_ptr<H2ClientCore> core, Buffer received) {
  auto first = co_await when_any(core->run(std::move(received)), core->shut_down_when_retired());
  co_await std::move(std::get<0>(first));
}

Task<bool> wait_for_settings_of(std::shared_ptr<H2ClientCore> core) {
  co_await core->settings_known().wait();
  co_return !core->has_ended();
}

}  // namespace
}  // namespace internal

H2ClientConnection::H2ClientConnection(std::unique_ptr<Stream> stream, H2Options options,
                                       std::uint32_t streams_max)
    : core_(std::make_shared<H2ClientCore>(std::move(stream), std::move(options), streams_max)) {}

Task<> H2ClientConnection::run(Buffer received) {
  return internal::run_core(core_, std::move(received));
}

Task<bool> H2ClientConnection::wait_for_settings() { return internal::wait_for_settings_of(core_); }

std::unique_ptr<ClientSession> H2ClientConnection::new_session(
    const ClientSessionOptions& options) {
  return std::make_unique<H2ClientSession>(core_, options);
}

bool H2ClientConnection::is_used() const noexcept { return core_->is_used(); }
internal::StreamSlots& H2ClientConnection::slots() const noexcept { return core_->slots(); }
void H2ClientConnection::close() { core_->close_to_streams(); }
bool H2ClientConnection::close_if_idle() { return core_->close_if_idle(); }

}  // namespace pingora
