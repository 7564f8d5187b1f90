// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What both consumer projects build: a proxy against the public headers, linked with what they
// need, vendors included, that starts and ends.
#include <pingora/pingora.h>

#include <cstdio>

namespace {

class Consumer : public pingora::ProxyHttp<> {
 public:
  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, Context&) override {
    return pingora::HttpPeer("127.0.0.1:9");
  }
};

}  // namespace

int main() {
  auto configuration = pingora::Configuration::from_yaml("version: 1\nthreads: 2\n", "example");
  if (!configuration) {
    std::fprintf(stderr, "%s\n", configuration.error().to_string().c_str());
    return 1;
  }
  pingora::Server server(std::move(*configuration));
  auto proxy = pingora::http_proxy_service(server, Consumer());
  proxy.add_tcp("127.0.0.1:0");
  server.add_service(std::move(proxy));
  if (auto started = server.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().to_string().c_str());
    return 1;
  }
  server.shutdown();
  server.wait();
  std::printf("pingora %.*s served nobody\n", static_cast<int>(pingora::kVersion.size()),
              pingora::kVersion.data());
}
