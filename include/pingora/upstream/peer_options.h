// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pingora/base/error.h"
#include "pingora/net/connect.h"
#include "pingora/net/socket_address.h"
#include "pingora/net/socket_options.h"
#include "pingora/net/stream.h"
#include "pingora/runtime/task.h"
#include "pingora/tls/certificate.h"
#include "pingora/tls/tls_client_context.h"

namespace pingora {

class HttpPeer;

/// "No limit", for every timeout of PeerOptions.
inline constexpr std::chrono::milliseconds kNoTimeout = std::chrono::milliseconds::max();

/// Whether something that is off by default is wanted.
enum class Toggle : bool { Off, On };

/// What is offered to an upstream as the protocol. Without TLS, H2 means HTTP/2 by prior knowledge
/// and H2H1 means HTTP/1.
enum class Alpn : std::uint8_t { H1, H2, H2H1 };

/// Which local address and ports connections come from.
struct BindTo {
  /// The port is ignored. None: whatever the system chooses.
  SocketAddress address;
  /// Default: whatever the system chooses.
  std::optional<PortRange> port_range;
};

/// A field of the request that opens a tunnel through an upstream proxy.
using ProxyHeaders = std::vector<std::pair<std::string, std::string>>;

/// A proxy that a peer is reached through, by CONNECT (RFC 9110 §9.3.6).
struct UpstreamProxy {
  /// Where the proxy is: TCP or Unix.
  SocketAddress address;
  ProxyHeaders headers;

  friend bool operator==(const UpstreamProxy&, const UpstreamProxy&) noexcept = default;
};

/// Makes the streams to peers in a program's own way: a virtual socket, a tunnel, a test's double.
/// Shared by the peers that name it; its functions are called from any strand, also side by side.
class L4Connect {
 public:
  virtual ~L4Connect() = default;
  /// A stream to `peer`, which lives until the task ends. The timeouts of `peer` are applied by the
  /// caller.
  virtual Task<std::unique_ptr<Stream>> connect(const HttpPeer& peer) = 0;
};

/// Told of every HTTP connection to the peers that name it. Called from any strand, also side by
/// side.
class ConnectionTracer {
 public:
  virtual ~ConnectionTracer() = default;
  virtual void on_connected(const HttpPeer& peer) noexcept = 0;
  virtual void on_disconnected(const HttpPeer& peer) noexcept = 0;
};

/// Called with a socket before it is connected, to set options of a program's own. An error ends
/// the attempt.
using SocketTweakHook = std::function<Result<void>(int fd)>;

/// How much of its responses an HTTP/2 upstream may send ahead of what was read (RFC 9113 §5.2).
struct H2Windows {
  /// Of one response, at first.
  std::uint32_t stream_bytes = 128 * 1024;
  /// Of all responses on a connection together. Room for 100 streams by default, so that those
  /// whose clients do not read are in nobody's way.
  std::uint32_t connection_bytes = 16 * 1024 * 1024;
  /// Up to where `stream_bytes` grows by itself, where a path is so fast and so long that more than
  /// this is on its way within a round trip. No more than `stream_bytes`: it does not grow.
  std::uint32_t stream_bytes_max = 4 * 1024 * 1024;

  friend bool operator==(const H2Windows&, const H2Windows&) noexcept = default;
};

/// Options that few peers set. Kept apart, and shared between peers, so that a peer without them
/// costs nothing for them.
struct RarePeerOptions {
  std::optional<BindTo> bind_to;
  std::optional<UpstreamProxy> proxy;
  /// Added to the headers of `proxy`.
  ProxyHeaders extra_proxy_headers;
  /// Makes the streams, in place of the system's sockets. Two peers share connections only if they
  /// name the same object.
  std::shared_ptr<L4Connect> custom_l4;
  /// Make one and share it: two peers share connections only if they name the same function object.
  std::shared_ptr<const SocketTweakHook> upstream_tcp_sock_tweak_hook;
  std::shared_ptr<ConnectionTracer> tracer;
  std::optional<TcpKeepalive> tcp_keepalive;
  H2Windows h2_windows;

  // With TLS. What peers have in common here is read and checked once: see TransportConnector.

