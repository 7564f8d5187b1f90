// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "pingora/base/error.h"
#include "pingora/tls/certificate.h"

namespace pingora::internal {

/// The certificates that are in a directory, in the order of `CertificateStore::add_directory`.
/// Those that have no key beside them are left out, unless they are among `known`. Errors:
/// FileOpenError, with one line as context.
Result<std::vector<CertificateFiles>> find_certificates(const std::string& directory,
                                                        const std::vector<CertificateFiles>& known);

}  // namespace pingora::internal
