// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "server/server_metrics.h"

#include <algorithm>
#include <utility>

#include "pingora/metrics/registry.h"

namespace pingora::internal {
namespace {

struct Event {
  Counter& counter;
  std::uint64_t (*count)(const ListeningStats&);
};

Counter& connections(const char* event) {
  return Registry::global().counter("pingora_server_connections_total",
                                    "What became of connections at listeners.", {{"event", event}});
}
Counter& pauses(const char* reason) {
  return Registry::global().counter("pingora_server_pauses_total",
                                    "How often accepting was paused.", {{"reason", reason}});
}
Counter& handshakes(const char* result) {
  return Registry::global().counter("pingora_server_handshakes_total",
                                    "What came of TLS handshakes at listeners.",
                                    {{"result", result}});
}

// In the order of ServerMetrics::published_.
template <std::size_t kCount>
const std::array<Event, kCount>& events() {
  using Stats = ListeningStats;
  static const std::array<Event, kCount> kEvents = {{
      {connections("accept"), [](const Stats& stats) { return stats.accepted; }},
      {connections("filter"), [](const Stats& stats) { return stats.filtered; }},
      {connections("plain_http"), [](const Stats& stats) { return stats.tls.plain_http; }},
      {pauses("connections_max"), [](const Stats& stats) { return stats.limit_pauses; }},
      {pauses("handshakes_max"), [](const Stats& stats) { return stats.handshake_pauses; }},
      {pauses("descriptors"), [](const Stats& stats) { return stats.descriptor_pauses; }},
      {handshakes("full"),
       [](const Stats& stats) {
         return stats.tls.handshakes - std::min(stats.tls.handshakes, stats.tls.resumed);
       }},
      {handshakes("resumed"), [](const Stats& stats) { return stats.tls.resumed; }},
      {handshakes("failed"), [](const Stats& stats) { return stats.tls.failed; }},
      {handshakes("timed_out"), [](const Stats& stats) { return stats.tls.timed_out; }},
      {handshakes("given_up"), [](const Stats& stats) { return stats.tls.given_up; }},
  }};
  return kEvents;
}

Gauge& open_connections() {
  static Gauge& gauge =
      Registry::global().gauge("pingora_server_open_connections", "Connections of clients.");
  return gauge;
}
Gauge& parked_connections() {
  static Gauge& gauge = Registry::global().gauge(
      "pingora_server_parked_connections", "Connections of clients that are idle, and parked.");
  return gauge;
}

void move(Gauge& gauge, std::size_t from, std::size_t to) {
  gauge.add(static_cast<std::int64_t>(to) - static_cast<std::int64_t>(from));
}

}  // namespace

ServerMetrics::~ServerMetrics() {
  move(open_connections(), open_, 0);
  move(parked_connections(), parked_, 0);
}

void ServerMetrics::publish(const ListeningStats& stats) {
  const auto& all = events<kEvents>();
  for (std::size_t i = 0; i < kEvents; ++i) {
    // The figures are read one after the other: a difference of two may seem to go down.
    std::uint64_t now = all[i].count(stats);
    if (now <= published_[i]) continue;
    all[i].counter.add(now - published_[i]);
    published_[i] = now;
  }
  move(open_connections(), std::exchange(open_, stats.open), stats.open);
  move(parked_connections(), std::exchange(parked_, stats.parked), stats.parked);
}

}  // namespace pingora::internal
