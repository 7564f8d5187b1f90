// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "server/program_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace pingora::internal {
namespace {

using Problem = std::optional<ConfigurationProblem>;

Problem set_flag(std::string_view name, int line, const YAML::Node& value,
                 const std::function<void()>& set) {
  bool is_on = false;
  if (auto wrong = read_boolean(name, line, value, is_on)) return wrong;
  if (is_on && set) set();
  return std::nullopt;
}

Problem read_items(std::string_view name, int line, const YAML::Node& value,
                   std::vector<std::pair<int, std::string>>& out) {
  if (!value.IsSequence()) {
    std::string text;
    if (auto wrong = read_text(name, line, value, text)) return wrong;
    out.emplace_back(line, std::move(text));
    return std::nullopt;
  }
  for (const YAML::Node& item : value) {
    int item_line = line_of_item(item, line);
    std::string text;
    if (auto wrong = read_text(name, item_line, item, text)) return wrong;
    out.emplace_back(item_line, std::move(text));
  }
  return std::nullopt;
}

}  // namespace

std::string file_key(std::string_view names) {
  std::size_t begin = names.rfind("--");
  if (begin == std::string_view::npos) return {};
  std::string_view name = names.substr(begin + 2);
  std::string key(name.substr(0, name.find(',')));
  std::ranges::replace(key, '-', '_');
  return key;
}

const ProgramOptions::Option* ProgramKeys::find(std::string_view name) const {
  for (const ProgramOptions::Option& option : program_.options_) {
    if (!option.command_line_only && !name.empty() && file_key(option.names) == name) {
      return &option;
    }
  }
  return nullptr;
}

Problem ProgramKeys::set(std::string_view name, int line, const YAML::Node& value) const {
  const ProgramOptions::Option& option = *find(name);
  const bool is_overridden = opt_.is_given(name);
  if (option.set_flag) {
    return set_flag(name, line, value, is_overridden ? nullptr : option.set_flag);
  }
  if (value.IsNull()) return std::nullopt;
  if (option.set_integer) {
    std::int64_t number = 0;
    auto wrong = read_integer(name, line, value, option.min, option.max, number);
    if (!wrong && !is_overridden) option.set_integer(number);
    return wrong;
  }
  std::vector<std::pair<int, std::string>> items;
  if (option.repeatable) {
    if (auto wrong = read_items(name, line, value, items)) return wrong;
  } else if (auto wrong = read_text(name, line, value, items.emplace_back(line, "").second)) {
    return wrong;
  }
  for (const auto& [item_line, text] : items) {
    std::string wrong = option.check ? option.check(text) : std::string();
    if (!wrong.empty()) {
      return ConfigurationProblem{item_line, fmt::format("{}: {} {}", name, quoted(text), wrong)};
    }
    if (!is_overridden) option.add_text(text);
  }
  return std::nullopt;
}

}  // namespace pingora::internal
