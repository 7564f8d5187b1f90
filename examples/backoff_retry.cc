// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Tries again when an upstream can not be reached, and waits longer before each try. Here nobody
// listens at the first two choices.
//
//   $ curl -s -D - http://127.0.0.1:6188/
//   => X-Tries: 3
//   => hello from one
#include "pingora/pingora.h"

namespace {

struct Tries {
  unsigned count = 0;
};

class Retrying : public pingora::ProxyHttp<Tries> {
 public:
  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session& session, Tries& ctx) override {
    ctx.count = session.tries();
    if (ctx.count > 1) {
      // 20 ms, 40 ms, 80 ms, …
      co_await pingora::sleep_for(std::chrono::milliseconds(10) * (1 << (ctx.count - 1)));
    }
    co_return pingora::HttpPeer(ctx.count < 3 ? "127.0.0.1:6192" : "127.0.0.1:6190");
  }

  // Nothing was sent yet, so every request may be tried again.
  pingora::Error fail_to_connect(pingora::Session&, const pingora::HttpPeer&, Tries& ctx,
                                 pingora::Error error) override {
    error.set_retry(ctx.count < 5);
    return error;
  }

  pingora::Task<> response_filter(pingora::Session&, pingora::ResponseHeader& response,
                                  Tries& ctx) override {
    return response.insert_header("X-Tries", std::to_string(ctx.count));
  }
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  auto proxy = pingora::http_proxy_service(server, Retrying());
  proxy.add_tcp("0.0.0.0:6188");
  server.add_service(std::move(proxy));
  server.run_forever();
}
