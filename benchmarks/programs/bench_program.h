// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the benchmark programs share: pingora-proxy's command line around another ProxyHttp.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pingora/proxy/http_proxy_service.h"
#include "pingora/server/opt.h"
#include "pingora/server/server.h"

namespace pingora::bench {

struct Arguments {
  std::vector<std::string> listen;
  std::vector<std::string> upstream;
  std::optional<std::int64_t> threads;
  std::int64_t upstream_port = 0;
  bool no_work_stealing = false;
  bool upstream_tls = false;
  std::string sni;
  std::string upstream_ca;
  Opt opt;

  static Arguments parse(int argc, char** argv) {
    Arguments arguments;
    ProgramOptions options("A program for the benchmarks.");
    options.texts("--listen", "ADDR:PORT", "address to listen on", arguments.listen)
        .texts("--upstream", "ADDR:PORT", "address of an origin", arguments.upstream)
        .integer("--upstream-port", "PORT", "port of the origins", arguments.upstream_port)
        .integer("--threads", "N", "worker threads", arguments.threads, 1, 1024)
        .flag("--upstream-tls", "TLS to the origins", arguments.upstream_tls)
        .text("--sni", "NAME", "the name of the origins", arguments.sni)
        .text("--upstream-ca", "FILE", "whom to trust", arguments.upstream_ca)
        .flag("--no-work-stealing", "leave a stuck worker alone", arguments.no_work_stealing);
    arguments.opt = Opt::parse(argc, argv, options);
    return arguments;
  }
};

/// Serves `program` as the arguments say.
template <class P>
[[noreturn]] void run(const Arguments& arguments, P program) {
  Configuration configuration;
  if (arguments.threads) configuration.threads = static_cast<unsigned>(*arguments.threads);
  configuration.work_stealing = !arguments.no_work_stealing;
  configuration.pid_file.reset();
  Server server(std::move(configuration));
  auto service = http_proxy_service(server, std::move(program));
  for (const std::string& address : arguments.listen) service.add_tcp(address);
  server.add_service(std::move(service));
  server.run_forever();
}

}  // namespace pingora::bench
