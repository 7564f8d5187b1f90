// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What a session costs beside the codec: a kept-alive GET and its response of 128 bytes, over a
// stream that costs next to nothing, so that each read is followed by one wait. The baseline is the
// codec alone, on the same messages. Says nothing about system calls.
#include <benchmark/benchmark.h>

#include <string>

#include "pingora/h1/head_parser.h"
#include "pingora/h1/serializer.h"
#include "pingora/runtime/task_group.h"
#include "pingora/session/h1_client_session.h"
#include "pingora/session/h1_server_session.h"

namespace {

using namespace pingora;

const std::string kRequest =
    "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:6188\r\nUser-Agent: wrk/4.1.0\r\n"
    "Accept: */*\r\n\r\n";
const std::string kResponse =
    "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: text/plain\r\nContent-Length: 128\r\nConnection: keep-alive\r\n\r\n" +
    std::string(128, 'x');

/// Gives the same message at each read, and takes what is written.
class InstantStream final : public Stream {
 public:
  explicit InstantStream(const std::string& message) : message_(message) {}
  std::optional<Result<std::size_t>> try_write(std::span<const iovec> pieces) override {
    std::size_t size = 0;
    for (const iovec& piece : pieces) size += piece.iov_len;
    return size;
  }
  void shutdown_write() noexcept override {}
  bool start_idle_watch(IdleWatch&) override { return false; }
  bool stop_idle_watch() override { return false; }
  Result<void> move_to(Worker&) override { return {}; }

 protected:
  ReadAttempt attempt_read(Buffer& into) override {
    into.append(message_);
    return {message_.size(), false};
  }
  void start_wait(Direction, Strand& strand, Job& job) override { strand.post(job); }
  void cancel_wait(Direction, Strand& strand, Job& job) override { strand.remove(job); }

 private:
  const std::string& message_;
};

struct Workers {
  Runtime runtime{RuntimeOptions{.threads = 1, .name = "bench"}};
  Workers() { runtime.start(); }
};

Task<> serve(benchmark::State* state) {
  ServerSessionOptions options;
  options.requests_per_connection_max = 0;
  H1ServerSession session(std::make_unique<InstantStream>(kRequest), options);
  ResponseHeader header = *ResponseHeader::build(200);
  (void)header.insert_header(HeaderId::ContentType, "text/plain");
  header.set_content_length(128);
  Bytes body = Bytes::copy_of(std::string(128, 'x'));
  for (auto _ : *state) {
    co_await session.read_request();
    co_await session.write_head(header, EndOfStream::No);
    co_await session.write_body(body, EndOfStream::Yes);
    co_await session.finish();
  }
}

void server(benchmark::State& state) {
  Workers workers;
  block_on(workers.runtime, serve(&state)).value();
}
BENCHMARK(server)->Name("session/h1_server/keepalive/get_128B")->UseRealTime();

Task<> fetch(benchmark::State* state) {
  ClientSessionOptions options;
  H1ClientSession session(std::make_unique<InstantStream>(kResponse), options);
  RequestHeader request = *RequestHeader::build(Method::Get, "/index.html");
  (void)request.insert_header(HeaderId::Host, "127.0.0.1:6188");
  (void)request.insert_header(HeaderId::UserAgent, "wrk/4.1.0");
  (void)request.insert_header(HeaderId::Accept, "*/*");
  for (auto _ : *state) {
    co_await session.write_head(request, {}, {});
    co_await session.read_head();
    benchmark::DoNotOptimize(co_await session.read_body());
    if (!session.is_reusable()) state->SkipWithError("not reusable");
    session.end_exchange();
    session.begin_reuse(options);
  }
}

void client(benchmark::State& state) {
  Workers workers;
  block_on(workers.runtime, fetch(&state)).value();
}
BENCHMARK(client)->Name("session/h1_client/keepalive/get_128B")->UseRealTime();

void codec(benchmark::State& state) {
  h1::ParserOptions options;
  for (auto _ : state) {
    Buffer in;
    in.append(kRequest);
    h1::HeadProgress progress;
    RequestHeader request;
    benchmark::DoNotOptimize(h1::parse_request_head(in, progress, options, request));
    Buffer out;
    benchmark::DoNotOptimize(h1::write_request_head(request, {}, out));
  }
}
BENCHMARK(codec)->Name("session/baseline_codec/parse_and_write_request");

}  // namespace
