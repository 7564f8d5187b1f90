// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using pingora::LogLevel;
using pingora::LogSink;

namespace {

class KeepingSink final : public LogSink {
 public:
  KeepingSink() { pingora::set_log_sink(this); }
  ~KeepingSink() override {
    pingora::set_log_sink(nullptr);
    pingora::set_log_level(LogLevel::Warn);
  }
  void write(LogLevel level, std::string_view line) noexcept override {
    lines.emplace_back(level, line);
    errno = EIO;
  }
  std::vector<std::pair<LogLevel, std::string>> lines;
};

struct ThrowsWhenFormatted {};

// Standard error as a pipe, for as long as this lives.
class CapturedStandardError {
 public:
  CapturedStandardError() : saved_(::dup(STDERR_FILENO)) {
    REQUIRE(::pipe2(pipe_.data(), O_CLOEXEC) == 0);
    ::dup2(pipe_[1], STDERR_FILENO);
  }
  ~CapturedStandardError() {
    restore();
    ::close(pipe_[0]);
  }
  std::string text() {
    restore();
    std::string out(4096, '\0');
    ssize_t size = ::read(pipe_[0], out.data(), out.size());
    out.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return out;
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    ::close(pipe_[1]);
    saved_ = -1;
  }
  int saved_;
  std::array<int, 2> pipe_{};
};

}  // namespace

template <>
struct fmt::formatter<ThrowsWhenFormatted> : fmt::formatter<int> {
  template <class Context>
  auto format(const ThrowsWhenFormatted&, Context& context) const -> decltype(context.out()) {
    throw std::runtime_error("no");
  }
};

TEST_CASE("Log: lines below the level are dropped", "[log]") {
  KeepingSink sink;
  pingora::set_log_level(LogLevel::Info);
  CHECK_FALSE(pingora::is_log_enabled(LogLevel::Debug));
  CHECK(pingora::is_log_enabled(LogLevel::Info));
  pingora::log_debug("dropped {}", 1);
  pingora::log_info("info {}", 2);
  pingora::log_warn("warn {}", "three");
  pingora::log_error("error {:02}", 4);
  REQUIRE(sink.lines.size() == 3);
  CHECK(sink.lines[0] == std::pair(LogLevel::Info, std::string("info 2")));
  CHECK(sink.lines[1] == std::pair(LogLevel::Warn, std::string("warn three")));
  CHECK(sink.lines[2] == std::pair(LogLevel::Error, std::string("error 04")));
}

TEST_CASE("Log: warnings and errors by default, nothing when off", "[log]") {
  KeepingSink sink;
  CHECK_FALSE(pingora::is_log_enabled(LogLevel::Info));
  CHECK(pingora::is_log_enabled(LogLevel::Warn));
  pingora::set_log_level(LogLevel::Off);
  pingora::log_error("lost");
  CHECK(sink.lines.empty());
}

TEST_CASE("Log: an exception while formatting loses the line and nothing else", "[log]") {
  KeepingSink sink;
  pingora::log_error("{}", ThrowsWhenFormatted{});
  CHECK(sink.lines.empty());
  pingora::log_error("next");
  CHECK(sink.lines.size() == 1);
}

TEST_CASE("Log: leaves errno alone", "[log]") {
  KeepingSink sink;
  errno = EAGAIN;
  pingora::log_error("x");
  CHECK(errno == EAGAIN);
}

TEST_CASE("Log: the default sink writes time, level and line to standard error", "[log]") {
  std::string text;
  {
    CapturedStandardError captured;
    pingora::log_warn("the {} failed", "thing");
    text = captured.text();
  }
  REQUIRE(text.size() > 25);
  CHECK(text.substr(4, 1) == "-");
  CHECK(text.substr(10, 1) == "T");
  CHECK(text.substr(23) == "Z WARN  the thing failed\n");
}

TEST_CASE("Log: every level has a name", "[log]") {
  CHECK(to_string(LogLevel::Trace) == "TRACE");
  CHECK(to_string(LogLevel::Debug) == "DEBUG");
  CHECK(to_string(LogLevel::Info) == "INFO");
  CHECK(to_string(LogLevel::Warn) == "WARN");
  CHECK(to_string(LogLevel::Error) == "ERROR");
  CHECK(to_string(LogLevel::Off) == "OFF");
}
