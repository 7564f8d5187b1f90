// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// A gRPC gateway: calls need a token, and go to the server of their service. HTTP/2 both ways, so
// that streams, trailers, deadlines and cancellation pass; what the gateway itself has to say is
// said as a grpc-status (16: unauthenticated, 12: unimplemented, 14: unavailable).
//
//   $ curl -si --http2-prior-knowledge -HContent-Type:application/grpc 127.0.0.1:6188/A/B
//   => grpc-status: 16
//   $ curl -si --http2-prior-knowledge -HContent-Type:application/grpc -HToken:1 127.0.0.1:6188/C/D
//   => grpc-status: 12
//   $ curl -si --http2-prior-knowledge -HContent-Type:application/grpc -HToken:1 127.0.0.1:6188/A/B
//   => grpc-status: 14
#include "pingora/pingora.h"

namespace {

class GrpcGateway : public pingora::ProxyHttp<> {
 public:
  pingora::Task<bool> request_filter(pingora::Session& session, Context&) override {
    if (session.get_header("Token") == "1") co_return false;
    co_await session.respond_error(401);
    co_return true;
  }

  // A call's path is /Service/Method.
  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session& session, Context&) override {
    std::string_view path = session.req_header().path();
    if (!path.starts_with("/A/")) return pingora::Error::http_status(404);
    pingora::HttpPeer peer("127.0.0.1:6192");
    peer.options.alpn = pingora::Alpn::H2;  // without TLS: by prior knowledge
    // A stream of messages may be quiet for as long as it likes; a dead server is noticed by pings.
    peer.options.read_timeout = pingora::kNoTimeout;
    peer.options.h2_ping_interval = std::chrono::seconds(10);
    return peer;
  }
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  auto proxy = pingora::http_proxy_service(server, GrpcGateway());
  pingora::EndpointOptions endpoint;
  endpoint.enable_h2c = true;
  proxy.add_tcp_with_settings("0.0.0.0:6188", endpoint);
  server.add_service(std::move(proxy));
  server.run_forever();
}
