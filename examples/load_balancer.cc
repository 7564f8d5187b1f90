// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Requests go to three origins in turn; those that do not answer health checks get none.
//
//   $ curl -s http://127.0.0.1:6188/
//   => hello from
//
// The origins are at 127.0.0.1:6190 to 6192; examples/run.sh starts two of them.
#include "pingora/pingora.h"

namespace {

using Upstreams = pingora::LoadBalancer<pingora::RoundRobin>;

class Balancer : public pingora::ProxyHttp<> {
 public:
  explicit Balancer(std::shared_ptr<Upstreams> upstreams) : upstreams_(std::move(upstreams)) {}

  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, Context&) override {
    auto backend = upstreams_->select();
    if (!backend) return pingora::Error::http_status(503, "no healthy backend");
    return pingora::HttpPeer(backend->address());
  }

 private:
  std::shared_ptr<Upstreams> upstreams_;
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  auto upstreams =
      Upstreams::from_addresses({"127.0.0.1:6190", "127.0.0.1:6191", "127.0.0.1:6192"});
  if (!upstreams) pingora::exit_with_error(upstreams.error());
  (*upstreams)->set_health_check(std::make_unique<pingora::TcpHealthCheck>());
  (*upstreams)->options.health_check_frequency = std::chrono::seconds(1);
  auto checks = server.add_service(pingora::background_service("health checks", *upstreams));

  auto proxy = pingora::http_proxy_service(server, Balancer(*upstreams));
  proxy.add_tcp("0.0.0.0:6188");
  // Nothing is accepted before each origin was checked once.
  server.add_service(std::move(proxy)).add_dependency(checks);
  server.run_forever();
}
