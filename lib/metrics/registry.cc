// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/metrics/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <type_traits>

namespace pingora {
namespace {

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// A metric's name may hold colons, a label's may not.
bool is_valid_name(std::string_view name, bool colons) noexcept {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  return std::ranges::all_of(name, [colons](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || (colons && c == ':');
  });
}

void check_labels(std::string_view name, const MetricLabels& labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string& label = labels[i].first;
    // "le" is Prometheus' own, for the bounds of a histogram; "__" is reserved.
    if (!is_valid_name(label, false) || label == "le" || label.starts_with("__")) {
      throw std::invalid_argument(fmt::format("metric {}: invalid label name '{}'", name, label));
    }
    if (i > 0 && labels[i - 1].first == label) {
      throw std::invalid_argument(fmt::format("metric {}: label '{}' repeated", name, label));
    }
  }
}

void append_text(std::string& out, std::string_view text, bool quoted) {
  for (char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quoted && c == '"')) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
}

// {a="b",c="d"}, or nothing if there are no labels; `bound` is the value of the label "le".
void append_labels(std::string& out, const MetricLabels& labels, std::string_view bound = {}) {
  if (labels.empty() && bound.empty()) return;
  char separator = '{';
  for (const auto& [name, value] : labels) {
    out += separator;
    out += name;
    out += "=\"";
    append_text(out, value, true);
    out += '"';
    separator = ',';
  }
  if (!bound.empty()) fmt::format_to(std::back_inserter(out), "{}le=\"{}\"", separator, bound);
  out += '}';
}

template <class Value>
void append_line(std::string& out, std::string_view name, std::string_view suffix,
                 const MetricLabels& labels, std::string_view bound, Value value) {
  out += name;
  out += suffix;
  append_labels(out, labels, bound);
  fmt::format_to(std::back_inserter(out), " {}\n", value);
}

void append_histogram(std::string& out, std::string_view name, const MetricLabels& labels,
                      const HistogramSnapshot& now, const HistogramOptions& options) {
  for (unsigned log2 = options.bound_log2_min; log2 <= options.bound_log2_max; ++log2) {
    std::uint64_t bound = std::uint64_t{1} << log2;
    append_line(out, name, "_bucket", labels,
                fmt::format("{}", static_cast<double>(bound) / options.divisor),
                now.count_up_to(bound));
  }
  append_line(out, name, "_bucket", labels, "+Inf", now.count);
  append_line(out, name, "_sum", labels, {}, static_cast<double>(now.sum) / options.divisor);
  append_line(out, name, "_count", labels, {}, now.count);
}

}  // namespace

Registry::Registry() = default;
Registry::~Registry() = default;

Registry& Registry::global() {
  // Never destroyed: metrics are counted until the process is gone.
  static auto* registry = new Registry;
  return *registry;
}

template <class T>
T& Registry::find_or_add(std::string_view name, std::string_view help, MetricLabels labels,
                         const HistogramOptions& options) {
  if (!is_valid_name(name, true)) {
    throw std::invalid_argument(fmt::format("invalid metric name '{}'", name));
  }
  if (options.bound_log2_min > options.bound_log2_max || options.bound_log2_max > 63) {
    throw std::invalid_argument(fmt::format("metric {}: invalid histogram bounds", name));
  }
  std::ranges::sort(labels);
  check_labels(name, labels);

  std::lock_guard lock(mutex_);
  auto family = families_.find(name);
  if (family != families_.end() && !family->second.metrics.empty() &&
      !std::holds_alternative<std::unique_ptr<T>>(family->second.metrics.begin()->second)) {
    throw std::invalid_argument(fmt::format("metric {}: already registered as another kind", name));
  }
  if (family == families_.end()) {
    family = families_.emplace(name, Family{std::string(help), options, {}}).first;
  }
  auto metric = family->second.metrics.try_emplace(std::move(labels), std::make_unique<T>()).first;
  return *std::get<std::unique_ptr<T>>(metric->second);
}

Counter& Registry::counter(std::string_view name, std::string_view help, MetricLabels labels) {
  return find_or_add<Counter>(name, help, std::move(labels), {});
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, MetricLabels labels) {
  return find_or_add<Gauge>(name, help, std::move(labels), {});
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, MetricLabels labels,
                               const HistogramOptions& options) {
  return find_or_add<Histogram>(name, help, std::move(labels), options);
}

std::vector<MetricSample> Registry::snapshot() const {
  std::vector<MetricSample> samples;
  std::lock_guard lock(mutex_);
  for (const auto& [name, family] : families_) {
    for (const auto& [labels, metric] : family.metrics) {
      MetricSample sample{name, labels, std::uint64_t{0}};
      std::visit(
          [&sample](const auto& pointer) {
            if constexpr (std::is_same_v<decltype(*pointer), Histogram&>) {
              sample.value = pointer->snapshot();
            } else {
              sample.value = pointer->value();
            }
          },
          metric);
      samples.push_back(std::move(sample));
    }
  }
  return samples;
}

std::string Registry::prometheus_text() const {
  static constexpr std::string_view kKinds[] = {"counter", "gauge", "histogram"};
  std::string out;
  std::lock_guard lock(mutex_);
  for (const auto& [name, family] : families_) {
    fmt::format_to(std::back_inserter(out), "# HELP {} ", name);
    append_text(out, family.help, false);
    fmt::format_to(std::back_inserter(out), "\n# TYPE {} {}\n", name,
                   kKinds[family.metrics.begin()->second.index()]);
    for (const auto& [labels, metric] : family.metrics) {
      std::visit(
          [&](const auto& pointer) {
            if constexpr (std::is_same_v<decltype(*pointer), Histogram&>) {
              append_histogram(out, name, labels, pointer->snapshot(), family.options);
            } else {
              append_line(out, name, {}, labels, {}, pointer->value());
            }
          },
          metric);
    }
  }
  return out;
}

}  // namespace pingora