  /// Names that the peer's certificate may be for in place of the SNI (Pingora: `alternative_cn`).
  std::vector<std::string> alternative_names;
  /// Whose certificates are trusted, in place of the system's store: PEM, or the name of a file of
  /// it, which is read when the first connection needs it. Not both. `ca` is compared by content.
  std::shared_ptr<const std::string> ca;
  std::string ca_file;
  /// What shows the peer who we are, if it asks. Compared by the certificate itself.
  Certificate::Ptr client_cert_key;
  /// A program's own judgement of the peer. Two peers share connections only if they name the same
  /// object.
  std::shared_ptr<ServerVerifier> server_verifier;
  /// Groups for the key exchange, as in TlsClientOptions. Empty: its default.
  std::string curves;
  /// Cipher suites of TLS 1.2, as in TlsClientOptions. Empty: its default.
  std::string ciphers;
  TlsVersion tls_version_min = TlsVersion::Tls12;
  TlsVersion tls_version_max = TlsVersion::Tls13;

  /// Whether a connection made with `a` may serve a peer with `b`: all but the tracer are equal.
  friend bool is_same_identity(const RarePeerOptions& a, const RarePeerOptions& b) noexcept;
  std::size_t identity_hash() const noexcept;
};

/// How a peer is connected to and talked with. Copying is cheap.
///
/// Everything that is fixed once a connection is made belongs to the identity of its peer: see
/// PeerKey. The timeouts do not: those of the request that uses the connection count.
struct PeerOptions {
  /// For name lookup, TCP connection (over all addresses of a name) and CONNECT together; the TLS
  /// handshake has it again. Default 5 s (Pingora: none), because an attempt that waits for the
  /// kernel to give up takes two minutes.
  std::chrono::milliseconds connection_timeout{5'000};
  /// For all it takes to get a connection. Default: none beyond `connection_timeout`.
  std::chrono::milliseconds total_connection_timeout = kNoTimeout;
  /// For the next bytes of a response. Default 60 s (Pingora: none).
  std::chrono::milliseconds read_timeout{60'000};
  /// For the upstream to take the next bytes of a request. Default 60 s (Pingora: none).
  std::chrono::milliseconds write_timeout{60'000};
  /// How long an idle connection is kept for reuse. Default 60 s (Pingora: for ever). 0: not at
  /// all.
  std::chrono::milliseconds idle_timeout{60'000};

  /// With TLS: whether the certificate, and the name in it, are verified. Without the first, the
  /// second says nothing. Whoever is between can read and change everything where either is off.
  Toggle verify_cert = Toggle::On;
  Toggle verify_hostname = Toggle::On;
  Alpn alpn = Alpn::H1;
  /// Requests side by side on one HTTP/2 connection, at most; also what the peer announces counts.
  std::uint32_t max_h2_streams = 100;
  /// How often an HTTP/2 connection is probed. Default: never.
  std::chrono::milliseconds h2_ping_interval = kNoTimeout;

  /// Send the first bytes with the SYN (RFC 7413).
  Toggle tcp_fast_open = Toggle::Off;
  /// Size of the kernel's receive buffer; 0: the system's default.
  std::uint32_t tcp_recv_buf_bytes = 0;
  /// Differentiated services code point, 0 to 63. Default: the system's.
  std::optional<std::uint8_t> dscp;

  /// What is let pass in HTTP/1 responses, see h1::ParserOptions. Default: nothing.
  Toggle allow_h1_response_invalid_content_length = Toggle::Off;
  Toggle allow_h1_response_bare_lf = Toggle::Off;
  Toggle allow_h1_response_spaces_after_header_name = Toggle::Off;
  Toggle allow_h1_response_obs_fold = Toggle::Off;

  /// The rare options; defaults where none was set. Good until these options are changed.
  const RarePeerOptions& rare() const noexcept;
  /// The rare options for changing: `peer.options.edit_rare().bind_to = …`. A copy of their own,
  /// made by this call, which allocates. The reference is good until these options are copied,
  /// moved or edited again.
  RarePeerOptions& edit_rare();
  /// Rare options that many peers share, made once.
  void share_rare(std::shared_ptr<const RarePeerOptions> rare) noexcept { rare_ = std::move(rare); }
  bool has_rare() const noexcept { return rare_ != nullptr; }

  // What PeerKey compares: whether a connection made with one may serve a peer with the other.

  /// All that is identity but the few that `is_same_beyond_flags` looks at, in one number.
  std::uint64_t identity_flags() const noexcept;
  friend bool is_same_beyond_flags(const PeerOptions& a, const PeerOptions& b) noexcept;
  /// Of the rare options.
  std::size_t rare_hash() const noexcept;
  /// Whether connections with one and the other can have the same TlsClientContext: all is equal
  /// that this is made of.
  friend bool is_same_tls_context(const PeerOptions& a, const PeerOptions& b) noexcept;

 private:
  std::shared_ptr<const RarePeerOptions> rare_;
};

}  // namespace pingora
