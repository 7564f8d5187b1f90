// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Several sets of backends, each with checks and weights of its own: the path chooses the set.
//
//   $ curl -s http://127.0.0.1:6188/one/
//   => hello from one
//   $ curl -s http://127.0.0.1:6188/two/
//   => hello from two
#include "pingora/pingora.h"

namespace {

using Cluster = pingora::LoadBalancer<pingora::RoundRobin>;

pingora::Backend backend(std::string_view address, std::uint16_t weight) {
  auto parsed = pingora::SocketAddress::parse(address);
  if (!parsed) pingora::exit_with_error(parsed.error());
  return pingora::Backend(*parsed, weight);
}

// A set of backends, looked after by a background service of the server.
std::shared_ptr<Cluster> add_cluster(pingora::Server& server, std::string name,
                                     std::vector<pingora::Backend> backends) {
  auto cluster = Cluster::from_backends(std::move(backends));
  cluster->set_health_check(std::make_unique<pingora::TcpHealthCheck>(
      pingora::TcpHealthCheck::Options{.connect_timeout = std::chrono::milliseconds(500),
                                       .consecutive_success = 2,
                                       .consecutive_failure = 1}));
  cluster->options.health_check_frequency = std::chrono::seconds(1);
  cluster->options.parallel_health_checks = 4;
  server.add_service(pingora::background_service(std::move(name), cluster));
  return cluster;
}

class Router : public pingora::ProxyHttp<> {
 public:
  Router(std::shared_ptr<Cluster> one, std::shared_ptr<Cluster> two)
      : one_(std::move(one)), two_(std::move(two)) {}

  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session& session, Context&) override {
    const Cluster& cluster = session.req_header().path().starts_with("/one/") ? *one_ : *two_;
    auto backend = cluster.select();
    if (!backend) return pingora::Error::http_status(503, "no healthy backend");
    return pingora::HttpPeer(backend->address());
  }

 private:
  std::shared_ptr<Cluster> one_;
  std::shared_ptr<Cluster> two_;
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  auto one = add_cluster(server, "cluster one", {backend("127.0.0.1:6190", 1)});
  auto two = add_cluster(server, "cluster two", {backend("127.0.0.1:6191", 3)});
  auto proxy = pingora::http_proxy_service(server, Router(one, two));
  proxy.add_tcp("0.0.0.0:6188");
  server.add_service(std::move(proxy));
  server.run_forever();
}
