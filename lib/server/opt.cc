// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/opt.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "pingora/base/assert.h"
#include "pingora/base/error.h"
#include "server/program_keys.h"

namespace pingora {
namespace {

std::string one_line(std::string_view text) {
  std::string line;
  append_escaped(line, text);
  return line;
}

std::string program_name(int argc, const char* const* argv) {
  std::string_view name = argc > 0 && argv[0] != nullptr ? argv[0] : "";
  std::size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  return name.empty() ? std::string("server") : one_line(name);
}

void take_integer(const std::string& text, const std::string& names, std::int64_t min,
                  std::int64_t max, const std::function<void(std::int64_t)>& set) {
  std::string range;
  if (max != std::numeric_limits<std::int64_t>::max())
    range = fmt::format(" from {} to {}", min, max);
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) {
    throw CLI::ValidationError(names, fmt::format("'{}' is no whole number{}", text, range));
  }
  if (error == std::errc::result_out_of_range || number < min || number > max) {
    throw CLI::ValidationError(names, fmt::format("{} is out of range ({} to {})", text, min, max));
  }
  set(number);
}

void take_text(const std::string& text, const std::string& names,
               const std::function<std::string(std::string_view)>& check,
               const std::function<void(const std::string&)>& add) {
  std::string wrong = check ? check(text) : std::string();
  if (!wrong.empty()) throw CLI::ValidationError(names, fmt::format("'{}' {}", text, wrong));
  add(text);
}

// What the first of the arguments that belong to nothing is: an option is what was meant to be one,
// what follows it was meant to be its value.
std::string describe_extras(const std::vector<std::string>& extras) {
  for (const std::string& extra : extras) {
    if (extra.size() < 2 || extra[0] != '-' || extra == "--") continue;
    return fmt::format("unknown option '{}'", one_line(extra.substr(0, extra.find('='))));
  }
  return fmt::format("unexpected argument '{}'", extras.empty() ? "" : one_line(extras[0]));
}

}  // namespace

ProgramOptions& ProgramOptions::flag(std::string names, std::string help, bool& value) {
  options_.push_back(
      {.names = std::move(names), .value_name = {}, .help = std::move(help), .set_flag = [&value] {
         value = true;
       }});
  return *this;
}

// For both kinds of variable: a text, and one that may be absent.
template <class Value>
ProgramOptions& ProgramOptions::add_text(std::string&& names, std::string&& value_name,
                                         std::string&& help, Value& value) {
  options_.push_back({.names = std::move(names),
                      .value_name = std::move(value_name),
                      .help = std::move(help),
                      .add_text = [&value](const std::string& text) { value = text; }});
  return *this;
}

ProgramOptions& ProgramOptions::text(std::string names, std::string value_name, std::string help,
                                     std::string& value) {
  return add_text(std::move(names), std::move(value_name), std::move(help), value);
}

ProgramOptions& ProgramOptions::text(std::string names, std::string value_name, std::string help,
                                     std::optional<std::string>& value) {
  return add_text(std::move(names), std::move(value_name), std::move(help), value);
}

ProgramOptions& ProgramOptions::texts(std::string names, std::string value_name, std::string help,
                                      std::vector<std::string>& values) {
  options_.push_back({.names = std::move(names),
                      .value_name = std::move(value_name),
                      .help = std::move(help),
                      .repeatable = true,
                      .add_text = [&values](const std::string& text) { values.push_back(text); }});
  return *this;
}

template <class Value>
ProgramOptions& ProgramOptions::add_integer(std::string&& names, std::string&& value_name,
                                            std::string&& help, Value& value, std::int64_t min,
                                            std::int64_t max) {
  options_.push_back({.names = std::move(names),
                      .value_name = std::move(value_name),
                      .help = std::move(help),
                      .min = min,
                      .max = max,
                      .set_integer = [&value](std::int64_t number) { value = number; }});
  return *this;
}

ProgramOptions& ProgramOptions::integer(std::string names, std::string value_name, std::string help,
                                        std::int64_t& value, std::int64_t min, std::int64_t max) {
  return add_integer(std::move(names), std::move(value_name), std::move(help), value, min, max);
}

ProgramOptions& ProgramOptions::integer(std::string names, std::string value_name, std::string help,
                                        std::optional<std::int64_t>& value, std::int64_t min,
                                        std::int64_t max) {
  return add_integer(std::move(names), std::move(value_name), std::move(help), value, min, max);
}

ProgramOptions& ProgramOptions::checked(std::function<std::string(std::string_view text)> check) {
  PINGORA_ASSERT(!options_.empty());
  options_.back().check = std::move(check);
  return *this;
}

ProgramOptions& ProgramOptions::command_line_only() {
  PINGORA_ASSERT(!options_.empty());
  options_.back().command_line_only = true;
  return *this;
}

std::expected<Opt, Opt::Exit> Opt::try_parse(int argc, const char* const* argv,
                                             const ProgramOptions& program) {
  std::string name = program_name(argc, argv);
  Opt opt;
  CLI::App app(program.description_, name);
  app.set_help_flag("-h,--help", "Print this help and exit");
  std::string conf;
  CLI::Option* conf_option =
      app.add_option("-c,--conf", conf, "The configuration file (YAML)")->type_name("FILE");
  app.add_flag("-d,--daemon", opt.daemon, "Go into the background (not yet)");
  app.add_flag("-u,--upgrade", opt.upgrade, "Take over from the server that runs (not yet)");
  app.add_flag("-t,--test", opt.test, "Check the configuration and exit");
  std::vector<const CLI::Option*> added_all;  // one for each of the program's

  for (const ProgramOptions::Option& option : program.options_) {
    if (option.set_flag) {
      added_all.push_back(app.add_flag_callback(option.names, option.set_flag, option.help));
      continue;
    }
    CLI::callback_t take = [&option](const CLI::results_t& texts) {
      for (const std::string& text : texts) {
        if (option.add_text) {
          take_text(text, option.names, option.check, option.add_text);
        } else {
          take_integer(text, option.names, option.min, option.max, option.set_integer);
        }
      }
      return true;
    };
    CLI::Option* added = app.add_option(option.names, take, option.help);
    added_all.push_back(added);
    added->type_name(option.value_name)->type_size(1);
    if (option.repeatable) {
      added->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args(false);
      added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::string help = app.help();
    while (help.ends_with('\n')) help.pop_back();
    return std::unexpected(Exit{0, std::move(help)});
  } catch (const CLI::ExtrasError&) {
    return std::unexpected(
        Exit{1, fmt::format("{}: {}; see --help", name, describe_extras(app.remaining()))});
  } catch (const CLI::ParseError& error) {
    return std::unexpected(
        Exit{1, fmt::format("{}: {}; see --help", name, one_line(error.what()))});
  }
  if (conf_option->count() > 0) opt.conf = std::move(conf);
  for (std::size_t i = 0; i < added_all.size(); ++i) {
    if (added_all[i]->count() == 0) continue;
    opt.given.push_back(internal::file_key(program.options_[i].names));
  }
  return opt;
}

Opt Opt::parse(int argc, const char* const* argv, const ProgramOptions& program) {
  auto opt = try_parse(argc, argv, program);
  if (opt) return *std::move(opt);
  std::fprintf(opt.error().code == 0 ? stdout : stderr, "%s\n", opt.error().text.c_str());
  std::exit(opt.error().code);
}

}  // namespace pingora
