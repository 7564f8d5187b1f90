// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The write side of a server session: how a response is framed, and what its head says of the
// connection.
#include <optional>

#include "pingora/http/hop_by_hop.h"
#include "pingora/http/http_date.h"
#include "session/extra_fields.h"
#include "session/h1_server_exchange.h"
#include "session/upgrade.h"

namespace pingora {

using internal::ExtraFields;
using internal::H1BodyEncoder;
using internal::Send;

struct H1ServerSession::ResponsePlan {
  H1BodyEncoder encoder;
  HeaderIdSet skip{HeaderId::Connection, HeaderId::TransferEncoding};
  ExtraFields add;
  /// Nothing of HTTP follows the head.
  bool is_switch = false;
};

namespace {

h1::HeadEdits edits_of(HeaderIdSet skip, const HopByHopFields& hop_by_hop, const ExtraFields& add,
                       HopByHopPolicy policy) {
  h1::HeadEdits edits;
  edits.skip = skip;
  if (policy == HopByHopPolicy::Strip) {
    edits.hop_by_hop = &hop_by_hop;
  } else {
    edits.skip.insert(HeaderId::KeepAlive);
  }
  edits.add = add.view();
  return edits;
}

Error misuse(std::string_view what) { return Error::internal(what); }

}  // namespace

Task<> H1ServerSession::write_informational(const ResponseHeader& header) {
  Exchange& x = *exchange_;
  if (is_response_started_ || !header.status().is_informational() || header.status() == 101) {
    return misuse("not an informational response, or not before the final one");
  }
  if (header.status() == 100) x.expects_continue = false;
  // RFC 9110 §15.2: not to a client of HTTP/1.0.
  if (x.header.version() == Version::Http10) return {};
  ExtraFields add;
  HopByHopFields hop_by_hop(header.headers());
  HeaderIdSet skip{HeaderId::Connection, HeaderId::TransferEncoding, HeaderId::ContentLength,
                   HeaderId::Upgrade};
  auto written = h1::write_response_head(
      header, edits_of(skip, hop_by_hop, add, options_.hop_by_hop), transport_.output());
  if (!written) return std::move(written.error()).into_in();
  return transport_.send();
}

// RFC 9112 §6.3, from the side of the sender.
Result<void> H1ServerSession::plan_body(const ResponseHeader& header, EndOfStream end,
                                        ResponsePlan& plan) {
  const Exchange& x = *exchange_;
  StatusCode status = header.status();
  auto framing = h1::response_framing(header, x.header.method());
  if (!framing) return fail(misuse(framing.error().reason));
  bool is_tunnel = x.header.method() == Method::Connect && status.is_success();
  plan.is_switch = is_tunnel || status == 101;
  if (plan.is_switch || status == 204) plan.skip.insert(HeaderId::ContentLength);
  bool is_end = end == EndOfStream::Yes;
  switch (framing->kind) {
    case h1::Framing::Kind::None:
      plan.encoder = H1BodyEncoder(H1BodyEncoder::Kind::None);
      if (is_end) plan.encoder.finish();
      return {};
    case h1::Framing::Kind::ContentLength:
      if (is_end && framing->content_length != 0) {
        return fail(misuse("a response without the body that its Content-Length announces"));
      }
      plan.encoder = H1BodyEncoder(H1BodyEncoder::Kind::Sized, framing->content_length);
      return {};
    case h1::Framing::Kind::Chunked:
    case h1::Framing::Kind::UntilClose: break;
  }
  if (is_end) {
    plan.encoder = H1BodyEncoder(H1BodyEncoder::Kind::Sized, 0);
    plan.add.add(HeaderId::ContentLength, "0");
  } else if (x.header.version() == Version::Http10) {
    plan.encoder = H1BodyEncoder(H1BodyEncoder::Kind::UntilClose);
    keep_alive_ = false;
  } else {
    plan.encoder = H1BodyEncoder(H1BodyEncoder::Kind::Chunked);
    plan.add.add(HeaderId::TransferEncoding, "chunked");
  }
  return {};
}

// RFC 9112 §9.3. Also decides whether there will be another request.
void H1ServerSession::plan_connection(const ResponseHeader& header, ResponsePlan& plan) {
  const Exchange& x = *exchange_;
  if (plan.is_switch) {
    keep_alive_ = false;
    plan.skip.insert(HeaderId::Upgrade);
    if (header.status() == 101) {
      plan.add.add(HeaderId::Connection, "upgrade");
      plan.add.add(HeaderId::Upgrade, *x.header.get_header(HeaderId::Upgrade));
    }
    return;
  }
  // A client that waits for 100 may send the body or not: what comes next can not be told. One that
  // has too much left to send will be cut off.
  bool may_withhold = awaits_continue() && transport_.input().empty();
  bool is_too_much = x.reader.remaining().value_or(0) > options_.drain_bytes_max;
  if (may_withhold || is_too_much) keep_alive_ = false;
  if (!keep_alive_) {
    plan.add.add(HeaderId::Connection, "close");
  } else if (x.header.version() == Version::Http10) {
    plan.add.add(HeaderId::Connection, "keep-alive");
  }
}

Task<> H1ServerSession::write_head(const ResponseHeader& header, EndOfStream end) {
  Exchange& x = *exchange_;
  if (is_response_started_) return misuse("a second response");
  if (header.status() == 101 ? !is_upgrade_request() : header.status().is_informational()) {
    return misuse("an informational response as the final one");
  }
  ResponsePlan plan;
  if (auto planned = plan_body(header, end, plan); !planned) return std::move(planned.error());
  plan_connection(header, plan);
  std::optional<HttpDate> now;
  if (!header.headers().contains(HeaderId::Date) && !plan.is_switch) {
    now = HttpDate::now();
    plan.add.add(HeaderId::Date, now->view());
  }
  HopByHopFields hop_by_hop(header.headers());
  auto written = h1::write_response_head(
      header, edits_of(plan.skip, hop_by_hop, plan.add, options_.hop_by_hop), transport_.output());
  if (!written) return std::move(written.error()).into_in();
  x.encoder = plan.encoder;
  is_response_started_ = true;
  if (plan.is_switch) return transport_.send();
  return x.encoder.is_done() ? transport_.send(end_of_response()) : Task<>();
}

Task<> H1ServerSession::write_body(Bytes data, EndOfStream end) {
  Exchange& x = *exchange_;
  if (!is_response_started_) return misuse("a body before the head");
  auto frame = x.encoder.frame(data.size(), end);
  if (!frame) return std::move(frame.error());
  if (x.encoder.kind() == H1BodyEncoder::Kind::None) data = Bytes();
  Send send = x.encoder.is_done() ? end_of_response() : Send::Gather;
  if (x.is_tunnel) {
    note_tunnel_bytes();
    send = Send::Now;
  }
  Task<> writing = transport_.write(*frame, std::move(data), send);
  if (x.is_tunnel && x.encoder.is_done()) return shutdown_behind(std::move(writing));
  return writing;
}

Task<> H1ServerSession::shutdown_behind(Task<> writing) {
  co_await std::move(writing);
  stream().shutdown_write();
}

Task<> H1ServerSession::write_trailers(const HeaderMap& trailers) {
  Exchange& x = *exchange_;
  bool is_useful = is_response_started_ && x.accepts_trailers && !x.encoder.is_done() &&
                   x.encoder.kind() == H1BodyEncoder::Kind::Chunked;
  if (!is_useful) return write_body({}, EndOfStream::Yes);
  if (!transport_.is_writable()) return misuse("a write behind one that failed");
  h1::write_trailers(trailers, transport_.output());
  x.encoder.finish();
  return transport_.send(end_of_response());
}

// How the last bytes of a response go.
Send H1ServerSession::end_of_response() const noexcept {
  return keep_alive_ ? Send::Now : Send::Last;
}

Task<> H1ServerSession::flush() {
  if (is_response_done()) stream().push();
  return transport_.send();
}

bool H1ServerSession::is_response_done() const noexcept {
  return is_response_started_ && exchange_->encoder.is_done();
}

std::uint64_t H1ServerSession::body_bytes_sent() const noexcept {
  return exchange_ == nullptr ? 0 : exchange_->encoder.bytes();
}

void H1ServerSession::start_tunnel() {
  Exchange& x = *exchange_;
  x.is_tunnel = true;
  x.reader.start_tunnel();
  x.encoder = H1BodyEncoder(H1BodyEncoder::Kind::Tunnel);
  keep_alive_ = false;
  start_tunnel_clock(options_.tunnel_idle_timeout);
}

}  // namespace pingora
