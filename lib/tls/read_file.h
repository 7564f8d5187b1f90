// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "pingora/base/error.h"

namespace pingora::internal {

/// The largest file of certificates or keys that is read.
inline constexpr std::size_t kTlsFileBytesMax = 1024 * 1024;

/// What is in a file. The error's context is one line with its name. Errors: FileOpenError,
/// FileReadError (also for what is no file, or larger than `bytes_max`).
Result<std::string> read_file(const std::string& path, std::size_t bytes_max = kTlsFileBytesMax);

}  // namespace pingora::internal
