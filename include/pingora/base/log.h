// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <string_view>

namespace pingora {

enum class LogLevel : unsigned char { Trace, Debug, Info, Warn, Error, Off };

std::string_view to_string(LogLevel level) noexcept;

/// Where log lines go. `write` is called from any thread, one line at a time per call, without a
/// line end; it must not throw and should not block for long.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view line) noexcept = 0;
};

/// Replaces the sink, which must outlive every later log call; null restores the default, which
/// writes a time stamp, the level and the line to standard error with one `write(2)`.
void set_log_sink(LogSink* sink) noexcept;
/// Lines below `level` are dropped before they are formatted. Default: Warn.
void set_log_level(LogLevel level) noexcept;

namespace internal {
inline std::atomic<LogLevel> log_level{LogLevel::Warn};
void log_line(LogLevel level, fmt::string_view format, fmt::format_args args) noexcept;
}  // namespace internal

inline bool is_log_enabled(LogLevel level) noexcept {
  return level >= internal::log_level.load(std::memory_order_relaxed);
}

/// Logs one line. What peers sent must be passed through `append_escaped` first.
template <class... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) noexcept {
  if (is_log_enabled(level)) {
    internal::log_line(level, format, fmt::make_format_args(args...));
  }
}
template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) noexcept {
  log(LogLevel::Debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) noexcept {
  log(LogLevel::Info, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) noexcept {
  log(LogLevel::Warn, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) noexcept {
  log(LogLevel::Error, format, std::forward<Args>(args)...);
}

}  // namespace pingora
