// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pingora/h2/engine.h"

namespace pingora::h2::testing {

inline constexpr TimePoint kStart = TimePoint(std::chrono::hours(1));

inline std::string text_of(const Output& output) {
  std::string text;
  for (const Bytes& piece : output.pieces()) text.append(piece.view());
  return text;
}

/// Everything that an engine has to send.
inline std::string take_all(Engine& engine) {
  std::string text;
  while (engine.has_output()) {
    Output output;
    engine.take_output(output);
    if (output.empty()) break;
    text += text_of(output);
  }
  return text;
}

inline std::vector<Event> events_of(Engine& engine) {
  std::vector<Event> events;
  while (auto event = engine.next_event()) events.push_back(std::move(*event));
  return events;
}

/// The events but for Settings, which come with every connection.
inline std::vector<Event> stream_events_of(Engine& engine) {
  std::vector<Event> events;
  while (auto event = engine.next_event()) {
    if (event->kind != Event::Kind::Settings) events.push_back(std::move(*event));
  }
  return events;
}

/// Feeds `bytes` in pieces of `piece` bytes, or whole if that is 0. Whether the engine took it all.
inline bool feed(Engine& engine, std::string_view bytes, std::size_t piece = 0,
                 TimePoint now = kStart) {
  if (piece == 0) piece = bytes.size();
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    if (!engine.feed(Bytes::copy_of(part), now)) return false;
    bytes.remove_prefix(part.size());
  }
  return true;
}

/// A client and a server that talk to each other.
struct Pair {
  explicit Pair(EngineOptions server_options = {}, EngineOptions client_options = {})
      : options{server_options, client_options},
        server(Role::Server, options.first, kStart),
        client(Role::Client, options.second, kStart) {}

  /// Carries bytes both ways until there are none, in pieces of `piece` bytes or whole.
  void pump(std::size_t piece = 0, TimePoint now = kStart) {
    for (bool moved = true; moved;) {
      std::string to_server = take_all(client);
      feed(server, to_server, piece, now);
      std::string to_client = take_all(server);
      feed(client, to_client, piece, now);
      moved = !to_server.empty() || !to_client.empty();
    }
  }

  std::pair<EngineOptions, EngineOptions> options;
  Engine server;
  Engine client;
};

inline RequestHeader get(std::string_view path, std::string_view host = "example.com") {
  RequestHeader request = *RequestHeader::build(Method::Get, path);
  static_cast<void>(request.insert_header(HeaderId::Host, host));
  return request;
}

/// The names and values of a map, one "name: value" each.
inline std::vector<std::string> lines_of(const HeaderMap& headers) {
  std::vector<std::string> lines;
  for (HeaderField field : headers) {
    lines.push_back(std::string(field.name) + ": " + std::string(field.value));
  }
  return lines;
}

}  // namespace pingora::h2::testing
