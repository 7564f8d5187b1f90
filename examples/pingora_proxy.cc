// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// pingora-proxy: a ready-made proxy. Requests go to the upstreams in turn; one that can not be
// reached is passed over. See --help; all of it may be in the file that -c names as well.
//
//   $ pingora-proxy --listen 127.0.0.1:6188 --upstream 127.0.0.1:6190 --upstream 127.0.0.1:6191
//   $ curl -s http://127.0.0.1:6188/
//   => hello from
#include <unistd.h>

#include <atomic>

#include "pingora/pingora.h"

namespace {

struct Upstreams {
  std::vector<pingora::HttpPeer> peers;
  std::atomic<std::size_t> next{0};
};

// Of one request.
struct Turn {
  std::size_t number = 0;       // of the upstream that is tried
  std::size_t unreachable = 0;  // upstreams that could not be reached
};

class Proxy : public pingora::ProxyHttp<Turn> {
 public:
  explicit Proxy(Upstreams& upstreams) : upstreams_(upstreams) {}

  // The shared counter says where a request begins; from there it goes its own way, so that
  // requests side by side do not lead each other to the same unreachable upstream again.
  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session& session, Turn& turn) override {
    if (session.tries() == 1) {
      turn.number = upstreams_.next.fetch_add(1, std::memory_order_relaxed);
    } else {
      ++turn.number;
    }
    return upstreams_.peers[turn.number % upstreams_.peers.size()];
  }

  pingora::Error fail_to_connect(pingora::Session&, const pingora::HttpPeer&, Turn& turn,
                                 pingora::Error error) override {
    error.set_retry(++turn.unreachable < upstreams_.peers.size());
    return error;
  }

 private:
  Upstreams& upstreams_;
};

// With a line on standard output for each request. A class of its own, because a phase that is
// overridden is called.
class LoggingProxy : public Proxy {
 public:
  using Proxy::Proxy;

  pingora::Task<> logging(pingora::Session& session, const pingora::Error* error, Turn&) override {
    const pingora::ResponseHeader* response = session.response_written();
    std::string line = session.client_addr().to_string() + " \"";
    pingora::append_escaped(line, session.req_header().method().text());
    line += ' ';
    pingora::append_escaped(line, session.req_header().raw_target());
    line += fmt::format("\" {} {}", response != nullptr ? int{response->status()} : 0,
                        session.body_bytes_sent());
    if (error != nullptr) line += " " + error->to_string();
    line += '\n';
    // One write, so that lines of different threads do not mix. Nobody to tell if it fails.
    [[maybe_unused]] ssize_t written = ::write(STDOUT_FILENO, line.data(), line.size());
    return {};
  }
};

// What is wrong with an option is said with the file that it comes from, `key` there.
[[noreturn]] void exit_with(const pingora::Opt& opt, std::string_view key, pingora::Error error) {
  if (opt.conf && !opt.is_given(key)) error.add_context(*opt.conf);
  pingora::exit_with_error(error);
}

[[noreturn]] void exit_with_mistake(const pingora::Opt& opt, std::string_view key,
                                    std::string_view what) {
  exit_with(opt, key,
            pingora::Error::explain(pingora::ErrorType::ConfigError,
                                    fmt::format("{}; see --help", what)));
}

// How upstreams are talked to.
struct UpstreamTls {
  bool is_on = false;
  bool is_insecure = false;
  std::string sni;
  std::string ca;
  std::string certificate;
  std::string key;
};

// What is wrong with the files is said before anything is served.
pingora::PeerOptions peer_options(const pingora::Opt& opt, const UpstreamTls& tls) {
  pingora::PeerOptions options;
  if (!tls.is_on) {
    if (tls.is_insecure || !tls.sni.empty() || !tls.ca.empty() || !tls.certificate.empty()) {
      exit_with(opt, "upstream_tls",
                pingora::Error::explain(pingora::ErrorType::ConfigError,
                                        "options of TLS to upstreams need --upstream-tls"));
    }
    return options;
  }
  if (tls.is_insecure) options.verify_cert = options.verify_hostname = pingora::Toggle::Off;
  pingora::RarePeerOptions& rare = options.edit_rare();
  if (!tls.certificate.empty()) {
    auto read =
        pingora::Certificate::load(tls.certificate, tls.key.empty() ? tls.certificate : tls.key);
    if (!read) exit_with(opt, "upstream_cert", std::move(read.error()));
    rare.client_cert_key = std::move(*read);
  }
  if (!tls.ca.empty()) {
    pingora::TlsClientOptions trust;
    trust.ca_file = tls.ca;
    if (auto checked = pingora::TlsClientContext::create(std::move(trust)); !checked) {
      exit_with(opt, "upstream_ca", std::move(checked.error()));
    }
    rare.ca_file = tls.ca;
  }
  return options;
}

std::vector<pingora::HttpPeer> parse_upstreams(const pingora::Opt& opt,
                                               const std::vector<std::string>& texts,
                                               const UpstreamTls& tls) {
  const pingora::PeerOptions options = peer_options(opt, tls);
  std::vector<pingora::HttpPeer> peers;
  for (const std::string& text : texts) {
    auto peer =
        pingora::HttpPeer::parse(text, tls.is_on ? pingora::Tls::Yes : pingora::Tls::No, tls.sni);
    if (!peer) {
      peer.error().add_context("--upstream");
      exit_with(opt, "upstream", std::move(peer.error()));
    }
    peer->options = options;
    peers.push_back(std::move(*peer));
  }
  return peers;
}

