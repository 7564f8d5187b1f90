// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// A tiny origin for the other examples: `origin PORT NAME` answers every request with its name,
// what was asked for, and the body that came along.
//
//   $ origin 6190 one &
//   $ curl -s http://127.0.0.1:6190/hello
//   => hello from one: GET /hello
#include <cstdlib>

#include "pingora/pingora.h"

namespace {

class Origin : public pingora::ServeHttp {
 public:
  explicit Origin(std::string name) : name_(std::move(name)) {}

  pingora::Task<pingora::Response> response(pingora::ServerSession& session) override {
    const pingora::RequestHeader& request = session.req_header();
    std::string text = fmt::format("hello from {}: {} {}\n", name_, request.method().text(),
                                   request.path_and_query());
    for (pingora::Bytes piece = co_await session.read_body(); !piece.empty();
         piece = co_await session.read_body()) {
      text += piece.view();
    }
    auto response = pingora::Response::text(200, text);
    co_await response.header.insert_header("X-Origin", name_);
    co_return response;
  }

 private:
  std::string name_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: origin PORT NAME\n");
    return 1;
  }
  pingora::Configuration configuration;
  configuration.threads = 1;
  pingora::Server server(configuration);
  pingora::ListeningService service("origin", std::make_unique<Origin>(argv[2]));
  service.add_tcp(std::string("127.0.0.1:") + argv[1]);
  server.add_service(std::move(service));
  server.run_forever();
}
