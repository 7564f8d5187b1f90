// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/x509.h>

#include <string>
#include <string_view>
#include <vector>

namespace pingora::internal {

/// A name in one line: "CN=example.com,O=Example" (RFC 2253, what is not printable escaped).
std::string name_text(const X509_NAME* name);
/// The first value of one kind in a name (`NID_organizationName`), as UTF-8; empty if there is
/// none. A peer's bytes: not escaped.
std::string name_entry(const X509_NAME* name, int nid);
/// The serial number in hexadecimal, upper case, two digits for each byte.
std::string serial_text(const X509& certificate);
/// The host names that a certificate is for, in lower case: see `Certificate::names`.
std::vector<std::string> host_names(X509& certificate);
/// SHA-256 of DER, 32 bytes.
std::string sha256_of(std::string_view der);

}  // namespace pingora::internal
