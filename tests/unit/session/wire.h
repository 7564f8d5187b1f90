// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pingora/net/memory_stream.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task_group.h"
#include "pingora/session/h1_client_session.h"
#include "pingora/session/h1_server_session.h"

namespace pingora::test {

/// The numbers of bytes that one read gives.
inline constexpr std::size_t kReadSizes[] = {1, 2, 3, 7, 16, StreamFault::kNowhere};

struct Workers {
  Runtime runtime{RuntimeOptions{.threads = 1, .name = "test"}};
  Workers() { runtime.start(); }
  template <class T>
  Result<T> run(Task<T> task) {
    return block_on(runtime, std::move(task));
  }
};

/// Writes `text`, which has to fit the stream's capacity.
inline Task<> put(Stream& stream, std::string text) { co_await stream.write({text}); }

/// What is there up to the end of the stream, or until it is reset.
inline Task<std::string> read_all(Stream& stream) {
  Buffer buffer;
  for (;;) {
    auto read = co_await as_result(stream.read(buffer));
    if (!read) co_return std::string(buffer.view()) + "<reset>";
    if (*read == 0) co_return std::string(buffer.view());
  }
}

/// What comes up to and with `end`.
inline Task<std::string> read_until(Stream& stream, std::string end) {
  Buffer buffer;
  while (!buffer.view().ends_with(end)) {
    if (co_await stream.read(buffer) == 0) break;
  }
  co_return std::string(buffer.view());
}

/// The whole body of a session's message; "<error type>" behind what came before an error.
template <class Session>
Task<std::string> read_whole_body(Session& session) {
  std::string body;
  for (;;) {
    Result<Bytes> piece = co_await session.read_body().as_result();
    if (!piece) co_return body + "<" + std::string(to_string(piece.error().type())) + ">";
    if (piece->empty()) co_return body;
    body += piece->view();
  }
}

/// A response that says when it was made, so that its head is known.
inline ResponseHeader response(int status, std::string_view body_size = {}) {
  ResponseHeader header = *ResponseHeader::build(status);
  (void)header.insert_header(HeaderId::Date, "now");
  if (!body_size.empty()) (void)header.insert_header(HeaderId::ContentLength, body_size);
  return header;
}

/// Serves requests until there are no more: answers each with `handler`, and refused ones with
/// their status.
using Handler = std::function<Task<>(H1ServerSession&)>;
inline Task<> serve(H1ServerSession& session, Handler handler) {
  bool goes_on = true;
  while (goes_on) {
    Result<bool> is_there = co_await session.read_request().as_result();
    if (!is_there) {
      co_await session.write_head(response(is_there.error().status(), "0"), EndOfStream::Yes);
    } else if (*is_there) {
      (void)co_await handler(session).as_result();
    } else {
      co_return;
    }
    goes_on = co_await session.finish();
  }
}

/// What a client gets that sends `input` and then no more.
inline Task<std::string> converse(std::string input, Handler handler,
                                  const ServerSessionOptions& options,
                                  MemoryStreamOptions near_options = {}) {
  auto [near, far] = MemoryStream::make_pair(near_options, {.capacity = 1 << 24});
  co_await put(*far, std::move(input));
  far->shutdown_write();
  {
    H1ServerSession session(std::move(near), options);
    co_await serve(session, handler);
  }
  co_return co_await read_all(*far);
}

/// Answers with the body, as it is framed itself.
inline Task<> echo(ServerSession& session) {
  ResponseHeader header = response(200);
  BodyLength length = session.body_length();
  if (length.kind != BodyLength::Kind::Unknown) {
    header.set_content_length(length.bytes);
  }
  bool has_body = !length.is_empty();
  co_await session.write_head(header, has_body ? EndOfStream::No : EndOfStream::Yes);
  if (!has_body) co_return;
  while (!session.is_body_done()) {
    Bytes piece = co_await session.read_body();
    co_await session.write_body(std::move(piece), EndOfStream::No);
  }
  if (const HeaderMap* trailers = session.request_trailers()) {
    co_await session.write_trailers(*trailers);
  } else {
    co_await session.write_body({}, EndOfStream::Yes);
  }
}

}  // namespace pingora::test
