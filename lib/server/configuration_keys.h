// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pingora/server/configuration.h"

namespace pingora::internal {

/// What is wrong with a value, and the line (from 1) that it is on.
struct ConfigurationProblem {
  int line = 0;
  std::string what;
};

/// One key of the file.
struct ConfigurationKey {
  std::string_view name;
  /// Sets the member, or says why the value can not be that of `name`.
  std::optional<ConfigurationProblem> (*set)(Configuration& configuration, std::string_view name,
                                             int line, const YAML::Node& value);
  /// Checks the member of a configuration that a program has filled in; empty if it is fine.
  std::string (*check)(const Configuration& configuration, std::string_view name);
};

/// All keys there are.
std::span<const ConfigurationKey> configuration_keys() noexcept;

/// Why a key of Pingora's is none here; empty for a key that nobody knows.
std::string_view unsupported_key_reason(std::string_view name) noexcept;

// Values of the file: set `out`, or say why the value, on `line`, can not be that of `name`.

std::optional<ConfigurationProblem> read_boolean(std::string_view name, int line,
                                                 const YAML::Node& value, bool& out);
std::optional<ConfigurationProblem> read_integer(std::string_view name, int line,
                                                 const YAML::Node& value, std::int64_t min,
                                                 std::int64_t max, std::int64_t& out);
/// Neither empty nor with a zero byte.
std::optional<ConfigurationProblem> read_text(std::string_view name, int line,
                                              const YAML::Node& value, std::string& out);
/// The line of a list's item; that of the list where there is none.
int line_of_item(const YAML::Node& item, int line) noexcept;

/// `text` in single quotes, fit for one line.
std::string quoted(std::string_view text);

}  // namespace pingora::internal
