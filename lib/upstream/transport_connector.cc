// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/upstream/transport_connector.h"

#include <algorithm>
#include <utility>

#include "proxy_tunnel.h"
#include "tls_connector.h"
#include "within.h"

namespace pingora {
namespace {

TimePoint deadline_after(std::chrono::milliseconds timeout) {
  return timeout == kNoTimeout ? kNever : Clock::now() + timeout;
}

// Descriptors asked from those who can give some up, each time that there are none left.
constexpr std::size_t kShedCount = 16;

// Whose fault an error is, in the terms of the reference: what this host cannot give is internal.
Error connect_failed(const HttpPeer& peer, Error error) {
  ErrorType type = error.type();
  if (type == ErrorType::BindError || type == ErrorType::SocketError) {
    Error internal = Error::because(ErrorType::InternalError, "connecting to " + peer.to_string(),
                                    std::move(error));
    internal.set_source(ErrorSource::Internal);
    if (type == ErrorType::SocketError) return std::move(internal).with_status(503);
    return internal;
  }
  if (type == ErrorType::InternalError) return std::move(error).into_in();
  error.set_source(ErrorSource::Upstream);
  return error;
}

}  // namespace

TransportConnector::TransportConnector(TransportConnectorOptions options)
    : options_(std::move(options)),
      tls_(std::make_unique<internal::TlsConnector>(
          std::max<std::size_t>(options_.tls_contexts_max, 1), options_.tls_session_peers_max,
          internal::TlsDefaults{options_.ca_file, options_.key_log})) {
  if (options_.resolver == nullptr) options_.resolver = std::make_shared<Resolver>();
}

TransportConnector::~TransportConnector() = default;

Task<ConnectedStream> TransportConnector::connect(const HttpPeer& peer) {
  auto result = co_await attempt(peer).as_result();
  if (!result && result.error().type() == ErrorType::SocketError && options_.shed_descriptors &&
      options_.shed_descriptors(kShedCount) != 0) {
    result = co_await attempt(peer).as_result();
  }
  if (!result) co_return connect_failed(peer, std::move(result.error()));
  co_return std::move(*result);
}

// `connection_timeout` counts twice: for the way to the peer, and for TLS on it.
Task<ConnectedStream> TransportConnector::attempt(const HttpPeer& peer) {
  if (!peer.is_valid()) {
    co_return Error::internal("the peer '" + peer.to_string() + "' has no address");
  }
  const TimePoint last = deadline_after(peer.options.total_connection_timeout);
  TimePoint deadline = std::min(last, deadline_after(peer.options.connection_timeout));
  ConnectedStream connected{co_await connect_transport(peer, deadline), Buffer()};
  if (peer.options.rare().proxy) {
    connected = co_await internal::open_proxy_tunnel(std::move(connected.stream), peer, deadline);
  }
  if (!peer.is_tls()) co_return connected;
  if (!connected.received.empty()) {
    co_return Error::explain(ErrorType::TlsHandshakeFailure,
                             peer.to_string() + " sent something before the handshake");
  }
  deadline = std::min(last, deadline_after(peer.options.connection_timeout));
  connected.stream = co_await tls_->connect(std::move(connected.stream), peer, deadline);
  co_return connected;
}

Task<std::unique_ptr<Stream>> TransportConnector::connect_transport(const HttpPeer& peer,
                                                                    TimePoint deadline) {
  const RarePeerOptions& rare = peer.options.rare();
  if (rare.custom_l4 != nullptr) {
    auto stream = co_await internal::within(deadline, "custom_l4, peer " + peer.to_string(),
                                            rare.custom_l4->connect(peer));
    if (stream == nullptr) {
      co_return Error::internal("custom_l4 gave no stream to " + peer.to_string());
    }
    co_return std::move(stream);
  }
  ConnectOptions options = connect_options(peer, deadline);
  const SocketAddress& address = rare.proxy ? rare.proxy->address : peer.address();
  if (address.is_none()) co_return co_await connect_name(peer, std::move(options));
  if (!rare.bind_to) {
    if (const SocketAddress* from = next_bind_address(address.family())) {
      options.bind_address = *from;
    }
  }
  co_return co_await pingora::connect(address, options);
}

Task<std::unique_ptr<Stream>> TransportConnector::connect_name(const HttpPeer& peer,
                                                               ConnectOptions options) {
  std::vector<SocketAddress> addresses =
      co_await internal::within(options.deadline, "resolving " + peer.to_string(),
                                options_.resolver->resolve(peer.host_name(), peer.port()));
  // A local address is good for peers of its family only.
  if (!peer.options.rare().bind_to) {
    if (const SocketAddress* from = next_bind_address(addresses.front().family())) {
      options.bind_address = *from;
    }
  }
  if (options.bind_address) {
    std::erase_if(addresses, [family = options.bind_address->family()](const SocketAddress& each) {
      return each.family() != family;
    });
    if (addresses.empty()) {
      co_return Error::explain(ErrorType::ConnectNoRoute,
                               peer.to_string() + " has no address of the family to bind to");
    }
  }
  if (addresses.size() == 1) co_return co_await pingora::connect(addresses.front(), options);
  co_return co_await happy_eyeballs_connect(std::move(addresses), options, options_.pace);
}

ConnectOptions TransportConnector::connect_options(const HttpPeer& peer, TimePoint deadline) const {
  const PeerOptions& from = peer.options;
  const RarePeerOptions& rare = from.rare();
  ConnectOptions options;
  options.deadline = deadline;
  options.socket.keepalive = rare.tcp_keepalive;
  if (from.tcp_recv_buf_bytes != 0) {
    options.socket.receive_buffer_bytes = static_cast<int>(from.tcp_recv_buf_bytes);
  }
  if (from.dscp) options.socket.dscp = *from.dscp;
  options.fast_open = from.tcp_fast_open == Toggle::On;
  if (rare.bind_to) {
    if (!rare.bind_to->address.is_none()) {
      options.bind_address = rare.bind_to->address;
      options.bind_address->set_port(0);
    }
    options.port_range = rare.bind_to->port_range;
  }
  if (rare.upstream_tcp_sock_tweak_hook != nullptr) {
    options.on_socket = [hook = rare.upstream_tcp_sock_tweak_hook](int fd) { return (*hook)(fd); };
  }
  return options;
}

const SocketAddress* TransportConnector::next_bind_address(SocketAddress::Family family) noexcept {
  if (family != SocketAddress::Family::Ipv4 && family != SocketAddress::Family::Ipv6) {
    return nullptr;
  }
  const auto& list = family == SocketAddress::Family::Ipv4 ? options_.client_bind_to_ipv4
                                                           : options_.client_bind_to_ipv6;
  if (list.empty()) return nullptr;
  return &list[next_bind_.fetch_add(1, std::memory_order_relaxed) % list.size()];
}

}  // namespace pingora
