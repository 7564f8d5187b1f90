// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/strand.h"

#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "pingora/runtime/runtime.h"

using namespace pingora;

namespace {

struct FunctionJob : Job {
  explicit FunctionJob(std::function<void()> f)
      : Job([](Job& job) { static_cast<FunctionJob&>(job).function(); }), function(std::move(f)) {}
  std::function<void()> function;
};

struct StrandFixture {
  Runtime runtime{RuntimeOptions{.threads = 2, .name = "test"}};
  StrandFixture() { runtime.start(); }
};

}  // namespace

TEST_CASE_METHOD(StrandFixture, "Strand: a free one runs what is dispatched at once", "[strand]") {
  StrandRef strand = StrandRef::make(runtime.worker(0));
  bool was_current = false;
  FunctionJob job([&] { was_current = strand->is_current(); });
  CHECK_FALSE(strand->is_current());
  strand->dispatch(job);
  CHECK(was_current);
  CHECK_FALSE(strand->is_current());
}

TEST_CASE_METHOD(StrandFixture, "Strand: what is dispatched from within runs behind, in order",
                 "[strand]") {
  StrandRef strand = StrandRef::make(runtime.worker(0));
  std::string log;
  FunctionJob second([&] { log += '2'; });
  FunctionJob third([&] { log += '3'; });
  FunctionJob first([&] {
    strand->dispatch(second);
    strand->post(third);
    log += '1';
  });
  strand->dispatch(first);
  CHECK(log == "123");
}

TEST_CASE_METHOD(StrandFixture, "Strand: what is posted runs on the worker, in order", "[strand]") {
  StrandRef strand = StrandRef::make(runtime.worker(1));
  constexpr int kCount = 100;
  std::vector<int> order;
  std::latch all_run(kCount);
  std::vector<std::unique_ptr<FunctionJob>> jobs;
  for (int i = 0; i < kCount; ++i) {
    jobs.push_back(std::make_unique<FunctionJob>([&, i] {
      order.push_back(i);
      all_run.count_down();
    }));
  }
  for (auto& job : jobs) strand->post(*job);
  all_run.wait();
  REQUIRE(order.size() == kCount);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE_METHOD(StrandFixture, "Strand: one job at a time, whichever threads they come from",
                 "[strand]") {
  constexpr int kThreads = 4;
  constexpr int kJobsEach = 2000;
  StrandRef strand = StrandRef::make(runtime.worker(0));
  int count = 0;   // not atomic: the strand is to guard it
  int inside = 0;  // never more than one
  int worst = 0;
  std::latch all_run(kThreads * kJobsEach);
  std::array<std::vector<std::unique_ptr<FunctionJob>>, kThreads> jobs;
  for (auto& of_thread : jobs) {
    for (int i = 0; i < kJobsEach; ++i) {
      of_thread.push_back(std::make_unique<FunctionJob>([&] {
        worst = std::max(worst, ++inside);
        ++count;
        --inside;
        all_run.count_down();
      }));
    }
  }
  std::vector<std::thread> threads;
  for (auto& of_thread : jobs) {
    threads.emplace_back([&strand, &of_thread] {
      bool posts = false;
      for (auto& job : of_thread) {
        posts = !posts;
        if (posts) {
          strand->post(*job);
        } else {
          strand->dispatch(*job);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  all_run.wait();
  FunctionJob look([&] {
    CHECK(count == kThreads * kJobsEach);
    CHECK(worst == 1);
  });
  std::latch has_looked(1);
  FunctionJob look_and_tell([&] {
    look.run();
    has_looked.count_down();
  });
  strand->post(look_and_tell);
  has_looked.wait();
}

TEST_CASE_METHOD(StrandFixture, "Strand: a job that is removed does not run", "[strand]") {
  StrandRef strand = StrandRef::make(runtime.worker(0));
  std::string log;
  FunctionJob removed([&] { log += 'r'; });
  FunctionJob stays([&] { log += 's'; });
  FunctionJob first([&] {
    strand->post(removed);
    strand->post(stays);
    CHECK(strand->remove(removed));
    CHECK_FALSE(strand->remove(removed));
    CHECK(strand->remove(stays));
    strand->post(stays);
  });
  strand->dispatch(first);
  CHECK(log == "s");
}

TEST_CASE_METHOD(StrandFixture, "Strand: lives while it runs, though nobody refers to it",
                 "[strand]") {
  StrandRef strand = StrandRef::make(runtime.worker(0));
  std::string log;
  FunctionJob second([&] { log += '2'; });
  FunctionJob first([&] {
    strand->post(second);
    strand = StrandRef();
    log += '1';
  });
  strand->dispatch(first);
  CHECK(log == "12");
}
