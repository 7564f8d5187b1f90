// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/read_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "pingora/net/unique_fd.h"

namespace pingora::internal {

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  // A FIFO without a writer must not hold us up.
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) {
    return std::unexpected(Error::from_errno(ErrorType::FileOpenError, errno, path));
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) {
    return std::unexpected(Error::from_errno(ErrorType::FileReadError, errno, path));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorType::FileReadError, fmt::format("{}: is no file", path));
  }
  std::string text;
  char piece[16 * 1024];
  for (;;) {
    ssize_t got = ::read(file.get(), piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return std::unexpected(Error::from_errno(ErrorType::FileReadError, errno, path));
    }
    if (got == 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
    if (text.size() > bytes_max) {
      return fail(ErrorType::FileReadError,
                  fmt::format("{}: has more than {} bytes", path, bytes_max));
    }
  }
}

}  // namespace pingora::internal
