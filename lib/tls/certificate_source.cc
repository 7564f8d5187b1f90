// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/certificate_source.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <utility>

#include "pingora/base/log.h"
#include "tls/certificate_data.h"
#include "tls/certificate_directory.h"
#include "tls/ocsp.h"

namespace pingora::internal {
namespace {

bool is_same(const CRYPTO_BUFFER* a, const CRYPTO_BUFFER* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return CRYPTO_BUFFER_len(a) == CRYPTO_BUFFER_len(b) &&
         std::memcmp(CRYPTO_BUFFER_data(a), CRYPTO_BUFFER_data(b), CRYPTO_BUFFER_len(a)) == 0;
}

// Whether the files have not changed. The key needs no look: it fits the certificate.
bool is_same(const Certificate& a, const Certificate& b) {
  const CertificateData& x = a.data();
  const CertificateData& y = b.data();
  if (x.chain.size() != y.chain.size() || !is_same(x.ocsp.get(), y.ocsp.get())) return false;
  for (std::size_t i = 0; i < x.chain.size(); ++i) {
    if (!is_same(x.chain[i].get(), y.chain[i].get())) return false;
  }
  return true;
}

bool is_expired(const Certificate& certificate) {
  return certificate.not_after() < std::chrono::system_clock::now();
}

Result<Certificate::Ptr> load_one(const CertificateFiles& files) {
  Result<Certificate::Ptr> certificate = Certificate::load(files);
  if (certificate && is_expired(**certificate)) {
    log_warn("{}: the certificate has expired", files.certificate);
  }
  // Which says so where it has expired.
  if (certificate) ocsp_to_staple((*certificate)->data(), std::chrono::system_clock::now());
  return certificate;
}

}  // namespace

CertificateSource::CertificateSource(Certificate::Ptr certificate) {
  loaded_.push_back({.files{}, .certificate = std::move(certificate)});
}

CertificateSource::CertificateSource(CertificateFiles files) {
  loaded_.push_back({.files = std::move(files), .certificate = nullptr});
}

void CertificateSource::Failures::add(Error error) {
  ++count;
  log_error("certificates: {}; what was there stays", error.context());
  if (errors.empty()) errors.push_back(std::move(error));
}

std::vector<CertificateFiles> CertificateSource::known_files() const {
  std::vector<CertificateFiles> files;
  files.reserve(loaded_.size());
  for (const Loaded& loaded : loaded_) files.push_back(loaded.files);
  return files;
}

Result<void> CertificateSource::load() {
  if (!directory_.empty()) {
    auto found = find_certificates(directory_, {});
    if (!found) return fail(std::move(found.error()));
    if (found->empty()) {
      return fail(ErrorType::InvalidCert,
                  fmt::format("{}: no certificate with a key in this directory", directory_));
    }
    for (CertificateFiles& files : *found) {
      loaded_.push_back({.files = std::move(files), .certificate = nullptr});
    }
  }
  for (Loaded& loaded : loaded_) {
    if (loaded.certificate) continue;
    Result<Certificate::Ptr> certificate = load_one(loaded.files);
    if (!certificate) return fail(std::move(certificate.error()));
    loaded.certificate = std::move(*certificate);
  }
  return {};
}

// The certificate that is to be used from now on; null: none.
Certificate::Ptr CertificateSource::reload_one(const CertificateFiles& files,
                                               Failures& failures) const {
  Certificate::Ptr old;
  for (const Loaded& loaded : loaded_) {
    if (loaded.files.certificate == files.certificate) old = loaded.certificate;
  }
  Result<Certificate::Ptr> next = load_one(files);
  if (!next) {
    failures.add(std::move(next.error()));
    return old;
  }
  if (old && is_same(*old, **next)) return old;
  if (old && is_expired(**next) && !is_expired(*old)) {
    failures.add(Error::explain(ErrorType::InvalidCert,
                                fmt::format("{}: has expired already", files.certificate)));
    return old;
  }
  log_info("certificates: {}: a new one, {}, serial number {}", files.certificate,
           (*next)->subject(), (*next)->serial_number());
  return *next;
}

void CertificateSource::reload(Failures& failures) {
  std::vector<CertificateFiles> files = known_files();
  if (!directory_.empty()) {
    auto found = find_certificates(directory_, files);
    if (!found) return failures.add(std::move(found.error()));
    if (found->empty()) {
      return failures.add(
          Error::explain(ErrorType::InvalidCert, directory_ + ": no certificate is left in it"));
    }
    files = std::move(*found);
  } else if (files.front().certificate.empty()) {
    return;
  }
  std::vector<Loaded> next;
  for (CertificateFiles& one : files) {
    Certificate::Ptr certificate = reload_one(one, failures);
    if (certificate) next.push_back({.files = std::move(one), .certificate = certificate});
  }
  // All of another name, and all bad: nothing would be left.
  if (!next.empty()) loaded_ = std::move(next);
}

}  // namespace pingora::internal
