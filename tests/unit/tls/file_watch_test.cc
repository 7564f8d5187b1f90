// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/file_watch.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "pingora/runtime/runtime.h"
#include "pingora/runtime/strand.h"
#include "pingora/runtime/task_group.h"
#include "temporary_directory.h"

namespace pingora::internal {
namespace {

namespace fs = std::filesystem;

Task<> follow_directories(const TemporaryDirectory& directory) {
  Strand& strand = co_await current_strand();
  std::unique_ptr<FileWatch> watch = co_await FileWatch::create(strand.worker());
  auto is_elsewhere = [&] {
    return watch->watch(FileWatch::plan({directory.path("certs/a.crt")}, {directory.path("all")}));
  };

  CHECK(is_elsewhere());  // where "all" may come
  CHECK_FALSE(is_elsewhere());
  CHECK(watch->is_incomplete());
  directory.write("certs/a.crt", "first");
  CHECK(is_elsewhere());
  CHECK(watch->is_incomplete());
  directory.write("all/b.crt", "second");
  CHECK(is_elsewhere());
  CHECK_FALSE(watch->is_incomplete());
  CHECK_FALSE(is_elsewhere());

  fs::rename(directory.path("certs"), directory.path("old"));
  directory.write("certs/a.crt", "third");
  CHECK(is_elsewhere());
  CHECK_FALSE(is_elsewhere());
  directory.write("all/c.crt", "fourth");
  CHECK_FALSE(is_elsewhere());
  CHECK(watch->take_changes());
}

}  // namespace

TEST_CASE("FileWatch: says whether it watches anything else than before", "[tls]") {
  TemporaryDirectory directory;
  Runtime runtime({.threads = 1, .name = "test"});
  runtime.start();
  CHECK(block_on(runtime, follow_directories(directory)).has_value());
}

}  // namespace pingora::internal
