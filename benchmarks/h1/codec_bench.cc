// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pingora/base/buffer.h"
#include "pingora/h1/body_decoder.h"
#include "pingora/h1/framing.h"
#include "pingora/h1/head_parser.h"
#include "pingora/h1/serializer.h"

// What the codec costs on bytes that are in the cache, one message after the other. Not measured:
// reading and writing them, and what a cold cache does. Each baseline does the least that could be
// called the same work: it copies or searches bytes and checks nothing.

namespace pingora::h1 {
namespace {

constexpr std::string_view kRequest =
    "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:6188\r\nUser-Agent: wrk/4.1.0\r\nAccept: */*\r\n"
    "Connection: keep-alive\r\n\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
    "Content-Type: text/plain\r\nContent-Length: 128\r\n"
    "Last-Modified: Mon, 23 Nov 2026 10:00:00 GMT\r\nConnection: keep-alive\r\n\r\n";

const ParserOptions kOptions;

void parse_request(benchmark::State& state) {
  Buffer in;
  HeadProgress progress;
  RequestHeader header;
  for (auto _ : state) {
    in.append(kRequest);
    if (parse_request_head(in, progress, kOptions, header).status != ParseStatus::Done)
      std::abort();
    benchmark::DoNotOptimize(request_framing(header));
    benchmark::DoNotOptimize(keep_alive(header));
    header.clear();
  }
}
BENCHMARK(parse_request)->Name("h1/parse/request/wrk");

void parse_response(benchmark::State& state) {
  Buffer in;
  HeadProgress progress;
  ResponseHeader header;
  for (auto _ : state) {
    in.append(kResponse);
    if (parse_response_head(in, progress, kOptions, header).status != ParseStatus::Done) {
      std::abort();
    }
    benchmark::DoNotOptimize(response_framing(header, Method::Get));
    header.clear();
  }
}
BENCHMARK(parse_response)->Name("h1/parse/response/nginx");

// Finds line ends and colons with memchr and keeps slices.
void split_lines(benchmark::State& state) {
  std::string_view head = state.range(0) == 0 ? kRequest : kResponse;
  Buffer in;
  std::pair<std::string_view, std::string_view> fields[24];
  for (auto _ : state) {
    in.append(head);
    std::string_view rest = in.view();
    std::size_t count = 0;
    while (!rest.starts_with("\r\n")) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      std::size_t colon = line.find(':');
      fields[count++] = {line.substr(0, colon), line.substr(std::min(colon, line.size() - 1) + 1)};
    }
    benchmark::DoNotOptimize(fields);
    in.reset();
  }
}
BENCHMARK(split_lines)->Name("h1/parse/baseline_memchr")->ArgName("response")->Arg(0)->Arg(1);

// Does what a simple program does: strings in a vector.
void split_into_strings(benchmark::State& state) {
  for (auto _ : state) {
    std::vector<std::pair<std::string, std::string>> fields;
    std::string_view rest = kRequest;
    rest.remove_prefix(rest.find('\n') + 1);
    while (!rest.starts_with("\r\n")) {
      std::string_view line = rest.substr(0, rest.find('\r'));
      rest.remove_prefix(line.size() + 2);
      std::size_t colon = line.find(':');
      fields.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    benchmark::DoNotOptimize(fields);
  }
}
BENCHMARK(split_into_strings)->Name("h1/parse/baseline_strings");

template <class Header>
Header parsed(std::string_view head) {
  Buffer in;
  in.append(head);
  HeadProgress progress;
  Header header;
  ParseResult result;
  if constexpr (std::is_same_v<Header, RequestHeader>) {
    result = parse_request_head(in, progress, kOptions, header);
  } else {
    result = parse_response_head(in, progress, kOptions, header);
  }
  if (result.status != ParseStatus::Done) std::abort();
  return header;
}

void serialize_request(benchmark::State& state) {
  auto header = parsed<RequestHeader>(kRequest);
  Buffer out;
  for (auto _ : state) {
    HopByHopFields hop_by_hop(header.headers());
    HeadEdits edits;
    edits.hop_by_hop = &hop_by_hop;
    if (!write_request_head(header, edits, out)) std::abort();
    out.reset();
  }
}
BENCHMARK(serialize_request)->Name("h1/serialize/request/forwarded");

void serialize_response(benchmark::State& state) {
  auto header = parsed<ResponseHeader>(kResponse);
  Buffer out;
  for (auto _ : state) {
    HopByHopFields hop_by_hop(header.headers());
    HeadEdits edits;
    edits.hop_by_hop = &hop_by_hop;
    if (!write_response_head(header, edits, out)) std::abort();
    out.reset();
  }
}
BENCHMARK(serialize_response)->Name("h1/serialize/response/forwarded");

void copy_head(benchmark::State& state) {
  Buffer out;
  for (auto _ : state) {
    out.append(kResponse);
    benchmark::DoNotOptimize(out.view().data());
    out.reset();
  }
}
BENCHMARK(copy_head)->Name("h1/serialize/baseline_memcpy");

std::string chunked_body(std::size_t chunk_size, std::size_t chunks) {
  std::string body;
  for (std::size_t i = 0; i < chunks; ++i) {
    body.append(ChunkHead(chunk_size).view()).append(chunk_size, 'x').append(kChunkEnd);
  }
  return body.append(kLastChunk);
}

void decode_chunked(benchmark::State& state) {
  std::string body = chunked_body(static_cast<std::size_t>(state.range(0)), 16);
  Buffer in;
  for (auto _ : state) {
    in.append(body);
    BodyDecoder decoder(Framing::chunked(), MessageRole::Response, kOptions);
    while (!decoder.is_done()) benchmark::DoNotOptimize(decoder.decode(in));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(decode_chunked)->Name("h1/decode/chunked_x16")->ArgName("chunk")->Arg(16)->Arg(1024);

void copy_body(benchmark::State& state) {
  std::string body = chunked_body(static_cast<std::size_t>(state.range(0)), 16);
  Buffer in;
  for (auto _ : state) {
    in.append(body);
    benchmark::DoNotOptimize(in.view().data());
    in.reset();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(copy_body)->Name("h1/decode/baseline_memcpy")->ArgName("chunk")->Arg(16)->Arg(1024);

}  // namespace
}  // namespace pingora::h1
