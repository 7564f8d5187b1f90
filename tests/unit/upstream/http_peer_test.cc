// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/upstream/http_peer.h"

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "test_certificates.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

struct NullL4 : L4Connect {
  Task<std::unique_ptr<Stream>> connect(const HttpPeer&) override {
    return Error::internal("unused");
  }
};

struct NullTracer : ConnectionTracer {
  void on_connected(const HttpPeer&) noexcept override {}
  void on_disconnected(const HttpPeer&) noexcept override {}
};

struct NullVerifier : ServerVerifier {
  Task<> verify(std::span<const Bytes>, std::string_view, const Error*) override { return {}; }
};

// Read anew with each call.
Certificate::Ptr certificate(const char* chain, const char* key) {
  auto read = Certificate::from_pem(chain, key);
  REQUIRE(read);
  return *read;
}

std::shared_ptr<const std::string> text(const char* value) {
  return std::make_shared<const std::string>(value);
}

UpstreamProxy proxy(const char* address, ProxyHeaders headers = {}) {
  return {*SocketAddress::parse(address), std::move(headers)};
}

BindTo bind_to(const char* ip, std::optional<PortRange> range = {}) {
  return {*SocketAddress::parse(ip, 0), range};
}

using Change = std::function<void(HttpPeer&)>;
struct Difference {
  const char* what;
  Change first;
  Change second;
};

void nothing(HttpPeer&) {}

