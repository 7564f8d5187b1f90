// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pingora/server/opt.h"
#include "server/configuration_keys.h"

namespace pingora::internal {

/// What an option is called in the file: "-t,--tls-listen" is `tls_listen`. Empty if it has no long
/// name.
std::string file_key(std::string_view names);

/// The options of a program, as keys of the file. Both arguments outlive it.
class ProgramKeys {
 public:
  ProgramKeys(const ProgramOptions& program, const Opt& opt) : program_(program), opt_(opt) {}

  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Sets the variable of `name`, which must be one of the keys, unless the command line has; or
  /// says why the value can not be its.
  std::optional<ConfigurationProblem> set(std::string_view name, int line,
                                          const YAML::Node& value) const;

 private:
  const ProgramOptions::Option* find(std::string_view name) const;

  const ProgramOptions& program_;
  const Opt& opt_;
};

}  // namespace pingora::internal
