// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// A proxy whose TLS is set on the command line, for tests of what pingora-proxy has no option for.
// Each response tells what the handshake has come to, in the field X-TLS.
#include "pingora/pingora.h"

namespace {

using pingora::TlsSettings;

std::string describe(const pingora::SslDigest& tls) {
  std::string text = fmt::format("{} {} alpn={} resumed={} sni=", tls.version, tls.cipher, tls.alpn,
                                 tls.is_resumed ? 1 : 0);
  pingora::append_escaped(text, tls.server_name);
  text += fmt::format(" serial={} subject=", tls.serial_number);
  pingora::append_escaped(text, tls.subject);
  if (const auto* kept = std::any_cast<std::string>(&tls.extension)) text += " kept=" + *kept;
  return text;
}

class Proxy : public pingora::ProxyHttp<> {
 public:
  explicit Proxy(pingora::HttpPeer peer) : peer_(std::move(peer)) {}

  pingora::Task<pingora::HttpPeer> upstream_peer(pingora::Session&, Context&) override {
    return peer_;
  }
  pingora::Task<> response_filter(pingora::Session& session, pingora::ResponseHeader& response,
                                  Context&) override {
    if (const auto& tls = session.digest().ssl) {
      auto inserted = response.insert_header("X-TLS", describe(*tls));
      if (!inserted) return std::move(inserted.error());
    }
    return {};
  }

 private:
  pingora::HttpPeer peer_;
};

// Takes its time for everything, refuses clients with "refused" in their subject, and keeps a word.
class Callbacks : public pingora::TlsAccept {
 public:
  explicit Callbacks(std::shared_ptr<pingora::CertificateStore> late) : late_(std::move(late)) {}

  pingora::Task<pingora::Certificate::Ptr> certificate(const pingora::ClientHello& hello) override {
    co_await pingora::sleep_for(std::chrono::milliseconds(10));
    if (hello.server_name == "nobody.test") co_return pingora::Error::internal("not for nobody");
    co_return late_->find(hello.server_name, hello.accepted_keys);
  }
  pingora::Task<> verify_client(const pingora::ClientCertificate& certificate,
                                const pingora::Error* failure) override {
    co_await pingora::sleep_for(std::chrono::milliseconds(10));
    if (failure != nullptr) co_await failure->clone();
    if (certificate.subject.find("refused") != std::string::npos) {
      co_await pingora::Error::explain(pingora::ErrorType::InvalidCert, "refused by the program");
    }
  }
  pingora::Task<> handshake_complete(pingora::SslDigest& digest) override {
    co_await pingora::sleep_for(std::chrono::milliseconds(10));
    digest.extension = "for " + digest.server_name;
  }

 private:
  std::shared_ptr<pingora::CertificateStore> late_;
};

template <class T>
T value_or_exit(pingora::Result<T> result) {
  if (!result) pingora::exit_with_error(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

struct Options {
  std::string listen;
  std::string upstream;
  std::string cert;
  std::string key;
  std::string ocsp;
  std::string cert_dir;
  std::string callback_cert_dir;
  std::string client_ca;
  std::string key_log;
  bool modern = false;
  bool client_optional = false;
  bool unknown_name_alert = false;
  bool early_data = false;
  bool h2 = false;
  bool no_tickets = false;
  std::int64_t handshake_timeout = 15'000;
  std::int64_t handshakes_max = 4096;
  std::int64_t rotate_after = 0;
};

TlsSettings settings_of(const Options& options) {
  auto store = std::make_shared<pingora::CertificateStore>();
  if (!options.cert.empty()) {
    value_or_exit(
        store->add_files({.certificate = options.cert, .key = options.key, .ocsp = options.ocsp}));
  }
  if (!options.cert_dir.empty()) value_or_exit(store->add_directory(options.cert_dir));
  TlsSettings settings =
      options.modern ? TlsSettings::modern(store) : TlsSettings::intermediate(store);
  if (!options.callback_cert_dir.empty()) {
    auto late = std::make_shared<pingora::CertificateStore>();
    value_or_exit(late->add_directory(options.callback_cert_dir));
    settings.callbacks = std::make_shared<Callbacks>(std::move(late));
  }
  if (!options.client_ca.empty()) {
    settings.client_ca_file = options.client_ca;
    settings.client_certificates = options.client_optional ? pingora::ClientCertificates::Optional
                                                           : pingora::ClientCertificates::Required;
  }
  if (options.unknown_name_alert) settings.unknown_name = pingora::UnknownName::Alert;
  if (options.early_data) settings.early_data = pingora::EarlyData::On;
  if (options.h2) settings.enable_h2();
  if (options.no_tickets) settings.session_tickets = pingora::SessionTickets::Off;
  settings.key_log_file = options.key_log;
  settings.handshake_timeout = std::chrono::milliseconds(options.handshake_timeout);
  settings.handshakes_max = static_cast<std::size_t>(options.handshakes_max);
  if (options.rotate_after != 0) {
    settings.ticket_keys = std::make_shared<pingora::TicketKeys>(
        pingora::TicketKeys::Options{.rotate_after = std::chrono::seconds(options.rotate_after)});
  }
  return settings;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::int64_t threads = 1;
  pingora::ProgramOptions program("A proxy with TLS, for tests.");
  program.text("--listen", "ADDR:PORT", "Where to listen, with TLS", options.listen)
      .text("--upstream", "ADDR:PORT", "Where requests go", options.upstream)
      .text("--cert", "FILE", "The certificate", options.cert)
      .text("--key", "FILE", "Its key", options.key)
      .text("--ocsp", "FILE", "Its OCSP response", options.ocsp)
      .text("--cert-dir", "DIR", "A directory of certificates", options.cert_dir)
      .text("--callback-cert-dir", "DIR", "... that a callback chooses from",
            options.callback_cert_dir)
      .text("--client-ca", "FILE", "Clients need a certificate", options.client_ca)
      .text("--key-log", "FILE", "Where keys are logged", options.key_log)
      .flag("--modern", "The profile", options.modern)
      .flag("--client-optional", "... but only if they have one", options.client_optional)
      .flag("--unknown-name-alert", "No default certificate", options.unknown_name_alert)
      .flag("--early-data", "0-RTT", options.early_data)
      .flag("--h2", "HTTP/2, by ALPN", options.h2)
      .flag("--no-tickets", "No session tickets", options.no_tickets)
      .integer("--handshake-timeout", "MS", "The deadline", options.handshake_timeout)
      .integer("--handshakes-max", "N", "The limit", options.handshakes_max)
      .integer("--rotate-after", "S", "How long a ticket key seals", options.rotate_after)
      .integer("--threads", "N", "Threads", threads, 1, 1024);
  pingora::Opt opt = pingora::Opt::parse(argc, argv, program);
  auto configuration = value_or_exit(pingora::Configuration::load(opt));
  configuration.threads = static_cast<unsigned>(threads);

  pingora::set_log_level(pingora::LogLevel::Debug);
  pingora::Server server(configuration, opt);
  auto service = pingora::http_proxy_service(
      server, Proxy(value_or_exit(pingora::HttpPeer::parse(options.upstream))));
  service.add_tls(options.listen, settings_of(options));
  server.add_service(std::move(service));
  server.run_forever();
}
