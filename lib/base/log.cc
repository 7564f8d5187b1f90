// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/log.h"

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <exception>
#include <iterator>

namespace pingora {
namespace {

class StandardErrorSink final : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) noexcept override {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tm parts{};
    ::gmtime_r(&now.tv_sec, &parts);
    try {
      fmt::memory_buffer out;
      fmt::format_to(std::back_inserter(out),
                     "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {:5} {}\n", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     now.tv_nsec / 1000000, pingora::to_string(level), line);
      // A line that cannot be written has nowhere else to go.
      [[maybe_unused]] auto written = ::write(STDERR_FILENO, out.data(), out.size());
    } catch (const std::exception&) {  // out of memory: the line is lost, the request is not
    }
  }
};

// Never destroyed: other static objects and detached threads log while the process ends.
union StandardError {
  constexpr StandardError() : sink{} {}
  constexpr ~StandardError() {}
  StandardErrorSink sink;
};

constinit StandardError standard_error;
constinit std::atomic<LogSink*> current_sink{&standard_error.sink};

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::Trace: return "TRACE";
    case LogLevel::Debug: return "DEBUG";
    case LogLevel::Info: return "INFO";
    case LogLevel::Warn: return "WARN";
    case LogLevel::Error: return "ERROR";
    case LogLevel::Off: return "OFF";
  }
  return "";
}

void set_log_sink(LogSink* sink) noexcept {
  current_sink.store(sink != nullptr ? sink : &standard_error.sink, std::memory_order_release);
}

void set_log_level(LogLevel level) noexcept {
  internal::log_level.store(level, std::memory_order_relaxed);
}

namespace internal {

void log_line(LogLevel level, fmt::string_view format, fmt::format_args args) noexcept {
  int error_number = errno;  // the caller may want to look at it after it has logged
  try {
    fmt::memory_buffer line;
    fmt::vformat_to(std::back_inserter(line), format, args);
    current_sink.load(std::memory_order_acquire)->write(level, {line.data(), line.size()});
  } catch (const std::exception&) {  // a format error or no memory must not fail a request
  }
  errno = error_number;
}

}  // namespace internal

}  // namespace pingora
