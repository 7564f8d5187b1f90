// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "pingora/metrics/counter.h"
#include "pingora/metrics/histogram.h"

namespace pingora {

/// Label names and values, which tell the metrics of one name apart. Their order does not matter.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// How a histogram is exposed. What is recorded is not affected.
struct HistogramOptions {
  /// How many recorded units make one of the unit that the metric's name promises: 1e6 for a
  /// "..._seconds" that records microseconds. Bounds and sum are divided by it.
  double divisor = 1.0;
  /// Bounds are exposed at the powers of two from 2^`bound_log2_min` to 2^`bound_log2_max`.
  /// Default: 1 to 67,108,864, which is 67 s in microseconds and 64 MiB in bytes.
  unsigned bound_log2_min = 0;
  unsigned bound_log2_max = 26;
};

/// One metric and its value at the moment of `Registry::snapshot`.
struct MetricSample {
  std::string name;
  /// Sorted by label name.
  MetricLabels labels;
  /// Of a Counter, a Gauge or a Histogram.
  std::variant<std::uint64_t, std::int64_t, HistogramSnapshot> value;
};

/// Metrics by name and labels.
///
/// Registering takes a lock and belongs into start-up code; keep the reference that it returns,
/// which stays valid as long as the registry, and use that on the data path. Registering the same
/// name and labels again returns the same object. Any thread may call anything.
///
/// Names and label names must be valid in Prometheus, a name must always be registered as the same
/// kind, and label names may not repeat: what breaks this throws `std::invalid_argument`.
class Registry {
 public:
  /// The content type of `prometheus_text`.
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// The registry of the process, which this library and most programs use. Never destroyed.
  static Registry& global();

  /// `help` is one sentence for people; that of the first registration of a name counts, as do
  /// its `options`.
  Counter& counter(std::string_view name, std::string_view help, MetricLabels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, MetricLabels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, MetricLabels labels = {},
                       const HistogramOptions& options = {});

  /// All metrics, sorted by name and labels.
  std::vector<MetricSample> snapshot() const;
  /// All metrics in Prometheus' text exposition format 0.0.4, sorted by name and labels.
  std::string prometheus_text() const;

 private:
  using Metric =
      std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;
  struct Family {
    std::string help;
    HistogramOptions options;
    std::map<MetricLabels, Metric> metrics;
  };
  template <class T>
  T& find_or_add(std::string_view name, std::string_view help, MetricLabels labels,
                 const HistogramOptions& options);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;  // guarded by mutex_
};

}  // namespace pingora
