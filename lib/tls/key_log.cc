// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/key_log.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

namespace pingora {

Result<std::shared_ptr<KeyLog>> KeyLog::open(const std::string& file) {
  UniqueFd fd(::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
  if (!fd.is_valid()) {
    return fail(Error::from_errno(ErrorType::FileOpenError, errno, "key log " + file));
  }
  return std::make_shared<KeyLog>(std::move(fd));
}

void KeyLog::append(std::string_view line) noexcept {
  // In one call, so that the lines of several threads and processes do not mix.
  char end = '\n';
  std::array<iovec, 2> pieces{{{const_cast<char*>(line.data()), line.size()}, {&end, 1}}};
  [[maybe_unused]] ssize_t written = ::writev(file_.get(), pieces.data(), pieces.size());
}

}  // namespace pingora
