// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "pingora/base/error.h"

namespace pingora::internal {

/// Why the last operation of BoringSSL in this thread failed, in words that a person can act on.
/// Empties the thread's queue of errors.
std::string take_tls_error_text();

/// An error of `type` that says that, behind what was being done.
Error take_tls_error(ErrorType type, std::string_view doing);

/// Our words for an alert that the peer has sent: what it complains of.
std::string alert_text(int alert);

}  // namespace pingora::internal
