// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The write side of a client session: how a request is framed, and what becomes of writes that
// fail.
#include "pingora/http/hop_by_hop.h"
#include "session/extra_fields.h"
#include "session/h1_client_exchange.h"
#include "session/upgrade.h"

namespace pingora {

using internal::ExtraFields;
using internal::H1BodyEncoder;
using internal::Send;

struct H1ClientSession::RequestPlan {
  explicit RequestPlan(const HeaderEdits& edits) : skip(edits.skip), add(edits.add) {}
  HeaderIdSet skip;
  ExtraFields add;
};

// The encoder, and the fields that say the same. A Content-Length that is right stays where it is.
void H1ClientSession::plan_body(const RequestHeader& request, BodyLength body, RequestPlan& plan) {
  Exchange& x = *exchange_;
  const HeaderMap& headers = request.headers();
  plan.skip.insert(HeaderId::TransferEncoding);
  switch (body.kind) {
    case BodyLength::Kind::None:
      x.encoder = H1BodyEncoder(H1BodyEncoder::Kind::Sized, 0);
      plan.skip.insert(HeaderId::ContentLength);
      return;
    case BodyLength::Kind::Known: {
      x.encoder = H1BodyEncoder(H1BodyEncoder::Kind::Sized, body.bytes);
      bool is_kept = !plan.skip.contains(HeaderId::ContentLength) &&
                     headers.contains(HeaderId::ContentLength) &&
                     h1::request_framing(request) == h1::Framing::sized(body.bytes);
      if (is_kept) return;
      plan.skip.insert(HeaderId::ContentLength);
      plan.add.add_number(HeaderId::ContentLength, body.bytes);
      return;
    }
    case BodyLength::Kind::Unknown: break;
  }
  x.encoder = H1BodyEncoder(H1BodyEncoder::Kind::Chunked);
  plan.skip.insert(HeaderId::ContentLength);
  plan.add.add(HeaderId::TransferEncoding, "chunked");
}

// What the fields that Connection controls say on this hop (RFC 9110 §7.6.1, §10.1.4).
void H1ClientSession::plan_connection(const RequestHeader& request, RequestPlan& plan) {
  Exchange& x = *exchange_;
  const HeaderMap& headers = request.headers();
  constexpr HeaderIdSet kOfConnection{HeaderId::Connection, HeaderId::KeepAlive, HeaderId::Te,
                                      HeaderId::Upgrade, HeaderId::Http2Settings};
  plan.skip = plan.skip | kOfConnection;
  x.upgrade_protocol = internal::requested_upgrade(request, options_->upgrade_protocols);
  bool passes_trailers =
      headers.present().contains(HeaderId::Te) && headers.has_token(HeaderId::Te, "trailers");
  if (!x.upgrade_protocol.empty()) {
    if (auto key = headers.get(HeaderId::SecWebSocketKey)) x.websocket_key = *key;
    plan.add.add(HeaderId::Connection, passes_trailers ? "upgrade, TE" : "upgrade");
    plan.add.add(HeaderId::Upgrade, x.upgrade_protocol);
  } else if (passes_trailers) {
    plan.add.add(HeaderId::Connection, "TE");
  }
  if (passes_trailers) plan.add.add(HeaderId::Te, "trailers");
}

Task<> H1ClientSession::write_head(const RequestHeader& request, const HeaderEdits& edits,
                                   BodyLength body) {
  exchange_ = std::make_unique_for_overwrite<Exchange>();  // not zeroed first
  Exchange& x = *exchange_;
  response_ = &x.header;
  is_head_final_ = false;
  x.method = request.method().known();
  if (!transport_.input().empty()) {
    return closed_early().more_context("bytes before the request");
  }
  RequestPlan plan(edits);
  plan_body(request, body, plan);
  plan_connection(request, plan);
  HopByHopFields hop_by_hop(request.headers());
  h1::HeadEdits head_edits;
  head_edits.skip = plan.skip;
  if (options_->hop_by_hop == HopByHopPolicy::Strip) head_edits.hop_by_hop = &hop_by_hop;
  head_edits.add = plan.add.view();
  head_edits.target = options_->target;
  auto written = h1::write_request_head(request, head_edits, transport_.output());
  if (!written) return std::move(written.error()).into_in();
  return x.encoder.is_done() ? keep_write_error(transport_.send()) : Task<>();
}

Task<> H1ClientSession::write_body(Bytes data, EndOfStream end) {
  Exchange& x = *exchange_;
  if (is_write_lost()) return {};
  auto frame = x.encoder.frame(data.size(), end);
  if (!frame) return std::move(frame.error());
  bool is_now = x.encoder.is_done() || x.is_tunnel;
  Task<> writing = transport_.write(*frame, std::move(data), is_now ? Send::Now : Send::Gather);
  if (x.is_tunnel && x.encoder.is_done()) return shutdown_behind(std::move(writing));
  return keep_write_error(std::move(writing));
}

Task<> H1ClientSession::shutdown_behind(Task<> writing) {
  co_await std::move(writing);
  stream().shutdown_write();
}

Task<> H1ClientSession::write_trailers(const HeaderMap& trailers) {
  Exchange& x = *exchange_;
  if (is_write_lost()) return {};
  if (x.encoder.is_done() || x.encoder.kind() != H1BodyEncoder::Kind::Chunked) {
    return write_body({}, EndOfStream::Yes);
  }
  if (!transport_.is_writable()) return Error::internal("a write behind one that failed");
  h1::write_trailers(trailers, transport_.output());
  x.encoder.finish();
  return keep_write_error(transport_.send());
}

Task<> H1ClientSession::flush() {
  return is_write_lost() ? Task<>() : keep_write_error(transport_.send());
}

bool H1ClientSession::is_request_done() const noexcept {
  return exchange_->encoder.is_done() || is_write_lost();
}

bool H1ClientSession::is_write_lost() const noexcept { return exchange_->write_error.has_value(); }

namespace {

// Whether a response may have been sent before.
bool may_have_answered(const Error& error) noexcept {
  return error.type() == ErrorType::ConnectionClosed || error.type() == ErrorType::WriteError;
}

}  // namespace

// A server may answer and close without reading the request to its end: its response is what counts
// then, and reading tells.
Task<> H1ClientSession::keep_write_error(Task<> writing) {
  if (!writing.is_ready()) return keep_write_error_slowly(std::move(writing));
  Result<void> result = std::move(writing).take_ready();
  if (result || exchange_->is_tunnel || !may_have_answered(result.error())) return result;
  exchange_->write_error.emplace(std::move(result.error()));
  return {};
}

Task<> H1ClientSession::keep_write_error_slowly(Task<> writing) {
  Result<void> result = co_await std::move(writing).as_result();
  co_await keep_write_error(std::move(result));
}

}  // namespace pingora
