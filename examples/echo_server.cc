// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// An app that is no proxy: it answers each request by itself, with the body that came.
//
//   $ curl -s --data hello http://127.0.0.1:6188/
//   => hello
//   $ curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:6188/
//   => 400
#include "pingora/pingora.h"

namespace {

class EchoApp : public pingora::ServeHttp {
 public:
  pingora::Task<pingora::Response> response(pingora::ServerSession& session) override {
    std::string body;
    for (;;) {
      pingora::Bytes piece = co_await session.read_body();
      if (piece.empty()) break;
      body += piece.view();
      // An error's status is the answer.
      if (body.size() > kBodyMax) co_return pingora::Error::http_status(413);
    }
    if (body.empty()) co_return pingora::Error::http_status(400);
    co_return pingora::Response::text(200, body);
  }

 private:
  static constexpr std::size_t kBodyMax = 1024 * 1024;
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  pingora::ListeningService echo("echo", std::make_unique<EchoApp>());
  echo.add_tcp("0.0.0.0:6188");
  server.add_service(std::move(echo));
  server.run_forever();
}
