// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/tls_stream.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "counting_stream.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/timer.h"
#include "raw_client.h"
#include "tls_fixture.h"

using namespace pingora;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

std::string text_of(std::size_t size) {
  std::string text;
  text.reserve(size);
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

Task<std::size_t> read_once(Stream* stream) {
  Buffer buffer;
  co_return co_await stream->read(buffer);
}
std::array<iovec, 1> pieces_of(const std::string& text) {
  return {{{const_cast<char*>(text.data()), text.size()}}};
}
/// Up to the end, which the first attempt may say.
Task<> write_last(Stream* stream, std::string text) {
  auto written = stream->try_write_last(pieces_of(text));
  if (written && !*written) co_await std::move(written->error());
  std::size_t size = written ? **written : 0;
  if (size == text.size()) co_return;
  co_await stream->write({std::string_view(text).substr(size)});
  stream->shutdown_write();
}
ErrorType type_of(const Result<std::size_t>& result) {
  return result ? ErrorType::UnknownError : result.error().type();
}

/// A server's stream and a client that does as it is told.
struct RawPair {
  std::unique_ptr<RawClient> client;
  std::unique_ptr<TlsStream> server;
};
struct RawFixture : TlsFixture {
  TlsServerContext::Ptr context = server_context();

  static Task<RawPair> connect_raw(const TlsServerContext* context) {
    auto [near, far] = MemoryStream::make_pair();
    auto client = std::make_unique<RawClient>(std::move(near));
    auto [server, nothing] =
        co_await when_all(tls_accept(std::move(far), {}, *context), client->handshake());
    co_return RawPair{std::move(client), std::move(server)};
  }
  RawPair raw_pair() { return block_on(runtime, connect_raw(context.get())).value(); }
  template <class T>
  Result<T> run(Task<T> task) {
    return block_on(runtime, std::move(task));
  }
};

/// Notes that something came.
struct NotedWatch final : IdleWatch {
  std::shared_ptr<void> on_idle_event() noexcept override {
    has_event = true;
    return nullptr;
  }
  bool has_event = false;
};

}  // namespace

