// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// A proxy whose filter burns 20 ms of CPU time for paths that begin with /slow.

#include <ctime>

#include "bench_program.h"

namespace {

using namespace pingora;

void burn_20_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  const auto until = now.tv_sec * 1'000'000'000LL + now.tv_nsec + 20'000'000LL;
  do {
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  } while (now.tv_sec * 1'000'000'000LL + now.tv_nsec < until);
}

class Stuck : public ProxyHttp<> {
 public:
  explicit Stuck(HttpPeer peer) : peer_(std::move(peer)) {}
  Task<bool> request_filter(Session& session, Context&) override {
    if (session.req_header().path().starts_with("/slow")) burn_20_ms();
    return false;
  }
  Task<HttpPeer> upstream_peer(Session&, Context&) override { return peer_; }

 private:
  HttpPeer peer_;
};

}  // namespace

int main(int argc, char** argv) {
  auto arguments = bench::Arguments::parse(argc, argv);
  bench::run(arguments, Stuck(HttpPeer(arguments.upstream.at(0))));
}
