// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "server/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "pingora/net/unique_fd.h"

namespace pingora::internal {

std::string_view program_name() noexcept { return ::program_invocation_short_name; }

void raise_open_files_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // if not, it stays what it is
}

Result<PidFile> PidFile::write(const std::string& path) {
  std::string text = std::to_string(::getpid()) + "\n";
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.is_valid() ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    std::string shown = "pid_file: cannot write ";
    append_escaped(shown, path);
    return fail(Error::from_errno(ErrorType::FileOpenError, errno, shown));
  }
  PidFile written;
  written.path_ = path;
  return written;
}

PidFile::~PidFile() {
  if (path_.empty()) return;
  UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_valid()) return;
  char text[32];
  ssize_t size = ::read(file.get(), text, sizeof(text));
  std::string ours = std::to_string(::getpid()) + "\n";
  if (size > 0 && std::string_view(text, static_cast<std::size_t>(size)) == ours) {
    ::unlink(path_.c_str());
  }
}

}  // namespace pingora::internal
