// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Changes the body of responses: each is collected, changed as a whole, and sent.
//
//   $ curl -s http://127.0.0.1:6188/world
//   => GOODBYE from one: GET /world
#include "pingora/pingora.h"

namespace {

// What is kept for a request.
struct Collected {
  std::string body;
};

class Modifier : public pingora::ProxyHttp<Collected> {
 public:
  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, Collected&) override {
    return pingora::HttpPeer("127.0.0.1:6190");
  }

  // The length will be another one: without Content-Length, the body is chunked.
  pingora::Task<> response_filter(pingora::Session&, pingora::ResponseHeader& response,
                                  Collected&) override {
    response.remove_header("Content-Length");
    return {};
  }

  // A word may be cut in two where pieces meet, so nothing is sent before the end.
  pingora::Task<> response_body_filter(pingora::Session&, pingora::Bytes& body,
                                       pingora::EndOfStream end, Collected& ctx) override {
    constexpr std::string_view kHello = "hello";
    ctx.body += body.view();
    body = {};
    if (end == pingora::EndOfStream::No) return {};
    for (std::size_t at = ctx.body.find(kHello); at != std::string::npos;
         at = ctx.body.find(kHello, at)) {
      ctx.body.replace(at, kHello.size(), "GOODBYE");
    }
    body = pingora::Bytes::copy_of(ctx.body);
    return {};
  }
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  auto proxy = pingora::http_proxy_service(server, Modifier());
  proxy.add_tcp("0.0.0.0:6188");
  server.add_service(std::move(proxy));
  server.run_forever();
}
