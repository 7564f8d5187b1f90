// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// State: what one phase of a request tells the next (the context), and what all requests share
// (members of the proxy, which many threads use at once).
//
//   $ curl -s http://127.0.0.1:6188/
//   => hello from one
//   $ curl -s -H 'Beta: yes' http://127.0.0.1:6188/
//   => hello from two
//   $ curl -s -D - -o /dev/null -H 'Beta: yes' http://127.0.0.1:6188/
//   => X-Beta-Request: 2
#include <atomic>

#include "pingora/pingora.h"

namespace {

// Made anew for each request.
struct RequestState {
  std::uint64_t beta_number = 0;  // 0: no beta user
};

struct SharedState {
  std::atomic<std::uint64_t> beta_requests{0};
};

class WithState : public pingora::ProxyHttp<RequestState> {
 public:
  explicit WithState(SharedState& shared) : shared_(shared) {}

  pingora::Task<bool> request_filter(pingora::Session& session, RequestState& ctx) override {
    if (session.get_header("Beta") == "yes") ctx.beta_number = ++shared_.beta_requests;
    return false;
  }

  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, RequestState& ctx) override {
    return pingora::HttpPeer(ctx.beta_number != 0 ? "127.0.0.1:6191" : "127.0.0.1:6190");
  }

  pingora::Task<> response_filter(pingora::Session&, pingora::ResponseHeader& response,
                                  RequestState& ctx) override {
    if (ctx.beta_number == 0) return {};
    return response.insert_header("X-Beta-Request", std::to_string(ctx.beta_number));
  }

 private:
  SharedState& shared_;
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  SharedState shared;
  auto proxy = pingora::http_proxy_service(server, WithState(shared));
  proxy.add_tcp("0.0.0.0:6188");
  server.add_service(std::move(proxy));
  server.run_forever();
}
