// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pingora/http/field_syntax.h"
#include "pingora/http/header_map.h"
#include "pingora/http/http_date.h"
#include "pingora/http/uri.h"

// What header access costs in a map of ten fields. Each baseline is a vector of string pairs
// searched from the front. Not measured: the allocations that such a vector costs when it is built.

namespace pingora {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

const Pairs kFields = {{"Host", "www.example.com"},
                       {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"},
                       {"Accept", "text/html,application/xhtml+xml"},
                       {"Accept-Language", "en-US,en;q=0.5"},
                       {"Accept-Encoding", "gzip, deflate, br"},
                       {"Connection", "keep-alive"},
                       {"Cookie", "session=0123456789abcdef"},
                       {"Upgrade-Insecure-Requests", "1"},
                       {"X-Trace", "abc"},
                       {"Cache-Control", "max-age=0"}};

HeaderMap make_map() {
  HeaderMap headers;
  for (const auto& [name, value] : kFields) {
    if (!headers.append(name, value)) std::abort();
  }
  return headers;
}

const std::string* find(const Pairs& fields, std::string_view name) {
  for (const auto& field : fields) {
    if (equals_ignoring_case(field.first, name)) return &field.second;
  }
  return nullptr;
}

constexpr std::string_view kNames[] = {"Cookie", "Date", "x-trace", "X-Absent"};

void look_up(benchmark::State& state) {
  HeaderMap headers = make_map();
  std::string_view name = kNames[state.range(0)];
  for (auto _ : state) {
    benchmark::DoNotOptimize(name);
    benchmark::DoNotOptimize(headers.get(name));
  }
  state.SetLabel(std::string(name));
}
BENCHMARK(look_up)->Name("http/look_up/text")->ArgName("name")->DenseRange(0, 3);

void look_up_literal(benchmark::State& state) {
  HeaderMap headers = make_map();
  for (auto _ : state) {
    benchmark::DoNotOptimize(headers.get("cookie"));
    benchmark::DoNotOptimize(headers.get("date"));
  }
}
BENCHMARK(look_up_literal)->Name("http/look_up/literal_present_and_absent");

void look_up_pairs(benchmark::State& state) {
  std::string_view name = kNames[state.range(0)];
  for (auto _ : state) {
    benchmark::DoNotOptimize(name);
    benchmark::DoNotOptimize(find(kFields, name));
  }
  state.SetLabel(std::string(name));
}
BENCHMARK(look_up_pairs)->Name("http/look_up/baseline_pairs")->ArgName("name")->DenseRange(0, 3);

void insert_and_remove(benchmark::State& state) {
  HeaderMap headers = make_map();
  for (auto _ : state) {
    HeaderMap copy = headers.clone();
    if (!copy.insert("Host", "other") || !copy.insert("X-New", "value")) std::abort();
    benchmark::DoNotOptimize(copy.remove("Accept-Language"));
  }
}
BENCHMARK(insert_and_remove)->Name("http/clone_insert_2_remove_1/map");

void insert_and_remove_pairs(benchmark::State& state) {
  for (auto _ : state) {
    Pairs copy = kFields;
    *const_cast<std::string*>(find(copy, "Host")) = "other";
    copy.emplace_back("X-New", "value");
    std::erase_if(copy, [](const auto& field) {
      return equals_ignoring_case(field.first, "Accept-Language");
    });
    benchmark::DoNotOptimize(copy);
  }
}
BENCHMARK(insert_and_remove_pairs)->Name("http/clone_insert_2_remove_1/baseline_pairs");

void validate_value(benchmark::State& state) {
  std::string value(static_cast<std::size_t>(state.range(0)), 'v');
  for (auto _ : state) benchmark::DoNotOptimize(is_field_value(value));
}
BENCHMARK(validate_value)->Name("http/validate_value")->ArgName("bytes")->Arg(10)->Arg(200);

void validate_value_by_byte(benchmark::State& state) {
  std::string value(static_cast<std::size_t>(state.range(0)), 'v');
  auto is_bad = [](char c) { return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f; };
  for (auto _ : state) benchmark::DoNotOptimize(std::ranges::none_of(value, is_bad));
}
BENCHMARK(validate_value_by_byte)
    ->Name("http/validate_value/baseline_loop")
    ->ArgName("bytes")
    ->Arg(10)
    ->Arg(200);

void parse_uri(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(Uri::parse("http://www.example.com:8080/a/path?and=a&query=too"));
  }
}
BENCHMARK(parse_uri)->Name("http/parse_uri/absolute");

void date_now(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(HttpDate::now());
}
BENCHMARK(date_now)->Name("http/date/now");

void date_formatted(benchmark::State& state) {
  HttpDate::Seconds time{std::chrono::seconds(1000000000)};
  for (auto _ : state) {
    benchmark::DoNotOptimize(time);
    benchmark::DoNotOptimize(HttpDate(time));
  }
}
BENCHMARK(date_formatted)->Name("http/date/baseline_formatted_each_time");

}  // namespace
}  // namespace pingora
