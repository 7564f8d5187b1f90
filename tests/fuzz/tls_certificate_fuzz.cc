// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <string_view>

#include "pingora/base/assert.h"
#include "pingora/tls/certificate.h"
#include "tls/certificate_index.h"

// Files of certificates, keys and OCSP responses: the input is the three, with a zero byte between
// them. What is accepted can be found by its names, and what is refused is refused in one line.

using namespace pingora;

namespace {

std::string_view next_part(std::string_view& rest) {
  std::size_t end = rest.find('\0');
  std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

// Stands for a key that the input does not have to hit.
class NoSigner : public PrivateKeySigner {
 public:
  Task<Bytes> sign(SignatureScheme, Bytes) override { return Error::internal("not here"); }
};

void check(const Result<Certificate::Ptr>& result) {
  if (!result) {
    PINGORA_ASSERT(!result.error().context().empty());
    PINGORA_ASSERT(result.error().context().find('\n') == std::string_view::npos);
    return;
  }
  const Certificate& certificate = **result;
  PINGORA_ASSERT(certificate.sha256().size() == 32);
  internal::CertificateIndex index;
  index.add(*result);
  PINGORA_ASSERT(index.default_certificate({}) == *result);
  for (const std::string& name : certificate.names()) {
    PINGORA_ASSERT(!name.empty() && name.size() <= 253);
    if (!name.starts_with('*')) PINGORA_ASSERT(index.find(name, {}) == *result);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto signer = std::make_shared<NoSigner>();
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string_view chain = next_part(rest);
  std::string_view key = next_part(rest);
  check(Certificate::from_pem(chain, key, rest));
  check(Certificate::with_signer(chain, signer, rest));
  return 0;
}
