// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// A proxy with some logic of its own: reads three headers, sets two, removes one, picks the origin
// by hash and adds a response header.

#include <functional>
#include <string>

#include "bench_program.h"

namespace {

using namespace pingora;

class Logic : public ProxyHttp<> {
 public:
  explicit Logic(std::vector<HttpPeer> peers) : peers_(std::move(peers)) {}

  Task<HttpPeer> upstream_peer(Session& session, Context&) override {
    std::string_view user = session.get_header("X-User").value_or("");
    return peers_[std::hash<std::string_view>()(user) % peers_.size()];
  }
  Task<> upstream_request_filter(Session& session, RequestHeader& request, Context&) override {
    std::string route(session.get_header("X-Tenant").value_or(""));
    route += '/';
    route += session.get_header("X-User").value_or("");
    request.insert_header("X-Route", route);
    bool is_load = session.get_header(HeaderId::UserAgent).value_or("").starts_with("wrk");
    request.insert_header("X-Client-Kind", is_load ? "load" : "other");
    request.remove_header("X-Internal");
    return {};
  }
  Task<> response_filter(Session&, ResponseHeader& response, Context&) override {
    response.insert_header("X-Served-By", "bench");
    return {};
  }

 private:
  std::vector<HttpPeer> peers_;
};

}  // namespace

int main(int argc, char** argv) {
  auto arguments = bench::Arguments::parse(argc, argv);
  std::vector<HttpPeer> peers;
  for (const std::string& address : arguments.upstream) peers.emplace_back(address);
  bench::run(arguments, Logic(std::move(peers)));
}
