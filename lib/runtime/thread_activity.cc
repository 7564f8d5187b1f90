// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "thread_activity.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace pingora {

static_assert(sizeof(clockid_t) == sizeof(int));

ThreadActivity::~ThreadActivity() {
  int file = status_file_.load();
  if (file >= 0) ::close(file);
}

void ThreadActivity::attach() noexcept {
  status_file_.store(::open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC));
  clockid_t clock{};
  if (::pthread_getcpuclockid(::pthread_self(), &clock) == 0) clock_.store(clock);
}

std::chrono::nanoseconds ThreadActivity::cpu_time() const noexcept {
  int clock = clock_.load();
  timespec time{};
  if (clock == 0 || ::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// proc_pid_stat(5): number, name in parentheses, state. A name has 15 bytes at most, and may have
// parentheses of its own.
bool ThreadActivity::is_runnable() const noexcept {
  int file = status_file_.load();
  std::array<char, 64> text;
  ssize_t size = file < 0 ? -1 : ::pread(file, text.data(), text.size(), 0);
  if (size <= 0) return false;
  std::string_view fields(text.data(), static_cast<std::size_t>(size));
  std::size_t name_end = fields.rfind(')');
  return name_end != std::string_view::npos && fields.substr(name_end + 1).starts_with(" R");
}

}  // namespace pingora
