// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pingora/base/error.h"
#include "pingora/net/unique_fd.h"

namespace pingora {

/// A file of secrets, in the format that Wireshark reads (SSLKEYLOGFILE): whoever reads it reads
/// the connections. For debugging only. Shared by contexts; any thread.
class KeyLog {
 public:
  /// Appends to `file`, which is made readable by its owner alone if it is not there yet.
  /// Errors: FileOpenError.
  static Result<std::shared_ptr<KeyLog>> open(const std::string& file);
  explicit KeyLog(UniqueFd file) noexcept : file_(std::move(file)) {}
  /// Appends `line` and a line end. What cannot be written is lost.
  void append(std::string_view line) noexcept;

 private:
  UniqueFd file_;
};

}  // namespace pingora
