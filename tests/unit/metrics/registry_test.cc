// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/metrics/registry.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using pingora::Counter;
using pingora::HistogramOptions;
using pingora::HistogramSnapshot;
using pingora::MetricLabels;
using pingora::Registry;

namespace {

std::string message_of(auto&& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace

TEST_CASE("Registry: the same name and labels give the same metric", "[metrics]") {
  Registry registry;
  Counter& a = registry.counter("requests_total", "Requests.", {{"code", "200"}, {"app", "x"}});
  Counter& b = registry.counter("requests_total", "Other.", {{"app", "x"}, {"code", "200"}});
  Counter& c = registry.counter("requests_total", "Requests.", {{"app", "x"}, {"code", "500"}});
  CHECK(&a == &b);
  CHECK(&a != &c);
  CHECK(&registry.gauge("open", "Open.") == &registry.gauge("open", "Open."));
  CHECK(&registry.histogram("took", "Took.") == &registry.histogram("took", "Took."));
}

TEST_CASE("Registry: the process has one", "[metrics]") {
  CHECK(&Registry::global() == &Registry::global());
}

TEST_CASE("Registry: refuses what Prometheus could not read", "[metrics]") {
  Registry registry;
  CHECK(message_of([&] { registry.counter("", "x"); }) == "invalid metric name ''");
  CHECK(message_of([&] { registry.counter("9a", "x"); }) == "invalid metric name '9a'");
  CHECK(message_of([&] { registry.counter("a-b", "x"); }) == "invalid metric name 'a-b'");
  CHECK(message_of([&] { registry.gauge("a", "x", {{"b:c", ""}}); }) ==
        "metric a: invalid label name 'b:c'");
  CHECK(message_of([&] { registry.gauge("a", "x", {{"__b", ""}}); }) ==
        "metric a: invalid label name '__b'");
  CHECK(message_of([&] { registry.gauge("a", "x", {{"le", "1"}}); }) ==
        "metric a: invalid label name 'le'");
  CHECK(message_of([&] { registry.gauge("a", "x", {{"b", "1"}, {"b", "2"}}); }) ==
        "metric a: label 'b' repeated");
  CHECK(message_of([&] { registry.histogram("a", "x", {}, {.bound_log2_max = 64}); }) ==
        "metric a: invalid histogram bounds");
  CHECK(message_of([&] {
          registry.histogram("a", "x", {}, {.bound_log2_min = 3, .bound_log2_max = 2});
        }) == "metric a: invalid histogram bounds");
  CHECK(registry.snapshot().empty());
}

TEST_CASE("Registry: a name is of one kind", "[metrics]") {
  Registry registry;
  registry.counter("a", "x");
  CHECK(message_of([&] { registry.gauge("a", "x"); }) ==
        "metric a: already registered as another kind");
  CHECK(message_of([&] { registry.histogram("a", "x", {{"b", "c"}}); }) ==
        "metric a: already registered as another kind");
  CHECK(registry.snapshot().size() == 1);
}

TEST_CASE("Registry: a snapshot has all metrics in order", "[metrics]") {
  Registry registry;
  registry.gauge("b", "x", {{"n", "2"}}).set(-2);
  registry.gauge("b", "x", {{"n", "1"}}).set(-1);
  registry.counter("a", "x").add(3);
  registry.histogram("c", "x").record(9);
  auto samples = registry.snapshot();
  REQUIRE(samples.size() == 4);
  CHECK(samples[0].name == "a");
  CHECK(std::get<std::uint64_t>(samples[0].value) == 3);
  CHECK(samples[1].labels == MetricLabels{{"n", "1"}});
  CHECK(std::get<std::int64_t>(samples[1].value) == -1);
  CHECK(std::get<std::int64_t>(samples[2].value) == -2);
  CHECK(std::get<HistogramSnapshot>(samples[3].value).sum == 9);
}

TEST_CASE("Registry: exposes counters and gauges to Prometheus", "[metrics]") {
  Registry registry;
  registry.counter("requests_total", "Requests\nby \\ \"code\".", {{"code", "200"}}).add(7);
  registry.counter("requests_total", "", {{"code", "a\"b\\c\nd"}}).add(1);
  registry.gauge("open", "Open connections.").set(-3);
  CHECK(registry.prometheus_text() ==
        "# HELP open Open connections.\n"
        "# TYPE open gauge\n"
        "open -3\n"
        "# HELP requests_total Requests\\nby \\\\ \"code\".\n"
        "# TYPE requests_total counter\n"
        "requests_total{code=\"200\"} 7\n"
        "requests_total{code=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST_CASE("Registry: exposes histograms in the unit of their name", "[metrics]") {
  Registry registry;
  auto& histogram =
      registry.histogram("took_seconds", "Time taken.", {{"app", "x"}},
                         {.divisor = 1e6, .bound_log2_min = 19, .bound_log2_max = 21});
  for (std::uint64_t us : {1u, 524'288u, 524'289u, 2'097'152u, 3'000'000u}) histogram.record(us);
  CHECK(registry.prometheus_text() ==
        "# HELP took_seconds Time taken.\n"
        "# TYPE took_seconds histogram\n"
        "took_seconds_bucket{app=\"x\",le=\"0.524288\"} 2\n"
        "took_seconds_bucket{app=\"x\",le=\"1.048576\"} 3\n"
        "took_seconds_bucket{app=\"x\",le=\"2.097152\"} 4\n"
        "took_seconds_bucket{app=\"x\",le=\"+Inf\"} 5\n"
        "took_seconds_sum{app=\"x\"} 6.14573\n"
        "took_seconds_count{app=\"x\"} 5\n");
}

TEST_CASE("Registry: nothing registered is an empty page", "[metrics]") {
  CHECK(Registry().prometheus_text().empty());
}

TEST_CASE("Registry: many threads register, count and read at once", "[metrics]") {
  Registry registry;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&registry] {
      for (int i = 0; i < 50; ++i) {
        registry.counter("n", "x", {{"i", std::to_string(i % 10)}}).add();
        if (i % 10 == 0 && registry.prometheus_text().empty()) std::abort();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::uint64_t sum = 0;
  for (const auto& sample : registry.snapshot()) sum += std::get<std::uint64_t>(sample.value);
  CHECK(sum == 200);
}
