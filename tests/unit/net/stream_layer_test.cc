// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/stream_layer.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>

#include "net_fixture.h"
#include "pingora/net/memory_stream.h"
#include "pingora/runtime/combinators.h"

using namespace pingora;

namespace {

/// Changes letters from lower to upper case on their way up, and back on their way down; holds
/// back an odd byte until the next comes.
class ShoutingLayer final : public StreamLayer {
 public:
  explicit ShoutingLayer(std::unique_ptr<Stream> inner) : StreamLayer(std::move(inner)) {}
  int empty_reads = 0;

  std::optional<Result<std::size_t>> try_write(std::span<const iovec> pieces) override {
    std::string text(static_cast<const char*>(pieces[0].iov_base), pieces[0].iov_len);
    for (char& c : text) c = static_cast<char>(c | 0x20);
    iovec piece{text.data(), text.size()};
    return inner().try_write({&piece, 1});
  }

 protected:
  ReadAttempt attempt_read(Buffer& into) override {
    if (!inner_may_read()) note_inner_readable();
    while (true) {
      auto read = inner().try_read(held_);
      if (!read) {
        ++empty_reads;
        return {std::nullopt, false};
      }
      if (!*read) return {std::move(read), true};
      std::size_t size = **read == 0 ? held_.size() : held_.size() & ~std::size_t{1};
      if (size == 0 && **read != 0) continue;
      for (char c : held_.view().substr(0, size)) {
        char shouted = static_cast<char>(c & ~0x20);
        into.append({&shouted, 1});
      }
      held_.consume(size);
      return {size, inner_may_read()};
    }
  }

 private:
  Buffer held_;
};

Task<std::string> read_all(Stream* stream) {
  Buffer buffer;
  while (co_await stream->read(buffer) != 0) {
  }
  co_return std::string(buffer.view());
}
Task<> write_and_end(Stream* stream, std::string text) {
  co_await stream->write({text});
  stream->shutdown_write();
}

}  // namespace

TEST_CASE_METHOD(NetFixture, "Stream layer: waits on the stream below, at any size of attempts",
                 "[net]") {
  auto size = GENERATE(1U, 2U, 3U, 7U, 1000U);
  auto waits = GENERATE(false, true);
  MemoryStreamOptions options{
      .read_size_max = size, .write_size_max = size, .always_waits = waits, .capacity = 10};
  auto [near, far] = MemoryStream::make_pair(options, options);
  ShoutingLayer layer(std::move(far));
  auto result = block_on(runtime, when_all(read_all(&layer), write_and_end(near.get(), "quietly"),
                                           write_and_end(&layer, "ALOUD"), read_all(near.get())));
  REQUIRE(result);
  CHECK(std::get<0>(*result) == "QUIETLY");
  CHECK(std::get<3>(*result) == "aloud");
}

TEST_CASE_METHOD(NetFixture,
                 "Stream layer: on a socket, reads nothing in vain, and has what it has", "[net]") {
  auto scenario = [](NetFixture* fixture) -> Task<> {
    auto [near, far] = co_await fixture->connected_pair(false);
    Stream* below = far.get();
    ShoutingLayer layer(std::move(far));
    CHECK(layer.fd() == below->fd());
    CHECK(layer.local_address().to_string() == below->local_address().to_string());
    CHECK(layer.digest().peer_address.to_string() == below->digest().peer_address.to_string());
    CHECK_FALSE(layer.may_be_replayed());
    for (int i = 0; i < 3; ++i) {
      Buffer buffer;
      auto [read, nothing] = co_await when_all(
          [](Stream* from, Buffer* into) -> Task<std::size_t> {
            co_return co_await from->read(*into);
          }(&layer, &buffer),
          [](Stream* to) -> Task<> { co_await to->write({"ping"}); }(near.get()));
      CHECK(read == 4);
      CHECK(buffer.view() == "PING");
    }
    CHECK(layer.empty_reads == 0);
  };
  CHECK(block_on(runtime, scenario(this)));
}
