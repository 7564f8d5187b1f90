// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pingora {

namespace internal {
class ProgramKeys;
}

/// Options that a program has beside those of every server. What each is called is given as
/// "--name" or "-n,--name"; what it was set to is written to the variable given with it, which must
/// live until `Opt::parse` has returned, and `Configuration::load` if that is given these, keeps
/// its value if the option is not used, and may only be read after that.
///
///     std::vector<std::string> listen;
///     pingora::ProgramOptions program("A ready-made proxy.");
///     program.texts("--listen", "ADDR:PORT", "Where to listen (repeatable)", listen);
///     pingora::Opt opt = pingora::Opt::parse(argc, argv, program);
///     auto configuration = pingora::Configuration::load(opt, program);
///
/// With the last line, each that has a "--long-name" is a key of the configuration file as well,
/// `long_name`: a flag is true or false, an option that may be repeated is a text or a list of
/// them. What the command line says goes before what the file says, the whole list of it.
class ProgramOptions {
 public:
  /// `description` is what `--help` begins with.
  ProgramOptions() = default;
  explicit ProgramOptions(std::string description) : description_(std::move(description)) {}

  /// One that is true when it is used.
  ProgramOptions& flag(std::string names, std::string help, bool& value);
  /// One text. `value_name` stands for it in the help: "FILE".
  ProgramOptions& text(std::string names, std::string value_name, std::string help,
                       std::string& value);
  ProgramOptions& text(std::string names, std::string value_name, std::string help,
                       std::optional<std::string>& value);
  /// Any number of texts: the option may be repeated, with one text each time.
  ProgramOptions& texts(std::string names, std::string value_name, std::string help,
                        std::vector<std::string>& values);
  /// One integer from `min` to `max`.
  ProgramOptions& integer(std::string names, std::string value_name, std::string help,
                          std::int64_t& value, std::int64_t min = 0,
                          std::int64_t max = std::numeric_limits<std::int64_t>::max());
  ProgramOptions& integer(std::string names, std::string value_name, std::string help,
                          std::optional<std::int64_t>& value, std::int64_t min = 0,
                          std::int64_t max = std::numeric_limits<std::int64_t>::max());

  // Of the option named last, which must be there.

  /// For texts: `check` says why a value is none, "is no colour", or nothing if it is one. Called
  /// for each, wherever it comes from.
  ProgramOptions& checked(std::function<std::string(std::string_view text)> check);
  /// It is no key of the configuration file.
  ProgramOptions& command_line_only();

 private:
  friend struct Opt;
  friend class internal::ProgramKeys;
  struct Option {
    std::string names;
    std::string value_name;
    std::string help;
    bool repeatable = false;
    bool command_line_only = false;
    std::int64_t min = 0;
    std::int64_t max = 0;
    // Exactly one of them is set, which makes it a flag, a text or an integer.
    std::function<void()> set_flag = nullptr;
    std::function<void(const std::string&)> add_text = nullptr;
    std::function<void(std::int64_t)> set_integer = nullptr;
    std::function<std::string(std::string_view)> check = nullptr;  // of texts; may be null
  };
  template <class Value>
  ProgramOptions& add_text(std::string&& names, std::string&& value_name, std::string&& help,
                           Value& value);
  template <class Value>
  ProgramOptions& add_integer(std::string&& names, std::string&& value_name, std::string&& help,
                              Value& value, std::int64_t min, std::int64_t max);

  std::string description_;
  std::vector<Option> options_;
};

/// What the command line of a server says. Answers to Pingora's `Opt`.
struct Opt {
  /// -u, --upgrade: take the listening sockets over from the server that runs.
  bool upgrade = false;
  /// -d, --daemon: go into the background; as `daemon: true` in the configuration.
  bool daemon = false;
  /// -t, --test: check the configuration and exit.
  bool test = false;
  /// -c, --conf: the configuration file. Default: none, and all its defaults.
  std::optional<std::string> conf;
  /// Which of the program's options were used, by what they are called in that file: they go before
  /// what it says.
  std::vector<std::string> given;
  bool is_given(std::string_view key) const noexcept {
    return std::ranges::find(given, key) != given.end();
  }

  /// Why a program is not to start: after --help (exit code 0) or a mistake (1).
  struct Exit {
    int code = 0;
    /// Help, with lines, or one line that names the program and says what is wrong; no line end.
    std::string text;
  };

  /// Reads the command line. Prints help on standard output and exits with 0 if it is asked for;
  /// prints one line on standard error and exits with 1 on a mistake. For the beginning of `main`.
  static Opt parse(int argc, const char* const* argv, const ProgramOptions& program = {});
  /// As `parse`, but returns instead of printing and exiting.
  static std::expected<Opt, Exit> try_parse(int argc, const char* const* argv,
                                            const ProgramOptions& program = {});
};

}  // namespace pingora
