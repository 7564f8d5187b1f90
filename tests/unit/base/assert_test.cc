// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/assert.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <utility>

namespace {

// What a child process that breaks an invariant writes to standard error, and the signal that ends
// it.
std::pair<std::string, int> break_an_invariant() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    ::dup2(ends[1], STDERR_FILENO);
    int sum = 4;
    PINGORA_ASSERT(sum == 5);
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text(1024, '\0');
  ssize_t size = ::read(ends[0], text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return {text, WIFSIGNALED(status) ? WTERMSIG(status) : 0};
}

}  // namespace

TEST_CASE("Assert: a broken invariant is named and ends the process", "[assert]") {
  auto [text, signal] = break_an_invariant();
  CHECK(text.starts_with("pingora: invariant broken: sum == 5 ("));
  CHECK(text.find("assert_test.cc:") != std::string::npos);
  CHECK(signal == SIGABRT);
}

TEST_CASE("Assert: an invariant that holds costs one evaluation", "[assert]") {
  int evaluations = 0;
  PINGORA_ASSERT(++evaluations == 1);
  CHECK(evaluations == 1);
}