TEST_CASE_METHOD(TlsFixture, "TLS stream: bytes pass both ways at once at any size of attempts",
                 "[tls]") {
  auto size = GENERATE(1U, 2U, 3U, 7U, 16U, 1000000U);
  auto waits = GENERATE(false, true);
  MemoryStreamOptions options{
      .read_size_max = size, .write_size_max = size, .always_waits = waits, .capacity = 20000};
  TlsPair pair = connected(options, options);
  std::string up = text_of(size < 16 ? 3000 : 100000);
  std::string down = text_of(size < 16 ? 5000 : 150000);
  auto result = block_on(
      runtime, when_all(write_bytes(pair.client->get(), up), write_bytes(pair.server->get(), down),
                        read_bytes(pair.server->get(), up.size()),
                        read_bytes(pair.client->get(), down.size())));
  if (!result) FAIL(result.error().to_string());
  CHECK(std::get<2>(*result) == up);
  CHECK(std::get<3>(*result) == down);
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS stream: close_notify is the end of the stream, and the other "
                 "direction goes on",
                 "[tls]") {
  TlsPair pair = connected();
  pair.client->get()->shutdown_write();
  CHECK(block_on(runtime, read_once(pair.server->get())).value() == 0);
  CHECK(block_on(runtime, read_once(pair.server->get())).value() == 0);
  auto [written, read] = block_on(runtime, when_all(write_bytes(pair.server->get(), "still here"),
                                                    read_bytes(pair.client->get(), 10)))
                             .value();
  CHECK(read == "still here");
  auto refused = block_on(runtime, write_bytes(pair.client->get(), "too late"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().type() == ErrorType::ConnectionClosed);
  pair.server = nullptr;
  CHECK(block_on(runtime, read_once(pair.client->get())).value() == 0);
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS stream: what was written before close_notify comes before the end", "[tls]") {
  TlsPair pair = connected();
  REQUIRE(block_on(runtime, write_bytes(pair.server->get(), "last words")));
  pair.server = nullptr;
  CHECK(block_on(runtime, read_bytes(pair.client->get(), 1000)).value() == "last words");
}

TEST_CASE_METHOD(RawFixture,
                 "TLS stream: an end without close_notify is an error, behind what came "
                 "before it",
                 "[tls]") {
  RawPair pair = raw_pair();
  bool is_cut_in_record = GENERATE(false, true);
  REQUIRE(run(pair.client->write("hello")));
  if (is_cut_in_record) {
    REQUIRE(run(write_bytes(&pair.client->transport(), std::string("\x17\x03\x03\x00\x30", 5))));
  }
  pair.client->close();
  CHECK(run(read_bytes(pair.server.get(), 5)).value() == "hello");
  for (int i = 0; i < 2; ++i) {
    auto end = run(read_once(pair.server.get()));
    REQUIRE(type_of(end) == ErrorType::ConnectionClosed);
    CHECK_THAT(end.error().to_string(),
               Contains(is_cut_in_record ? "in the middle of a TLS record" : "close_notify"));
  }
  NotedWatch watch;
  CHECK_FALSE(pair.server->start_idle_watch(watch));
}

TEST_CASE_METHOD(RawFixture,
                 "TLS stream: a client that half-closes without close_notify still gets "
                 "its answer",
                 "[tls]") {
  RawPair pair = raw_pair();
  REQUIRE(run(pair.client->write("question")));
  pair.client->transport().shutdown_write();
  CHECK(run(read_bytes(pair.server.get(), 8)).value() == "question");
  CHECK(type_of(run(read_once(pair.server.get()))) == ErrorType::ConnectionClosed);
  REQUIRE(run(write_bytes(pair.server.get(), "answer")));
  CHECK(run(pair.client->read()).value() == "answer");
}

TEST_CASE_METHOD(RawFixture,
                 "TLS stream: a forged record is an error behind what came before it, "
                 "and an alert",
                 "[tls]") {
  RawPair pair = raw_pair();
  REQUIRE(run(pair.client->write("good")));
  REQUIRE(SSL_write(pair.client->ssl(), "evil", 4) == 4);
  REQUIRE(run(pair.client->send(true)));
  CHECK(run(read_bytes(pair.server.get(), 4)).value() == "good");
  auto read = run(read_once(pair.server.get()));
  REQUIRE(type_of(read) == ErrorType::ReadError);
  CHECK_THAT(read.error().to_string(), Contains("damaged or forged"));
  CHECK_FALSE(run(write_bytes(pair.server.get(), "answer")));
  CHECK(run(pair.client->read()).value().empty());
  CHECK(pair.client->end() == SSL_ERROR_SSL);
}

TEST_CASE_METHOD(RawFixture, "TLS stream: keys are updated when the peer asks for it", "[tls]") {
  RawPair pair = raw_pair();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(SSL_key_update(pair.client->ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
    REQUIRE(run(pair.client->write("question")));
    CHECK(run(read_bytes(pair.server.get(), 8)).value() == "question");
    REQUIRE(run(write_bytes(pair.server.get(), "answer")));
    CHECK(run(pair.client->read()).value() == "answer");
  }
}

TEST_CASE_METHOD(RawFixture,
                 "TLS stream: a peer that asks for new keys again and again is an error", "[tls]") {
  RawPair pair = raw_pair();
  for (int i = 0; i < 100; ++i) {
    REQUIRE(SSL_key_update(pair.client->ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    SSL_write(pair.client->ssl(), nullptr, 0);
  }
  REQUIRE(run(pair.client->send()));
  auto read = run(read_once(pair.server.get()));
  REQUIRE(type_of(read) == ErrorType::ReadError);
  CHECK_THAT(read.error().to_string(), Contains("again and again"));
}

TEST_CASE_METHOD(RawFixture, "TLS stream: early data is told from what cannot be replayed",
                 "[tls]") {
  struct Sink final : TlsSessionSink {
    void store(TlsSession::Ptr session) noexcept override { last = std::move(session); }
    TlsSession::Ptr last;
  };
  TlsSettings settings = server_settings();
  settings.early_data = EarlyData::On;
  context = server_context(settings);
  auto sink = std::make_shared<Sink>();
  TlsPair first =
      handshake(*context, *client_context(), {.server_name = "a.example", .sessions = sink});
  require_success(first);
  REQUIRE(run(when_all(write_bytes(first.server->get(), "x"), read_bytes(first.client->get(), 1))));
  REQUIRE(sink->last);

  auto scenario = [](const TlsServerContext* context, TlsSession::Ptr session) -> Task<> {
    auto [near, far] = MemoryStream::make_pair();
    RawClient client(std::move(near));
    client.offer(*session);
    SSL_do_handshake(client.ssl());
    co_await client.write("GET /early");
    auto server = co_await tls_accept(std::move(far), {}, *context);
    CHECK(server->digest().ssl->has_early_data);
    CHECK(server->digest().ssl->is_resumed);
    CHECK(server->may_be_replayed());
    CHECK(co_await read_bytes(server.get(), 10) == "GET /early");
    CHECK(server->may_be_replayed());
    co_await server->write({"early answer"});
    CHECK(co_await client.read() == "early answer");
    co_await client.write("GET /late");
    CHECK(co_await read_bytes(server.get(), 9) == "GET /late");
    CHECK_FALSE(server->may_be_replayed());
    co_await server->write({"late answer"});
    CHECK(co_await client.read() == "late answer");
  };
  REQUIRE(run(scenario(context.get(), sink->last)));
  CHECK(context->counters().early_data == 1);
}

TEST_CASE_METHOD(TlsFixture, "TLS stream: a cancelled read loses nothing", "[tls]") {
  TlsPair pair = connected();
  auto scenario = [](Stream* client, Stream* server) -> Task<std::string> {
    for (int i = 0; i < 10; ++i) {
      auto pause = []() -> Task<> { co_await yield(); };
      co_await when_any(read_once(server), pause());
      if (i == 5) co_await client->write({"kept"});
      if (i == 5) break;
    }
    co_return co_await read_bytes(server, 4);
  };
  CHECK(block_on(runtime, scenario(pair.client->get(), pair.server->get())).value() == "kept");
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS stream: after a cancelled write, closing is all that is left, and "
                 "it is quiet",
                 "[tls]") {
  TlsPair pair = connected({.capacity = 1000}, {.capacity = 1000});
  auto scenario = [](Stream* server) -> Task<> {
    auto pause = []() -> Task<> { co_await sleep_for(1ms); };
    co_await when_any(write_bytes(server, text_of(100000)), pause());
  };
  REQUIRE(block_on(runtime, scenario(pair.server->get())));
  NotedWatch watch;
  CHECK_FALSE(pair.server->get()->start_idle_watch(watch));
  pair.server = nullptr;
  auto rest = block_on(runtime, read_bytes(pair.client->get(), 100000));
  if (rest) CHECK(rest->size() < 100000);
}

TEST_CASE_METHOD(TlsFixture, "TLS stream: deadlines of reads and writes strike", "[tls]") {
  TlsPair pair = connected({.capacity = 1000}, {.capacity = 1000});
  auto scenario = [](Stream* server) -> Task<> {
    Buffer buffer;
    auto read = co_await as_result(server->read(buffer, Clock::now() + 5ms));
    CHECK(read.error().type() == ErrorType::ReadTimedout);
    std::string text = text_of(100000);
    auto written = co_await as_result(server->write({text}, Clock::now() + 5ms));
    CHECK(written.error().type() == ErrorType::WriteTimedout);
  };
  CHECK(block_on(runtime, scenario(pair.server->get())));
}

TEST_CASE_METHOD(TlsFixture, "TLS stream: an error of the stream below is passed on", "[tls]") {
  auto after = GENERATE(3000U, 20000U);
  TlsPair pair = connected({.read_fault = {.kind = StreamFault::Kind::Error,
                                           .after_bytes = after,
                                           .error = ErrorType::ReadError}},
                           {.write_fault = {.kind = StreamFault::Kind::Error,
                                            .after_bytes = 40000,
                                            .error = ErrorType::WriteError}});
  auto write = [](Stream* server) -> Task<> {
    for (int i = 0; i < 10; ++i) co_await server->write({std::string_view(text_of(10000))});
  };
  auto scenario = [&write](Stream* client, Stream* server) -> Task<> {
    auto read = co_await read_bytes(client, 100000).as_result();
    REQUIRE_FALSE(read);
    CHECK(read.error().type() == ErrorType::ReadError);
    CHECK_THAT(read.error().to_string(), Contains("injected"));
    auto written = co_await write(server).as_result();
    REQUIRE_FALSE(written);
    CHECK(written.error().type() == ErrorType::WriteError);
  };
  auto begin = [](Stream* server) -> Task<> {
    co_await server->write({std::string_view(text_of(30000))});
  };
  REQUIRE(block_on(runtime, begin(pair.server->get())));
  CHECK(block_on(runtime, scenario(pair.client->get(), pair.server->get())));
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS stream: small pieces leave in one record, a large write in full "
                 "ones behind a small first one",
                 "[tls]") {
  CountingStream::Counts counts;
  TlsPair pair = connected(counts);
  Stream* stream = pair.server->get();
  Stream* peer = pair.client->get();
  REQUIRE(block_on(runtime, when_all(write_bytes(stream, "x"), read_bytes(peer, 1))));
  counts = {};
  std::string head(200, 'h');
  std::string body = text_of(16 * 1024);
  auto pieces = [](Stream* to, std::string head, std::string body) -> Task<> {
    co_await to->write({head, body, "tail"});
  };
  constexpr std::size_t kRecordOverhead = 5 + 1 + 16;
  REQUIRE(block_on(runtime, when_all(pieces(stream, head, "small"), read_bytes(peer, 209))));
  CHECK(counts.writes == 1);
  CHECK(counts.bytes_written == 209 + kRecordOverhead);
  counts = {};
  REQUIRE(block_on(runtime, when_all(write_bytes(peer, "q"), read_bytes(stream, 1))));
  REQUIRE(block_on(runtime, when_all(pieces(stream, head, body), read_bytes(peer, 16588))));
  CHECK(counts.writes == 1);
  CHECK(counts.bytes_written == 16588 + 2 * kRecordOverhead);
}

TEST_CASE_METHOD(TlsFixture,
                 "TLS stream: close_notify leaves in one write with the last bytes, where all of "
                 "them do",
                 "[tls]") {
  auto size = GENERATE(5U, 16U * 1024, 40U * 1024, 56U * 1024);
  CountingStream::Counts counts;
  TlsPair pair = connected(counts);
  Stream* stream = pair.server->get();
  Stream* peer = pair.client->get();
  REQUIRE(block_on(runtime, when_all(write_bytes(stream, "x"), read_bytes(peer, 1))));
  counts = {};
  std::string text = text_of(size);
  // Of the largest, three records leave at once, and the rest is another write's.
  auto read = block_on(runtime, when_all(write_last(stream, text), read_bytes(peer, size + 1)));
  REQUIRE(read);
  CHECK(std::get<1>(*read) == text);
  CHECK(counts.writes == (size > 48 * 1024 ? 3 : 1));
  CHECK(type_of(*stream->try_write(pieces_of(text))) == ErrorType::ConnectionClosed);
  stream->shutdown_write();
  CHECK(counts.writes == (size > 48 * 1024 ? 3 : 1));
}

TEST_CASE_METHOD(TlsFixture, "TLS stream: the last bytes arrive however little is taken at once",
                 "[tls]") {
  auto size = GENERATE(1U, 7U, 600U, 1000000U);
  auto waits = GENERATE(false, true);
  MemoryStreamOptions options{.write_size_max = size, .always_waits = waits, .capacity = 20000};
  TlsPair pair = connected(options, options);
  std::string text = text_of(size < 16 ? 1000 : 30000);
  auto result = block_on(runtime, when_all(write_last(pair.server->get(), text),
                                           read_bytes(pair.client->get(), text.size() + 1)));
  if (!result) FAIL(result.error().to_string());
  CHECK(std::get<1>(*result) == text);
  CHECK(block_on(runtime, read_once(pair.client->get())).value() == 0);
}

TEST_CASE_METHOD(TlsFixture, "TLS stream: is watched while idle, and not while something is unread",
                 "[tls]") {
  TlsPair pair = connected();
  NotedWatch watch;
  Stream* stream = pair.server->get();
  CHECK(stream->start_idle_watch(watch));
  CHECK(stream->stop_idle_watch());
  REQUIRE(stream->start_idle_watch(watch));
  REQUIRE(block_on(runtime, write_bytes(pair.client->get(), text_of(3000))));
  CHECK(watch.has_event);
  CHECK_FALSE(stream->stop_idle_watch());
  // Read in part: decrypted bytes are left.
  auto read_some = [](Stream* from, Buffer* into) -> Task<std::size_t> {
    co_return co_await from->read(*into);
  };
  Buffer small;
  small.append(std::string(Block::kStandardCapacity - 600, 'x'));
  CHECK(block_on(runtime, read_some(stream, &small)).value() == 600);
  CHECK_FALSE(stream->start_idle_watch(watch));
  CHECK(block_on(runtime, read_bytes(stream, 2400)).value().size() == 2400);
  CHECK(stream->start_idle_watch(watch));
  CHECK(stream->stop_idle_watch());
}

TEST_CASE_METHOD(TlsFixture, "TLS stream: aborted, it says no goodbye", "[tls]") {
  TlsPair pair = connected();
  pair.server->get()->abort_on_close();
  pair.server = nullptr;
  auto read = block_on(runtime, read_once(pair.client->get()));
  CHECK(type_of(read) == ErrorType::ConnectionClosed);
}