// What is said on the command line of how clients are served with TLS.
struct TlsOptions {
  std::vector<std::string> listen;
  std::vector<std::string> certificates;
  std::vector<std::string> keys;
  std::optional<std::string> client_ca;
};

// All addresses show the same certificates, each to those who ask for one of its names.
pingora::TlsSettings tls_settings(const pingora::Opt& opt, const TlsOptions& options) {
  if (options.certificates.size() != options.keys.size()) {
    exit_with_mistake(opt, "cert", "each --cert goes with a --key");
  }
  auto store = std::make_shared<pingora::CertificateStore>();
  for (std::size_t i = 0; i < options.keys.size(); ++i) {
    auto added = store->add_files(options.certificates[i], options.keys[i]);
    if (!added) exit_with(opt, "cert", std::move(added.error()));
  }
  auto settings = pingora::TlsSettings::intermediate(std::move(store));
  if (options.client_ca) {
    settings.client_certificates = pingora::ClientCertificates::Required;
    settings.client_ca_file = *options.client_ca;
  }
  return settings;
}

void add_tls(pingora::ListeningService& service, const pingora::Opt& opt,
             const TlsOptions& options) {
  if (options.listen.empty()) {
    if (!options.certificates.empty() || !options.keys.empty() || options.client_ca) {
      exit_with_mistake(opt, "cert", "--cert, --key and --client-ca are for --tls-listen");
    }
    return;
  }
  if (options.certificates.empty()) exit_with_mistake(opt, "cert", "--cert is missing");
  pingora::TlsSettings settings = tls_settings(opt, options);
  settings.enable_h2();
  for (const std::string& address : options.listen) service.add_tls(address, settings);
}

// --upstream-http: without TLS, h2 is HTTP/2 by prior knowledge, and auto is HTTP/1.
std::optional<pingora::Alpn> parse_alpn(std::string_view text) {
  if (text == "h1") return pingora::Alpn::H1;
  if (text == "h2") return pingora::Alpn::H2;
  if (text == "auto") return pingora::Alpn::H2H1;
  return std::nullopt;
}

std::string why_no_alpn(std::string_view text) {
  return parse_alpn(text) ? "" : "is none of h1, h2 and auto";
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> listen;
  TlsOptions tls;
  std::vector<std::string> upstream;
  std::string upstream_http = "h1";
  std::optional<std::int64_t> threads;
  bool no_work_stealing = false;
  bool access_log = false;
  bool h2c = false;
  UpstreamTls upstream_tls;
  pingora::ProgramOptions program("A ready-made HTTP proxy.");
  program.texts("--listen", "ADDR:PORT", "Where to listen (repeatable)", listen)
      .texts("--tls-listen", "ADDR:PORT", "Where to listen with TLS (repeatable)", tls.listen)
      .texts("--cert", "FILE", "A certificate and its chain, PEM (repeatable)", tls.certificates)
      .texts("--key", "FILE", "Its private key, PEM; the first of the first", tls.keys)
      .text("--client-ca", "FILE", "Clients need a certificate of these issuers", tls.client_ca)
      .texts("--upstream", "ADDR:PORT", "Where requests go, in turn (repeatable)", upstream)
      .text("--upstream-http", "h1|h2|auto", "What to speak to upstreams; default: h1",
            upstream_http)
      .checked(why_no_alpn)
      .integer("--threads", "N", "Threads; default: one for each core", threads, 1, 1024)
      .flag("--no-work-stealing", "Let nobody help a thread that is stuck", no_work_stealing)
      .command_line_only()  // the file has work_stealing
      .flag("--h2c", "Let clients speak HTTP/2 by prior knowledge too", h2c)
      .flag("--access-log", "Print a line for each request", access_log)
      .flag("--upstream-tls", "Talk TLS to the upstreams", upstream_tls.is_on)
      .text("--sni", "NAME", "Name to ask upstreams for and to verify; default: as in --upstream",
            upstream_tls.sni)
      .text("--upstream-ca", "FILE", "Whom to trust (PEM); default: as the system does",
            upstream_tls.ca)
      .text("--upstream-cert", "FILE", "Certificate to show to upstreams (PEM)",
            upstream_tls.certificate)
      .text("--upstream-key", "FILE", "Its key; default: in the same file", upstream_tls.key)
      .flag("--insecure-upstream", "Do not verify the certificates of upstreams",
            upstream_tls.is_insecure);
  pingora::Opt opt = pingora::Opt::parse(argc, argv, program);
  auto configuration = pingora::Configuration::load(opt, program);
  if (!configuration) pingora::exit_with_error(configuration.error());
  if (threads) configuration->threads = static_cast<unsigned>(*threads);
  if (no_work_stealing) configuration->work_stealing = false;
  if (listen.empty() && tls.listen.empty()) {
    exit_with_mistake(opt, "listen", "--listen is missing");
  }
  if (upstream.empty()) exit_with_mistake(opt, "upstream", "--upstream is missing");

  Upstreams upstreams{parse_upstreams(opt, upstream, upstream_tls)};
  for (auto& peer : upstreams.peers) peer.options.alpn = *parse_alpn(upstream_http);
  pingora::Server server(*configuration, opt);
  auto service = access_log ? pingora::http_proxy_service(server, LoggingProxy(upstreams))
                            : pingora::http_proxy_service(server, Proxy(upstreams));
  pingora::EndpointOptions endpoint;
  endpoint.enable_h2c = h2c;
  for (const std::string& address : listen) service.add_tcp_with_settings(address, endpoint);
  add_tls(service, opt, tls);
  server.add_service(std::move(service));
  server.run_forever();
}
