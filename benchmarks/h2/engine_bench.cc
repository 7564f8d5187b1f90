// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>
#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pingora/h2/engine.h"

// What the engine costs as a server, on bytes that are in the cache: requests of h2load, 32 at a
// time, each answered with 128 bytes. The baseline is nghttp2 alone, used the plainest way: its own
// checks of messages, fields not looked at, the body copied by its callback. Not measured: reading
// and writing the bytes, what the sessions do, and what a cold cache does.

namespace pingora::h2 {
namespace {

constexpr int kStreams = 32;
const std::string kBody(128, 'x');
const EngineOptions kOptions;

RequestHeader make_request() {
  RequestHeader request = *RequestHeader::build(Method::Get, "/index.html");
  static_cast<void>(request.insert_header(HeaderId::Host, "127.0.0.1:6188"));
  static_cast<void>(request.insert_header(HeaderId::UserAgent, "h2load nghttp2/1.52.0"));
  return request;
}

ResponseHeader make_response() {
  ResponseHeader response(200);
  for (auto [name, value] : {std::pair{"Server", "nginx/1.22.1"},
                             {"Date", "Mon, 23 Nov 2026 12:00:00 GMT"},
                             {"Content-Type", "text/plain"},
                             {"Content-Length", "128"},
                             {"Last-Modified", "Mon, 23 Nov 2026 10:00:00 GMT"}}) {
    static_cast<void>(response.append_header(std::string_view(name), value));
  }
  return response;
}

// A client that sends rounds of requests. It is an engine too, and its time is not measured.
class Client {
 public:
  Client() : engine_(Role::Client, kOptions, Clock::now()), request_(make_request()) {}
  Bytes requests() {
    for (int i = 0; i < kStreams; ++i) {
      if (!engine_.submit_request(request_, {}, EndOfStream::Yes)) std::abort();
    }
    return take();
  }
  void receive(const Bytes& bytes) {
    if (!engine_.feed(bytes, Clock::now())) std::abort();
    while (auto event = engine_.next_event()) {
      if (event->kind == Event::Kind::Data) engine_.consume(*event->stream, event->data.size());
      if (event->kind == Event::Kind::Closed) engine_.release(*event->stream);
    }
  }
  Bytes take() {
    Output output;
    std::string text;
    engine_.take_output(output);
    for (const Bytes& piece : output.pieces()) text.append(piece.view());
    return Bytes::copy_of(text);
  }

 private:
  Engine engine_;
  RequestHeader request_;
};

Bytes joined(const Output& output) {
  std::string text;
  for (const Bytes& piece : output.pieces()) text.append(piece.view());
  return Bytes::copy_of(text);
}

void engine_server(benchmark::State& state) {
  Client client;
  Engine engine(Role::Server, kOptions, Clock::now());
  ResponseHeader response = make_response();
  Bytes body = Bytes::copy_of(kBody);
  Output output;
  std::int64_t answered = 0;
  for (auto _ : state) {
    state.PauseTiming();
    Bytes input = client.requests();
    TimePoint now = Clock::now();
    state.ResumeTiming();
    if (!engine.feed(input, now)) std::abort();
    while (auto event = engine.next_event()) {
      if (event->kind != Event::Kind::RequestHead) continue;
      if (!engine.submit_response(*event->stream, response, {}, EndOfStream::No)) std::abort();
      engine.submit_data(*event->stream, body, EndOfStream::Yes);
    }
    engine.take_output(output);
    while (auto event = engine.next_event()) {
      if (event->kind != Event::Kind::Closed) continue;
      engine.release(*event->stream);
      ++answered;
    }
    state.PauseTiming();
    client.receive(joined(output));
    output.clear();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(answered);
}
BENCHMARK(engine_server)->Name("h2/engine/server/res_128B");

// nghttp2 alone.

struct Plain {
  nghttp2_session* session = nullptr;
  std::vector<std::int32_t> requests;
};

ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t,
                  std::uint32_t* flags, nghttp2_data_source*, void*) {
  std::memcpy(to, kBody.data(), kBody.size());
  *flags = NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(kBody.size());
}

int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* plain) {
  if (frame->hd.type == NGHTTP2_HEADERS) {
    static_cast<Plain*>(plain)->requests.push_back(frame->hd.stream_id);
  }
  return 0;
}

int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
              const std::uint8_t*, std::size_t, std::uint8_t, void*) {
  return 0;
}

void start(Plain& plain) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &on_frame);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &on_header);
  nghttp2_session_server_new(&plain.session, callbacks, &plain);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(plain.session, NGHTTP2_FLAG_NONE, nullptr, 0);
}

std::vector<nghttp2_nv> plain_fields(const std::string& names, const ResponseHeader& response) {
  auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  static const std::string kStatus = ":status200";
  std::vector<nghttp2_nv> fields = {
      {bytes(kStatus), bytes(std::string_view(kStatus).substr(7)), 7, 3, NGHTTP2_NV_FLAG_NONE}};
  static_cast<void>(names);
  for (const HeaderField& field : response.headers()) {
    fields.push_back({bytes(field.name), bytes(field.value), field.name.size(), field.value.size(),
                      NGHTTP2_NV_FLAG_NONE});
  }
  return fields;
}

void nghttp2_server(benchmark::State& state) {
  Client client;
  Plain plain;
  start(plain);
  ResponseHeader response = make_response();
  std::vector<nghttp2_nv> fields = plain_fields({}, response);
  nghttp2_data_provider provider = {.source = {}, .read_callback = &read_body};
  std::string output;
  std::int64_t answered = 0;
  for (auto _ : state) {
    state.PauseTiming();
    Bytes input = client.requests();
    output.clear();
    state.ResumeTiming();
    auto taken = nghttp2_session_mem_recv(
        plain.session, reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    if (taken < 0) std::abort();
    for (std::int32_t id : plain.requests) {
      nghttp2_submit_response(plain.session, id, fields.data(), fields.size(), &provider);
      ++answered;
    }
    plain.requests.clear();
    const std::uint8_t* bytes = nullptr;
    for (;;) {
      auto size = nghttp2_session_mem_send(plain.session, &bytes);
      if (size <= 0) break;
      output.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
    state.PauseTiming();
    client.receive(Bytes::copy_of(output));
    state.ResumeTiming();
  }
  nghttp2_session_del(plain.session);
  state.SetItemsProcessed(answered);
}
BENCHMARK(nghttp2_server)->Name("h2/nghttp2_alone/server/res_128B");

}  // namespace
}  // namespace pingora::h2
