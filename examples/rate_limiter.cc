// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Two requests a second for each client, which the header App-Id tells apart; more are answered
// with 429.
//
//   $ curl -s -o /dev/null -w '%{http_code} ' -H 'App-Id: a' 'http://127.0.0.1:6188/[1-8]'
//   => 429
//   $ curl -s -H 'App-Id: b' http://127.0.0.1:6188/
//   => hello from one
#include "pingora/limits/rate.h"
#include "pingora/pingora.h"

namespace {

constexpr std::int64_t kRequestsMax = 2;

class RateLimiter : public pingora::ProxyHttp<> {
 public:
  explicit RateLimiter(pingora::Rate& rate) : rate_(rate) {}

  pingora::Task<bool> request_filter(pingora::Session& session, Context&) override {
    auto id = session.get_header("App-Id");
    if (!id || rate_.observe(*id) <= kRequestsMax) return false;
    return refuse(session);
  }

  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, Context&) override {
    return pingora::HttpPeer("127.0.0.1:6190");
  }

 private:
  static pingora::Task<bool> refuse(pingora::Session& session) {
    pingora::ResponseHeader response(429);
    co_await response.insert_header("X-RateLimit-Limit", std::to_string(kRequestsMax));
    co_await response.insert_header("Content-Length", "0");
    co_await session.write_response_header(std::move(response), pingora::EndOfStream::Yes);
    co_return true;
  }

  pingora::Rate& rate_;
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  pingora::Rate rate(std::chrono::seconds(1));
  auto proxy = pingora::http_proxy_service(server, RateLimiter(rate));
  proxy.add_tcp("0.0.0.0:6188");
  server.add_service(std::move(proxy));
  server.run_forever();
}
