// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// An upstream without a socket: the program makes the stream that requests are written to and
// responses are read from. Here it is a class of the program's own, which answers every request
// from memory; it could as well lead through a tunnel or to hardware.
//
//   $ curl -s http://127.0.0.1:6188/
//   => hello from memory
#include "pingora/pingora.h"

namespace {

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Content-Length: 18\r\n"
    "\r\n"
    "hello from memory\n";

// Takes whatever is written; gives kResponse, and then the end of the stream.
class CannedStream final : public pingora::Stream {
 public:
  std::optional<pingora::Result<std::size_t>> try_write(std::span<const iovec> pieces) override {
    std::size_t size = 0;
    for (const iovec& piece : pieces) size += piece.iov_len;
    return size;
  }
  void shutdown_write() noexcept override {}
  // It is used once: no pool keeps it.
  bool start_idle_watch(pingora::IdleWatch&) override { return false; }
  bool stop_idle_watch() override { return false; }
  pingora::Result<void> move_to(pingora::Worker&) override { return {}; }

 protected:
  ReadAttempt attempt_read(pingora::Buffer& into) override {
    std::string_view given = std::exchange(left_, {});
    into.append(given);
    return {.result = given.size(), .may_have_more = true};
  }
  // There is always something to do at once.
  void start_wait(pingora::Direction, pingora::Strand& strand, pingora::Job& job) override {
    strand.post(job);
  }
  void cancel_wait(pingora::Direction, pingora::Strand& strand, pingora::Job& job) override {
    strand.remove(job);
  }

 private:
  std::string_view left_ = kResponse;
};

class ToMemory : public pingora::L4Connect {
 public:
  pingora::Task<std::unique_ptr<pingora::Stream>> connect(const pingora::HttpPeer&) override {
    return std::make_unique<CannedStream>();
  }
};

class Proxy : public pingora::ProxyHttp<> {
 public:
  Proxy() { peer_.options.edit_rare().custom_l4 = std::make_shared<ToMemory>(); }

  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, Context&) override {
    return peer_;
  }

 private:
  pingora::HttpPeer peer_{"192.0.2.1:80"};  // names the peer; nobody connects there
};

}  // namespace

int main(int argc, char** argv) {
  pingora::Server server(pingora::Opt::parse(argc, argv));
  auto proxy = pingora::http_proxy_service(server, Proxy());
  proxy.add_tcp("0.0.0.0:6188");
  server.add_service(std::move(proxy));
  server.run_forever();
}
