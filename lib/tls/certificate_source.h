// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "pingora/base/error.h"
#include "pingora/tls/certificate.h"

namespace pingora::internal {

/// Where certificates of a store come from: a program, two files, or a directory of them.
class CertificateSource {
 public:
  explicit CertificateSource(Certificate::Ptr certificate);
  explicit CertificateSource(CertificateFiles files);
  explicit CertificateSource(std::string directory) : directory_(std::move(directory)) {}

  /// Reads everything for the first time: all of it must be usable.
  Result<void> load();
  /// What could not be read again, and so is as it was.
  struct Failures {
    std::size_t count = 0;
    std::vector<Error> errors;  // the first only
    void add(Error error);
  };
  /// Reads everything again; what is bad stays as it is.
  void reload(Failures& failures);

  struct Loaded {
    CertificateFiles files;  // empty: not from files
    Certificate::Ptr certificate;
  };
  const std::vector<Loaded>& loaded() const noexcept { return loaded_; }
  /// Empty unless it is one.
  const std::string& directory() const noexcept { return directory_; }

 private:
  std::vector<CertificateFiles> known_files() const;
  Certificate::Ptr reload_one(const CertificateFiles& files, Failures& failures) const;

  std::string directory_;
  std::vector<Loaded> loaded_;
};

}  // namespace pingora::internal
