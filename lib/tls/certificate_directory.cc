// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/certificate_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "pingora/base/log.h"
#include "tls/read_file.h"

namespace pingora::internal {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool is_known(const std::vector<CertificateFiles>& known, const std::string& certificate) {
  return std::any_of(known.begin(), known.end(), [&](const CertificateFiles& files) {
    return files.certificate == certificate;
  });
}

std::string ocsp_beside(fs::path path) {
  path.replace_extension(".ocsp");
  return is_there(path) ? path.string() : std::string();
}

// What certbot (fullchain.pem, privkey.pem) and Kubernetes (tls.crt, tls.key) make of a directory.
std::optional<CertificateFiles> conventional_pair(const fs::path& directory) {
  using Pair = std::pair<const char*, const char*>;
  for (auto [certificate, key] :
       {Pair("fullchain.pem", "privkey.pem"), Pair("tls.crt", "tls.key")}) {
    if (!is_there(directory / certificate) || !is_there(directory / key)) continue;
    return CertificateFiles{.certificate = (directory / certificate).string(),
                            .key = (directory / key).string(),
                            .ocsp = ocsp_beside(directory / certificate)};
  }
  return std::nullopt;
}

// NAME.crt or NAME.pem with NAME.key, or a NAME.pem with both in it.
std::optional<CertificateFiles> pair_of(const fs::path& path,
                                        const std::vector<CertificateFiles>& known) {
  if (path.extension() != ".crt" && path.extension() != ".pem") return std::nullopt;
  fs::path key = path;
  key.replace_extension(".key");
  CertificateFiles files{
      .certificate = path.string(), .key = key.string(), .ocsp = ocsp_beside(path)};
  if (is_there(key)) return files;
  if (path.extension() == ".pem") {
    Result<std::string> text = read_file(path.string());
    if (text && text->find("PRIVATE KEY-----") != std::string::npos) {
      files.key = files.certificate;
      return files;
    }
  }
  if (is_known(known, files.certificate)) return files;
  log_warn("{}: passed over: there is no {}", path.string(), key.filename().string());
  return std::nullopt;
}

Result<std::vector<fs::path>> list(const std::string& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator next(directory, error);
  while (!error && next != fs::directory_iterator()) {
    entries.push_back(next->path());
    next.increment(error);
  }
  if (error) {
    return fail(ErrorType::FileOpenError, fmt::format("{}: {}", directory, error.message()));
  }
  std::sort(entries.begin(), entries.end(), [](const fs::path& a, const fs::path& b) {
    bool a_is_later = a.stem() != "default";
    bool b_is_later = b.stem() != "default";
    return std::pair(a_is_later, a) < std::pair(b_is_later, b);
  });
  return entries;
}

}  // namespace

Result<std::vector<CertificateFiles>> find_certificates(
    const std::string& directory, const std::vector<CertificateFiles>& known) {
  Result<std::vector<fs::path>> entries = list(directory);
  if (!entries) return fail(std::move(entries.error()));
  std::vector<CertificateFiles> found;
  std::optional<CertificateFiles> conventional = conventional_pair(directory);
  if (conventional) found.push_back(*conventional);
  for (const fs::path& path : *entries) {
    // What Kubernetes keeps beside its links, and editors beside their files.
    if (path.filename().string().starts_with('.')) continue;
    std::error_code ignored;
    std::optional<CertificateFiles> pair;
    if (fs::is_directory(path, ignored)) {
      pair = conventional_pair(path);
    } else if (!conventional) {
      pair = pair_of(path, known);
    }
    if (pair) found.push_back(std::move(*pair));
  }
  return found;
}

}  // namespace pingora::internal