// Each line: two peers that differ in one thing only.
std::vector<Difference> differences() {
  auto options = [](auto set) { return [set](HttpPeer& peer) { set(peer.options); }; };
  auto rare = [](auto set) { return [set](HttpPeer& peer) { set(peer.options.edit_rare()); }; };
  return {
      {"address", nothing, [](HttpPeer& p) { p = HttpPeer("127.0.0.2:80"); }},
      {"port", nothing, [](HttpPeer& p) { p = HttpPeer("127.0.0.1:81"); }},
      {"family", nothing, [](HttpPeer& p) { p = HttpPeer("[::1]:80"); }},
      {"unix path", [](HttpPeer& p) { p = HttpPeer("unix:/a"); },
       [](HttpPeer& p) { p = HttpPeer("unix:/b"); }},
      {"name against address", nothing, [](HttpPeer& p) { p = HttpPeer("localhost:80"); }},
      {"name", [](HttpPeer& p) { p = HttpPeer("a.example:80"); },
       [](HttpPeer& p) { p = HttpPeer("b.example:80"); }},
      {"port of a name", [](HttpPeer& p) { p = HttpPeer("a.example:80"); },
       [](HttpPeer& p) { p = HttpPeer("a.example:81"); }},
      {"tls", nothing, [](HttpPeer& p) { p = HttpPeer("127.0.0.1:80", Tls::Yes); }},
      {"sni", nothing, [](HttpPeer& p) { p.sni = "a.example"; }},
      {"group key", nothing, [](HttpPeer& p) { p.group_key = 1; }},
      {"verify_cert", nothing, options([](PeerOptions& o) { o.verify_cert = Toggle::Off; })},
      {"verify_hostname", nothing,
       options([](PeerOptions& o) { o.verify_hostname = Toggle::Off; })},
      {"alpn", nothing, options([](PeerOptions& o) { o.alpn = Alpn::H2; })},
      {"max_h2_streams", nothing, options([](PeerOptions& o) { o.max_h2_streams = 7; })},
      {"h2_ping_interval", nothing, options([](PeerOptions& o) { o.h2_ping_interval = 1s; })},
      {"tcp_fast_open", nothing, options([](PeerOptions& o) { o.tcp_fast_open = Toggle::On; })},
      {"tcp_recv_buf", nothing, options([](PeerOptions& o) { o.tcp_recv_buf_bytes = 4096; })},
      {"dscp", nothing, options([](PeerOptions& o) { o.dscp = 0; })},
      {"invalid content length", nothing,
       options([](PeerOptions& o) { o.allow_h1_response_invalid_content_length = Toggle::On; })},
      {"bare lf", nothing,
       options([](PeerOptions& o) { o.allow_h1_response_bare_lf = Toggle::On; })},
      {"spaces after names", nothing,
       options([](PeerOptions& o) { o.allow_h1_response_spaces_after_header_name = Toggle::On; })},
      {"obs-fold", nothing,
       options([](PeerOptions& o) { o.allow_h1_response_obs_fold = Toggle::On; })},
      {"bind address against none", nothing,
       rare([](RarePeerOptions& r) { r.bind_to = bind_to("127.0.0.1"); })},
      {"bind address", rare([](RarePeerOptions& r) { r.bind_to = bind_to("127.0.0.1"); }),
       rare([](RarePeerOptions& r) { r.bind_to = bind_to("127.0.0.2"); })},
      {"bind ports", rare([](RarePeerOptions& r) { r.bind_to = bind_to("127.0.0.1"); }),
       rare([](RarePeerOptions& r) { r.bind_to = bind_to("127.0.0.1", PortRange{1, 2, false}); })},
      {"bind fallback",
       rare([](RarePeerOptions& r) { r.bind_to = bind_to("127.0.0.1", PortRange{1, 2, true}); }),
       rare([](RarePeerOptions& r) { r.bind_to = bind_to("127.0.0.1", PortRange{1, 2, false}); })},
      {"proxy against none", nothing,
       rare([](RarePeerOptions& r) { r.proxy = proxy("127.0.0.1:3128"); })},
      {"proxy address", rare([](RarePeerOptions& r) { r.proxy = proxy("127.0.0.1:3128"); }),
       rare([](RarePeerOptions& r) { r.proxy = proxy("unix:/proxy"); })},
      {"proxy headers", rare([](RarePeerOptions& r) { r.proxy = proxy("127.0.0.1:3128"); }),
       rare([](RarePeerOptions& r) { r.proxy = proxy("127.0.0.1:3128", {{"A", "b"}}); })},
      {"extra proxy headers", nothing,
       rare([](RarePeerOptions& r) { r.extra_proxy_headers = {{"A", "b"}}; })},
      {"custom_l4", nothing,
       rare([](RarePeerOptions& r) { r.custom_l4 = std::make_shared<NullL4>(); })},
      {"custom_l4 object",
       rare([](RarePeerOptions& r) { r.custom_l4 = std::make_shared<NullL4>(); }),
       rare([](RarePeerOptions& r) { r.custom_l4 = std::make_shared<NullL4>(); })},
      {"tweak hook", nothing, rare([](RarePeerOptions& r) {
         r.upstream_tcp_sock_tweak_hook =
             std::make_shared<const SocketTweakHook>([](int) { return Result<void>(); });
       })},
      {"tcp_keepalive", nothing,
       rare([](RarePeerOptions& r) { r.tcp_keepalive = TcpKeepalive{}; })},
      {"tcp_keepalive value", rare([](RarePeerOptions& r) { r.tcp_keepalive = TcpKeepalive{}; }),
       rare([](RarePeerOptions& r) { r.tcp_keepalive = TcpKeepalive{.count = 2}; })},
      {"h2 stream window", nothing,
       rare([](RarePeerOptions& r) { r.h2_windows.stream_bytes = 65535; })},
      {"h2 connection window", nothing,
       rare([](RarePeerOptions& r) { r.h2_windows.connection_bytes = 65535; })},
      {"h2 window growth", nothing,
       rare([](RarePeerOptions& r) { r.h2_windows.stream_bytes_max = 0; })},
      {"alternative names", nothing,
       rare([](RarePeerOptions& r) { r.alternative_names = {"b.example"}; })},
      {"ca file", nothing, rare([](RarePeerOptions& r) { r.ca_file = "ca.pem"; })},
      {"server verifier", nothing,
       rare([](RarePeerOptions& r) { r.server_verifier = std::make_shared<NullVerifier>(); })},
      {"curves", nothing, rare([](RarePeerOptions& r) { r.curves = "P-256"; })},
      {"ciphers", nothing,
       rare([](RarePeerOptions& r) { r.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"; })},
      {"least version", nothing,
       rare([](RarePeerOptions& r) { r.tls_version_min = TlsVersion::Tls13; })},
      {"greatest version", nothing,
       rare([](RarePeerOptions& r) { r.tls_version_max = TlsVersion::Tls12; })},
      {"ca", nothing, rare([](RarePeerOptions& r) { r.ca = text("one"); })},
      {"ca content", rare([](RarePeerOptions& r) { r.ca = text("one"); }),
       rare([](RarePeerOptions& r) { r.ca = text("two"); })},
      {"client certificate against none", nothing, rare([](RarePeerOptions& r) {
         r.client_cert_key = certificate(kOriginCertificate, kOriginKey);
       })},
      {"client certificate", rare([](RarePeerOptions& r) {
         r.client_cert_key = certificate(kOriginCertificate, kOriginKey);
       }),
       rare([](RarePeerOptions& r) {
         r.client_cert_key = certificate(kClientCertificate, kClientKey);
       })},
  };
}

}  // namespace

TEST_CASE("PeerKey: peers that differ in one option never have equal keys", "[peer]") {
  for (const Difference& difference : differences()) {
    HttpPeer first("127.0.0.1:80");
    HttpPeer second("127.0.0.1:80");
    difference.first(first);
    difference.second(second);
    INFO(difference.what);
    CHECK_FALSE(PeerKey(first) == PeerKey(second));
    // Not even where the hashes collide.
    CHECK_FALSE(PeerKey(first, 1) == PeerKey(second, 1));
  }
}

TEST_CASE("PeerKey: peers that are made alike have equal keys", "[peer]") {
  auto hook = std::make_shared<const SocketTweakHook>([](int) { return Result<void>(); });
  auto l4 = std::make_shared<NullL4>();
  auto make = [&] {
    HttpPeer peer("origin.example:443", Tls::Yes);
    peer.group_key = 9;
    peer.options.dscp = 8;
    RarePeerOptions& rare = peer.options.edit_rare();
    rare.bind_to = bind_to("127.0.0.1", PortRange{1, 2, true});
    rare.proxy = proxy("unix:/proxy", {{"A", "b"}});
    rare.custom_l4 = l4;
    rare.upstream_tcp_sock_tweak_hook = hook;
    rare.tcp_keepalive = TcpKeepalive{.count = 3};
    rare.ca = text("pem");
    rare.client_cert_key = certificate(kOriginCertificate, kOriginKey);  // read anew each time
    rare.alternative_names = {"b.example"};
    return peer;
  };
  HttpPeer first = make();
  HttpPeer second = make();
  CHECK(PeerKey(first).hash() == PeerKey(second).hash());
  CHECK(PeerKey(first) == PeerKey(second));

  SECTION("timeouts and the tracer do not count") {
    second.options.read_timeout = 1s;
    second.options.write_timeout = 1s;
    second.options.idle_timeout = 1s;
    second.options.connection_timeout = 1s;
    second.options.total_connection_timeout = 1s;
    second.options.edit_rare().tracer = std::make_shared<NullTracer>();
    CHECK(PeerKey(first) == PeerKey(second));
  }
  SECTION("rare options that are set to their defaults count as not set") {
    HttpPeer plain("127.0.0.1:80");
    HttpPeer edited("127.0.0.1:80");
    edited.options.edit_rare();
    CHECK(PeerKey(plain) == PeerKey(edited));
  }
}

TEST_CASE("HttpPeer: addresses, Unix paths and names are told apart", "[peer]") {
  CHECK(HttpPeer("127.0.0.1:80").address().to_string() == "127.0.0.1:80");
  CHECK(HttpPeer("[::1]:8080").port() == 8080);
  CHECK(HttpPeer("unix:/run/a").address().is_unix());
  HttpPeer name("origin.example:8443", Tls::Yes);
  CHECK(name.address().is_none());
  CHECK(name.host_name() == "origin.example");
  CHECK(name.sni == "origin.example");
  CHECK(name.port() == 8443);
  CHECK(name.authority() == "origin.example:8443");
  CHECK(HttpPeer("origin.example:443", Tls::Yes, "other.example").sni == "other.example");
}

TEST_CASE("HttpPeer: malformed addresses are no peers", "[peer]") {
  const std::string long_name(254, 'a');
  for (std::string text :
       {std::string(""), std::string(":80"), std::string("a.example"), std::string("a.example:"),
        std::string("a.example:0"), std::string("a.example:65536"), std::string("a.example:+1"),
        std::string("127.0.0.1:0"), std::string("[::1]:0"), std::string("a b:80"),
        std::string("a\r\nX: y:80"), long_name + ":80"}) {
    INFO(text);
    CHECK_FALSE(HttpPeer(text).is_valid());
    auto parsed = HttpPeer::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().type() == ErrorType::ConfigError);
  }
  CHECK(HttpPeer::parse(std::string(253, 'a') + ":1"));
}

TEST_CASE("PeerOptions: copies share rare options until one is edited", "[peer]") {
  HttpPeer first("127.0.0.1:80");
  CHECK_FALSE(first.options.has_rare());
  first.options.edit_rare().ca_file = "a";
  HttpPeer second = first;
  CHECK(&second.options.rare() == &first.options.rare());
  second.options.edit_rare().ca_file = "b";
  CHECK(first.options.rare().ca_file == "a");
  CHECK(second.options.rare().ca_file == "b");
}
