// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// A proxy whose limits and deadlines are set on the command line, for tests that want to see them
// strike: `--set NAME=VALUE`, with the names of the members of the options.
#include <charconv>
#include <functional>
#include <map>
#include <optional>

#include "pingora/pingora.h"

namespace {

struct Settings {
  pingora::EndpointOptions endpoint;
  pingora::PeerOptions peer;
  pingora::HttpProxyOptions proxy;
};

using Setter = std::function<void(std::uint64_t)>;

std::map<std::string, Setter, std::less<>> setters(Settings& settings) {
  using std::chrono::milliseconds;
  auto& session = settings.endpoint.session;
  auto& peer = settings.peer;
  std::map<std::string, Setter, std::less<>> all;
  auto duration = [&](const char* name, milliseconds& member) {
    all[name] = [&member](std::uint64_t value) { member = milliseconds(value); };
  };
  auto number = [&]<class T>(const char* name, T& member) {
    all[name] = [&member](std::uint64_t value) { member = static_cast<T>(value); };
  };
  duration("first_request_timeout", session.first_request_timeout);
  duration("keepalive_timeout", session.keepalive_timeout);
  duration("head_timeout", session.head_timeout);
  all["h2_head_timeout"] = [&session](std::uint64_t value) {
    session.h2.engine.head_timeout = milliseconds(value);
  };
  duration("body_read_timeout", session.body_read_timeout);
  duration("body_rate_grace", session.body_rate_grace);
  duration("write_timeout", session.write_timeout);
  duration("tunnel_idle_timeout", session.tunnel_idle_timeout);
  duration("drain_timeout", session.drain_timeout);
  number("body_rate_min", session.body_rate_min);
  number("drain_bytes_max", session.drain_bytes_max);
  number("requests_per_connection_max", session.requests_per_connection_max);
  number("body_bytes_max", session.body_bytes_max);
  number("connections_max", settings.endpoint.connections_max);
  number("enable_h2c", settings.endpoint.enable_h2c);
  duration("connection_timeout", peer.connection_timeout);
  duration("upstream_read_timeout", peer.read_timeout);
  duration("upstream_write_timeout", peer.write_timeout);
  duration("upstream_idle_timeout", peer.idle_timeout);
  number("upstream_alpn", peer.alpn);  // 0: HTTP/1, 1: HTTP/2, 2: either
  number("max_h2_streams", peer.max_h2_streams);
  duration("h2_ping_interval", peer.h2_ping_interval);
  number("retry_buffer_bytes_max", settings.proxy.retry_buffer_bytes_max);
  number("allow_connect_method_proxying", settings.proxy.allow_connect_method_proxying);
  return all;
}

[[noreturn]] void refuse(std::string_view what) {
  pingora::exit_with_error(pingora::Error::explain(pingora::ErrorType::ConfigError, what));
}

void change(const std::vector<std::string>& texts, Settings& settings) {
  auto all = setters(settings);
  for (const std::string& text : texts) {
    std::size_t at = text.find('=');
    auto setter = all.find(std::string_view(text).substr(0, at));
    if (at == std::string::npos || setter == all.end()) refuse("--set " + text);
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    auto parsed = std::from_chars(text.data() + at + 1, end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) refuse("--set " + text);
    setter->second(value);
  }
}

class Proxy : public pingora::ProxyHttp<> {
 public:
  explicit Proxy(pingora::HttpPeer peer) : peer_(std::move(peer)) {}

  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, Context&) override {
    return peer_;
  }

 private:
  pingora::HttpPeer peer_;
};

}  // namespace

int main(int argc, char** argv) {
  std::string listen;
  std::string upstream;
  std::optional<std::string> via;
  std::vector<std::string> set;
  std::int64_t threads = 1;
  pingora::ProgramOptions program("A proxy for tests.");
  program.text("--listen", "ADDR:PORT", "Where to listen", listen)
      .text("--upstream", "ADDR:PORT", "Where requests go", upstream)
      .text("--via", "ADDR:PORT", "A proxy that the upstream is reached through", via)
      .texts("--set", "NAME=VALUE", "A limit, or a deadline in ms", set)
      .integer("--threads", "N", "Threads", threads, 1, 1024);
  pingora::Opt opt = pingora::Opt::parse(argc, argv, program);
  auto configuration = pingora::Configuration::load(opt);
  if (!configuration) pingora::exit_with_error(configuration.error());
  configuration->threads = static_cast<unsigned>(threads);

  Settings settings;
  change(set, settings);
  auto peer = pingora::HttpPeer::parse(upstream);
  if (!peer) pingora::exit_with_error(peer.error());
  peer->options = settings.peer;
  if (via) {
    auto address = pingora::SocketAddress::parse(*via);
    if (!address) pingora::exit_with_error(address.error());
    peer->options.edit_rare().proxy = pingora::UpstreamProxy{.address = *address, .headers = {}};
  }
  pingora::Server server(*configuration, opt);
  auto service =
      pingora::http_proxy_service(server, Proxy(std::move(*peer)), std::move(settings.proxy));
  service.add_tcp_with_settings(listen, std::move(settings.endpoint));
  server.add_service(std::move(service));
  server.run_forever();
}
