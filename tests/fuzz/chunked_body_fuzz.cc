// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/head_invariants.h"

// The body behind a head that says "chunked". Whatever was accepted and is written as one chunk and
// its trailers reads the same.

using namespace pingora;

namespace {

constexpr std::string_view kHead =
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

HeaderMap trailers_of(const std::vector<std::string>& lines) {
  HeaderMap trailers;
  for (const std::string& line : lines) {
    std::size_t colon = line.find(": ");
    std::string_view name = std::string_view(line).substr(0, colon);
    PINGORA_ASSERT(trailers.append(name, std::string_view(line).substr(colon + 2)).has_value());
  }
  return trailers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  h1::ParserOptions options;
  options.trailer_bytes_max = input.options.trailer_bytes_max;
  options.chunk_extension_bytes_max = input.options.chunk_extension_bytes_max;
  std::string message = std::string(kHead).append(input.bytes);
  using h1::testing::Outcome;
  Outcome whole = h1::testing::read_whole<RequestHeader>(message, options);
  std::size_t cut_at = kHead.size() + input.cut;
  Outcome cut = h1::testing::read_cut<RequestHeader>(message, cut_at, options);
  Outcome dribbled = h1::testing::read_dribbled<RequestHeader>(message, 1, options);
  PINGORA_ASSERT((whole.status > 0) == (cut.status > 0));
  PINGORA_ASSERT((whole.status > 0) == (dribbled.status > 0));
  PINGORA_ASSERT(whole.body == cut.body && whole.body == dribbled.body);
  if (whole.status != 0) return 0;
  PINGORA_ASSERT(whole == cut && whole == dribbled);

  Buffer out;
  out.append(kHead);
  if (!whole.body.empty()) {
    out.append(h1::ChunkHead(whole.body.size()).view());
    out.append(whole.body);
    out.append(h1::kChunkEnd);
  }
  h1::write_trailers(trailers_of(whole.trailers), out);
  Outcome again = h1::testing::read_whole<RequestHeader>(out.view());
  PINGORA_ASSERT(again.status == 0 && again.rest.empty());
  PINGORA_ASSERT(again.body == whole.body && again.trailers == whole.trailers);
  return 0;
}
