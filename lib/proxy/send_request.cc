// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The stage SendRequest: what goes upstream before the body.
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "exchange.h"
#include "pingora/http/hop_by_hop.h"

namespace pingora::internal {
namespace {

constexpr std::string_view kNoTls = "http";
constexpr std::string_view kTls = "https";

// What is said about the client, in the fields that proxies use for it, and of how its request
// came.
class ForwardedFields {
 public:
  ForwardedFields(const HttpProxyOptions& options, const ServerSession& downstream) {
    if (downstream.is_early()) {  // RFC 8470 §5.1
      skip_.insert(HeaderId::EarlyData);
      add_[count_++] = {HeaderId::EarlyData, "1"};
    }
    if (options.forwarded == ForwardedPolicy::PassOn) return;
    const SocketAddress& client = downstream.digest().peer_address;
    bool is_trusted = false;
    for (const IpPrefix& prefix : options.trusted_proxies) {
      is_trusted = is_trusted || prefix.contains(client);
    }
    const HeaderMap& received = downstream.req_header().headers();
    if (is_trusted && options.forwarded == ForwardedPolicy::Set) {
      skip_.insert(HeaderId::XForwardedFor);
      for (std::string_view before : received.get_all(HeaderId::XForwardedFor)) {
        client_.append(before).append(", ");
      }
    } else {
      skip_ = skip_ |
              HeaderIdSet{HeaderId::XForwardedFor, HeaderId::XForwardedProto, HeaderId::Forwarded};
    }
    if (options.forwarded == ForwardedPolicy::Drop || !client.is_ip()) return;
    address_size_ = client.format_host(address_);
    std::string_view address(address_.data(), address_size_);
    if (!client_.empty()) address = client_.append(address);
    add_[count_++] = {HeaderId::XForwardedFor, address};
    if (!is_trusted || !received.contains(HeaderId::XForwardedProto)) {
      add_[count_++] = {HeaderId::XForwardedProto, downstream.digest().ssl ? kTls : kNoTls};
    }
  }
  ~ForwardedFields() {}
  ForwardedFields(const ForwardedFields&) = delete;
  ForwardedFields& operator=(const ForwardedFields&) = delete;

  HeaderEdits edits() const noexcept { return {skip_, {add_, count_}}; }

 private:
  HeaderIdSet skip_;
  std::string client_;  // what trusted proxies said, and the client
  SocketAddress::HostText address_;
  std::size_t address_size_ = 0;
  union {
    ExtraField add_[3];  // not zeroed; trivial
  };
  std::size_t count_ = 0;
};

}  // namespace

Task<Outcome> Exchange::send_request() {
  if (overrides(Phase::UpstreamRequestFilter)) return send_filtered_request();
  ForwardedFields forwarded(proxy_.options_, downstream_);
  return write_request(downstream_.req_header(), forwarded.edits(), downstream_.body_length());
}

Task<Outcome> Exchange::send_filtered_request() {
  upstream_request_ = std::make_unique<Boxed<RequestHeader>>();
  RequestHeader& request = upstream_request_->header;
  request.copy_from(downstream_.req_header());
  {
    // Put in before the filter runs, so that the filter has the last word.
    ForwardedFields forwarded(proxy_.options_, downstream_);
    HeaderEdits edits = forwarded.edits();
    request.headers().remove_if([&](const HeaderField& f) { return edits.skip.contains(f.id); });
    for (const ExtraField& field : edits.add) {
      co_await request.headers().append(field.name, field.value);
    }
  }
  co_await phases_.upstream_request_filter(session_, request, ctx_);
  co_return co_await write_request(request, {}, length_of_filtered_body(request));
}

// A filter that makes a body longer or shorter says so by what it does to Content-Length.
BodyLength Exchange::length_of_filtered_body(const RequestHeader& request) const noexcept {
  BodyLength length = downstream_.body_length();
  if (length.kind != BodyLength::Kind::Known || length.is_empty()) return length;
  auto said = request.get_header(HeaderId::ContentLength);
  if (!said) return BodyLength::unknown();
  std::from_chars(said->data(), said->data() + said->size(), length.bytes);
  return length;
}

// The upstream wants HTTP/1: for all requests, or for this one only, where its HTTP/2 has no
// WebSocket.
void Exchange::note_downgrade(Error& error) {
  if (downstream_.is_upgrade_request() && peer_->options.alpn == Alpn::H2H1) {
    wants_h1_upstream_ = true;
  } else {
    proxy_.connector_->note_downgrade(*peer_, error);
  }
}

// Writes the head, and sends it unless the body's first piece can go along. A failure to write is
// kept: the response may be there already, and is what the client should see.
Task<Outcome> Exchange::write_request(const RequestHeader& request, const HeaderEdits& edits,
                                      BodyLength length) {
  ClientSession& upstream = *upstream_.session;
  Task<> writing = upstream.write_head(request, edits, length);
  if (writing.is_ready()) {
    Result<void> written = std::move(writing).take_ready();
    if (!written) return std::move(written.error());
    // What ends with its head has been sent with it.
    if (!length.is_empty() || upstream.is_request_done() || overrides(Phase::RequestBodyFilter) ||
        !session_.downstream_modules_.empty()) {
      return Outcome::Done;
    }
    writing = upstream.flush();
    if (writing.is_ready()) {
      written = std::move(writing).take_ready();
      if (!written) write_error_ = std::move(written.error());
      return Outcome::Done;
    }
  }
  return write_request_slowly(std::move(writing));
}

Task<Outcome> Exchange::write_request_slowly(Task<> writing) {
  Result<void> written = co_await std::move(writing).as_result();
  if (written) written = co_await upstream_.session->flush().as_result();
  if (!written) co_await keep_write_error(std::move(written.error()));
  co_return Outcome::Done;
}

}  // namespace pingora::internal
