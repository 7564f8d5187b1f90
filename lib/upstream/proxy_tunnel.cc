// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "proxy_tunnel.h"

#include <string>
#include <utility>

#include "pingora/h1/head_parser.h"
#include "pingora/h1/serializer.h"

namespace pingora::internal {
namespace {

constexpr int kInformationalMax = 16;

std::string describe(const HttpPeer& peer) {
  return "tunnel to " + peer.to_string() + " through " +
         peer.options.rare().proxy->address.to_string();
}

Error refused(const HttpPeer& peer, std::string_view why) {
  return Error::explain(ErrorType::ConnectProxyFailure, describe(peer) + ": " + std::string(why));
}

// What went wrong on the connection to the proxy is a failure of the proxy, unless it was too slow.
Error failed(const HttpPeer& peer, std::string_view when, Error cause) {
  bool timed_out =
      cause.type() == ErrorType::ReadTimedout || cause.type() == ErrorType::WriteTimedout;
  return Error::because(timed_out ? ErrorType::ConnectTimedout : ErrorType::ConnectProxyFailure,
                        describe(peer) + ": " + std::string(when), std::move(cause));
}

Result<void> append_headers(RequestHeader& request, const ProxyHeaders& headers) {
  for (const auto& [name, value] : headers) {
    if (auto appended = request.append_header(std::string_view(name), value); !appended) {
      return appended;
    }
  }
  return {};
}

Result<Buffer> connect_request(const HttpPeer& peer) {
  const std::string authority = peer.authority();
  auto request = RequestHeader::build(Method::Connect, authority);
  if (!request) return std::unexpected(std::move(request.error()));
  if (auto set = request->insert_header(HeaderId::Host, authority); !set) {
    return std::unexpected(std::move(set.error()));
  }
  const RarePeerOptions& rare = peer.options.rare();
  for (const ProxyHeaders* headers : {&rare.proxy->headers, &rare.extra_proxy_headers}) {
    if (auto added = append_headers(*request, *headers); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  Buffer out;
  h1::HeadEdits edits;
  edits.target = h1::WriteTarget::AsReceived;
  if (auto written = h1::write_request_head(*request, edits, out); !written) {
    return std::unexpected(std::move(written.error()));
  }
  return out;
}

// The final head of the proxy's answer; what follows it stays in `received`.
Task<ResponseHeader> read_answer(Stream& stream, Buffer& received, const HttpPeer& peer,
                                 TimePoint deadline) {
  const h1::ParserOptions options;
  h1::HeadProgress progress;
  ResponseHeader header;
  for (int informational = 0;;) {
    h1::ParseResult parsed = h1::parse_response_head(received, progress, options, header);
    switch (parsed.status) {
      case h1::ParseStatus::Done:
        if (!header.status().is_informational() || header.status() == 101) {
          co_return std::move(header);
        }
        if (++informational > kInformationalMax) co_return refused(peer, "too many 1xx answers");
        break;
      case h1::ParseStatus::Error: co_return refused(peer, parsed.error.reason);
      case h1::ParseStatus::NeedMore: {
        auto size = co_await as_result(stream.read(received, deadline));
        if (!size) co_return failed(peer, "reading the answer", std::move(size.error()));
        if (*size == 0) co_return refused(peer, "closed before it answered");
      }
    }
  }
}

}  // namespace

Task<ConnectedStream> open_proxy_tunnel(std::unique_ptr<Stream> stream, const HttpPeer& peer,
                                        TimePoint deadline) {
  if (peer.address().is_unix()) co_return Error::internal(describe(peer) + ": not a TCP address");
  auto request = connect_request(peer);
  if (!request) {
    co_return Error::because(ErrorType::InternalError, describe(peer), std::move(request.error()));
  }
  auto written = co_await as_result(stream->write({request->view()}, deadline));
  if (!written) co_return failed(peer, "writing the request", std::move(written.error()));

  Buffer received;
  ResponseHeader answer = co_await read_answer(*stream, received, peer, deadline);
  if (!answer.status().is_success()) {
    co_return refused(peer, "answered " + std::to_string(int{answer.status()}))
        .with_status(int{answer.status()});
  }
  if (answer.headers().contains(HeaderId::TransferEncoding)) {
    co_return refused(peer, "a 2xx to CONNECT has no Transfer-Encoding (RFC 9110 section 9.3.6)");
  }
  co_return ConnectedStream{std::move(stream), std::move(received)};
}

}  // namespace pingora::internal
