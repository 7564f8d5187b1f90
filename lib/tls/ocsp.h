// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/base.h>

#include <string_view>

#include "pingora/base/error.h"
#include "pingora/tls/certificate.h"

namespace pingora::internal {

/// What is looked at in an OCSP response (RFC 6960 §4.2.1, DER), which is the client's to check:
/// that it is one and reports no failure, and until when it is good: the earliest `nextUpdate` in
/// it, or the end of the clock where that cannot be told. Errors: InvalidCert, whose context says
/// what it is.
Result<Certificate::Time> ocsp_good_until(std::string_view der);

/// What is stapled for the certificate, or null: there is none, or it is good no longer, which the
/// log says once.
const CRYPTO_BUFFER* ocsp_to_staple(const CertificateData& certificate, Certificate::Time now);

}  // namespace pingora::internal
