// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The write side of a client session on a stream: what is submitted, and when a write waits.
#include <utility>

#include "pingora/h2/translation.h"
#include "session/extra_fields.h"
#include "session/h2_client_session.h"
#include "session/session_metrics.h"
#include "session/upgrade.h"

namespace pingora::internal {
namespace {

constexpr std::string_view kWebsocket = "websocket";

// Counts a body of that length; the fields say the same.
H1BodyEncoder counter_of(BodyLength body) {
  switch (body.kind) {
    case BodyLength::Kind::None: return H1BodyEncoder(H1BodyEncoder::Kind::Sized, 0);
    case BodyLength::Kind::Known: return H1BodyEncoder(H1BodyEncoder::Kind::Sized, body.bytes);
    case BodyLength::Kind::Unknown: break;
  }
  return H1BodyEncoder(H1BodyEncoder::Kind::UntilClose);
}

}  // namespace

Result<void> H2ClientSession::open(const RequestHeader& request, h2::RequestParts parts,
                                   EndOfStream end) {
  if (stream_) return fail(Error::internal("a second request on a stream"));
  bool is_tls = connection_->digest().ssl != nullptr;
  parts.scheme = is_tls ? h2::Scheme::Https : h2::Scheme::Http;
  Result<H2StreamRef> opened = connection_->open(request, parts, end);
  if (!opened) return fail(std::move(opened.error()));
  stream_ = std::move(*opened);
  return {};
}

// What the body is called for in Content-Length replaces what the request says of it; a length that
// is right stays where it is.
Task<> H2ClientSession::write_head(const RequestHeader& request, const HeaderEdits& edits,
                                   BodyLength body) {
  if (requested_upgrade(request, options_.upgrade_protocols) == kWebsocket) {
    return write_websocket_head(request, edits);
  }
  encoder_ = counter_of(body);
  HeaderIdSet skip = edits.skip;
  ExtraFields add(edits.add);
  auto said = request.get_header(HeaderId::ContentLength);
  if (body.kind == BodyLength::Kind::Known) {
    std::string length = std::to_string(body.bytes);
    bool is_right = said == length && request.headers().count(HeaderId::ContentLength) == 1 &&
                    !skip.contains(HeaderId::ContentLength);
    if (!is_right) {
      skip.insert(HeaderId::ContentLength);
      add.add_number(HeaderId::ContentLength, body.bytes);
    }
  } else if (said) {
    skip.insert(HeaderId::ContentLength);
  }
  h2::RequestParts parts;
  parts.edits = {skip, add.view()};
  return open(request, parts, encoder_.is_done() ? EndOfStream::Yes : EndOfStream::No);
}

// ---- WebSocket.

// The edits, which refer to what does not outlive this call, are made at once; whether the peer
// takes an extended CONNECT may not be known yet.
Task<> H2ClientSession::write_websocket_head(const RequestHeader& request,
                                             const HeaderEdits& edits) {
  RequestHeader edited = request.clone();
  HeaderMap& headers = edited.headers();
  if (auto key = headers.get(HeaderId::SecWebSocketKey)) websocket_key_ = *key;
  headers.remove_if([&](const HeaderField& field) { return edits.skip.contains(field.id); });
  for (const ExtraField& field : edits.add) {
    if (auto added = headers.append(field.name, field.value); !added) return added;
  }
  h2::to_http2_websocket(edited);
  if (connection_->settings_known().is_set()) return open_websocket(edited);
  return write_websocket_head_later(std::move(edited));
}

Task<> H2ClientSession::write_websocket_head_later(RequestHeader request) {
  co_await connection_->settings_known().wait();
  if (auto opened = open_websocket(request); !opened) open_error_ = std::move(opened.error());
}

// A peer that does not take it may do so by HTTP/1.
Result<void> H2ClientSession::open_websocket(const RequestHeader& request) {
  if (!connection_->takes_extended_connect()) {
    Error error = Error::explain(ErrorType::H2Downgrade, "no WebSocket over this HTTP/2 peer");
    error.set_source(ErrorSource::Upstream);
    error.set_retry_type(RetryType::Yes);
    return fail(std::move(error));
  }
  encoder_ = H1BodyEncoder(H1BodyEncoder::Kind::UntilClose);
  h2::RequestParts parts;
  parts.protocol = kWebsocket;
  return open(request, parts, EndOfStream::No);
}

// ---- The body.

Task<> H2ClientSession::write_body(Bytes data, EndOfStream end) {
  if (is_write_lost()) return {};
  if (auto counted = encoder_.frame(data.size(), end); !counted) return std::move(counted.error());
  EndOfStream is_last = encoder_.is_done() ? EndOfStream::Yes : EndOfStream::No;
  if (data.empty() && is_last == EndOfStream::No) return {};
  bool is_writable = true;
  stream_->submit(H2Stream::Send::Now, [&](h2::Engine& engine, h2::EngineStream& stream) {
    engine.submit_data(stream, std::move(data), is_last);
    is_writable = stream.is_writable();
  });
  if (is_writable || is_last == EndOfStream::Yes) return {};
  return wait_for_room();
}

Task<> H2ClientSession::wait_for_room() {
  auto waited =
      co_await as_result(stream_->wait_for(H2Stream::Want::Room, deadline_in(write_timeout_)));
  if (waited) co_return;
  SessionMetrics::get().upstream.write_timeout.add();
  connection_->check_peer();
  co_await std::move(waited.error()).into_up();
}

Task<> H2ClientSession::write_trailers(const HeaderMap& trailers) {
  if (is_write_lost() || encoder_.is_done()) return {};
  if (auto counted = encoder_.frame(0, EndOfStream::Yes); !counted) {
    return std::move(counted.error());
  }
  stream_->submit(H2Stream::Send::Now, [&](h2::Engine& engine, h2::EngineStream& stream) {
    engine.submit_trailers(stream, trailers);
  });
  return {};
}

Task<> H2ClientSession::flush() {
  if (stream_) {
    stream_->submit(H2Stream::Send::Now, [](h2::Engine&, h2::EngineStream&) {});
  }
  return {};
}

bool H2ClientSession::is_request_done() const noexcept {
  return encoder_.is_done() || is_write_lost();
}

bool H2ClientSession::is_write_lost() const noexcept {
  return !stream_ || stream_->end().kind != H2StreamEnd::Kind::Open;
}

}  // namespace pingora::internal
