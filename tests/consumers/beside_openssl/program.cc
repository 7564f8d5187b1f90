// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Three users of TLS in one process: Pingora on BoringSSL, libcurl on OpenSSL, and this program on
// OpenSSL. libcurl and Pingora each make requests of a server that is Pingora's.
#include <curl/curl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pingora/pingora.h>
#include <pingora/tls/handshake.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::exit(1);
}

std::string take(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

struct Pem {
  std::string certificate;
  std::string key;
};

// A certificate for origin.test, made by OpenSSL.
Pem make_certificate() {
  EVP_PKEY* key = EVP_EC_gen("P-256");  // which BoringSSL does not have
  X509* made = X509_new();
  X509_set_version(made, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -60);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_set_pubkey(made, key);
  X509_NAME* name = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("origin.test"), -1, -1, 0);
  X509_set_issuer_name(made, name);
  X509_EXTENSION* names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:origin.test");
  X509_add_ext(made, names, -1);
  X509_EXTENSION_free(names);
  require(X509_sign(made, key, EVP_sha256()) > 0, "signing");
  Pem pem;
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, made);
  pem.certificate = take(out);
  out = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  pem.key = take(out);
  X509_free(made);
  EVP_PKEY_free(key);
  return pem;
}

pingora::Task<> answer(std::unique_ptr<pingora::Stream> stream,
                       const pingora::TlsServerContext& context) {
  auto tls = co_await pingora::tls_accept(std::move(stream), pingora::Buffer(), context);
  pingora::Buffer request;
  while (request.view().find("\r\n\r\n") == std::string_view::npos) {
    if (co_await tls->read(request) == 0) co_return;
  }
  co_await tls->write({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"});
}

pingora::Task<> serve(pingora::Listener& listener, const pingora::TlsServerContext& context) {
  pingora::Worker& worker = (co_await pingora::current_strand()).worker();
  listener.start(worker);
  for (;;) {
    pingora::Accepted accepted = co_await listener.accept();
    auto stream = std::make_unique<pingora::SocketStream>(worker, accepted.fd.release(),
                                                          std::move(accepted.peer));
    auto ended = co_await answer(std::move(stream), context).as_result();
    require(ended.has_value(), "Pingora's server");
  }
}

pingora::Task<std::string> get(pingora::TransportConnector& connector, pingora::HttpPeer peer) {
  auto connected = co_await connector.connect(peer);
  co_await connected.stream->write({"GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n"});
  pingora::Buffer answer;
  while (co_await connected.stream->read(answer) != 0) {
  }
  co_return std::string(answer.view()) + connected.stream->digest().ssl->version;
}

std::size_t append(char* data, std::size_t size, std::size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

std::string get_by_curl(std::uint16_t port, const Pem& pem) {
  CURL* curl = curl_easy_init();
  std::string body;
  std::string url = "https://origin.test:" + std::to_string(port) + "/";
  std::string where = "origin.test:" + std::to_string(port) + ":127.0.0.1";
  curl_slist* resolve = curl_slist_append(nullptr, where.c_str());
  curl_blob ca{const_cast<char*>(pem.certificate.data()), pem.certificate.size(), CURL_BLOB_COPY};
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
  CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) std::fprintf(stderr, "%s\n", curl_easy_strerror(code));
  require(code == CURLE_OK, "a request by libcurl");
  curl_easy_cleanup(curl);
  curl_slist_free_all(resolve);
  return body;
}

}  // namespace

int main() {
  require(std::string(OpenSSL_version(OPENSSL_VERSION)).starts_with("OpenSSL "),
          "OpenSSL's version");
  require(std::string(curl_version()).find(" OpenSSL/") != std::string::npos, "libcurl on OpenSSL");
  SSL_CTX* own = SSL_CTX_new(TLS_client_method());
  require(own != nullptr && SSL_CTX_set_ciphersuites(own, "TLS_AES_128_GCM_SHA256") == 1,
          "a context of OpenSSL's");
  Pem pem = make_certificate();

  auto certificate = pingora::Certificate::from_pem(pem.certificate, pem.key);
  require(certificate.has_value(), "the certificate, read by BoringSSL");
  auto certificates = std::make_shared<pingora::CertificateStore>();
  certificates->add(*certificate);
  auto context =
      pingora::TlsServerContext::create(pingora::TlsSettings::intermediate(certificates));
  require(context.has_value(), "Pingora's context");

  auto listener = pingora::Listener::bind(*pingora::SocketAddress::parse("127.0.0.1:0"));
  require(listener.has_value(), "a listener");
  const std::uint16_t port = listener->local_address().port();
  pingora::Runtime runtime(pingora::RuntimeOptions{.threads = 2, .name = "consumer"});
  runtime.start();
  pingora::TransportConnector connector;
  {
    pingora::TaskGroup group(runtime);
    group.spawn(serve(*listener, **context));
    pingora::HttpPeer peer(listener->local_address(), pingora::Tls::Yes, "origin.test");
    peer.options.edit_rare().ca = std::make_shared<const std::string>(pem.certificate);
    for (int i = 0; i < 3; ++i) {
      require(get_by_curl(port, pem) == "hello", "an answer for libcurl");
      auto answer = pingora::block_on(runtime, get(connector, peer));
      require(answer && answer->ends_with("helloTLSv1.3"), "an answer for Pingora");
    }
    group.cancel();
    group.join_blocking();
  }
  SSL* ssl = SSL_new(own);
  require(ssl != nullptr, "OpenSSL after all that");
  SSL_free(ssl);
  SSL_CTX_free(own);
  std::printf("%s, %s and pingora %.*s\n", OpenSSL_version(OPENSSL_VERSION), curl_version(),
              static_cast<int>(pingora::kVersion.size()), pingora::kVersion.data());
}
