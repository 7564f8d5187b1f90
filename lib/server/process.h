// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "pingora/base/error.h"

namespace pingora::internal {

/// The name that this program was started by, without directories.
std::string_view program_name() noexcept;

/// Lets the process have as many open files as it may without asking anybody.
void raise_open_files_limit() noexcept;

/// A file with the id of this process, removed again if that still stands there.
class PidFile {
 public:
  /// Errors: FileOpenError, with a `context()` of one line.
  static Result<PidFile> write(const std::string& path);
  PidFile() noexcept = default;
  PidFile(PidFile&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  PidFile& operator=(PidFile&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~PidFile();

 private:
  std::string path_;  // empty: none
};

}  // namespace pingora::internal
