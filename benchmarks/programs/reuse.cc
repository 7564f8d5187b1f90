// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// A proxy to many origins: /N goes to 127.0.1.N, whose idle connections are kept for 5 s.

#include <charconv>
#include <chrono>
#include <string>

#include "bench_program.h"

namespace {

using namespace pingora;

class Reuse : public ProxyHttp<> {
 public:
  explicit Reuse(const bench::Arguments& arguments)
      : port_(static_cast<std::uint16_t>(arguments.upstream_port)),
        tls_(arguments.upstream_tls ? Tls::Yes : Tls::No),
        sni_(arguments.sni) {
    options_.idle_timeout = std::chrono::seconds(5);
    if (!arguments.upstream_ca.empty()) options_.edit_rare().ca_file = arguments.upstream_ca;
  }

  Task<HttpPeer> upstream_peer(Session& session, Context&) override {
    std::string_view path = session.req_header().path().substr(1);
    int number = 0;
    auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), number);
    if (error != std::errc() || number < 1 || number > 254) return Error::http_status(404);
    auto address = SocketAddress::parse("127.0.1." + std::to_string(number), port_);
    if (!address) return std::move(address.error());
    HttpPeer peer(*address, tls_, sni_);
    peer.options = options_;
    return peer;
  }

 private:
  std::uint16_t port_;
  Tls tls_;
  std::string sni_;
  PeerOptions options_;
};

}  // namespace

int main(int argc, char** argv) {
  auto arguments = bench::Arguments::parse(argc, argv);
  bench::run(arguments, Reuse(arguments));
}
