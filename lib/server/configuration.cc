// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/configuration.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/un.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <thread>
#include <utility>

#include "pingora/server/opt.h"
#include "server/configuration_keys.h"
#include "server/program_keys.h"

namespace pingora {
namespace {

using internal::configuration_keys;
using internal::ConfigurationProblem;
using internal::ProgramKeys;
using internal::quoted;

constexpr std::size_t kFileSizeMax = std::size_t{1} << 20;

// `what` is fit for one line already.
std::unexpected<Error> problem(std::string_view name, int line, std::string_view what) {
  std::string text;
  append_escaped(text, name);
  return fail(ErrorType::ConfigError, fmt::format("{}:{}: {}", text, line, what));
}

int line_of(const YAML::Mark& mark) { return mark.is_null() ? 1 : mark.line + 1; }

// A key that is none of the server's own.
std::optional<ConfigurationProblem> set_other(const std::string& name, int line,
                                              const YAML::Node& value, const ProgramKeys& program) {
  if (program.has(name)) return program.set(name, line, value);
  std::string_view reason = internal::unsupported_key_reason(name);
  return ConfigurationProblem{
      line, reason.empty() ? fmt::format("unknown key {}", quoted(name))
                           : fmt::format("key {} is not supported: {}", quoted(name), reason)};
}

std::optional<ConfigurationProblem> set_all(Configuration& configuration, const YAML::Node& root,
                                            const ProgramKeys& program) {
  std::map<std::string, int> seen;
  for (const auto& entry : root) {
    const YAML::Node& key = entry.first;
    const YAML::Node& value = entry.second;
    int line = line_of(key.Mark());
    if (!key.IsScalar()) return ConfigurationProblem{line, "a key must be plain text"};
    const std::string& name = key.Scalar();
    auto [first, is_new] = seen.emplace(name, line);
    if (!is_new) {
      return ConfigurationProblem{
          line, fmt::format("duplicate key {} (first on line {})", quoted(name), first->second)};
    }
    auto known = std::ranges::find(configuration_keys(), name, &internal::ConfigurationKey::name);
    auto wrong = known == configuration_keys().end()
                     ? set_other(name, line, value, program)
                     : known->set(configuration, known->name, line, value);
    if (wrong) return wrong;
  }
  return std::nullopt;
}

Result<Configuration> read_yaml(std::string_view text, std::string_view name,
                                const ProgramKeys& program) {
  Configuration configuration;
  // With a line end behind it, yaml-cpp takes a missing quote for one at the end of the file.
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  try {
    std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.empty()) return configuration;
    if (documents.size() > 1) {
      return problem(name, line_of(documents[1].Mark()), "more than one document");
    }
    const YAML::Node& root = documents[0];
    if (root.IsNull()) return configuration;
    if (!root.IsMap()) {
      return problem(name, line_of(root.Mark()),
                     fmt::format("expected keys and values, found {}",
                                 root.IsSequence() ? "a list" : quoted(root.Scalar())));
    }
    if (auto wrong = set_all(configuration, root, program))
      return problem(name, wrong->line, wrong->what);
  } catch (const YAML::Exception& error) {
    std::string what = "not YAML: ";
    append_escaped(what, error.msg);  // it may hold a piece of the text
    return problem(name, line_of(error.mark), what);
  }
  return configuration;
}

Result<Configuration> read_file(const std::string& path, const ProgramKeys& program) {
  std::string shown;
  append_escaped(shown, path);
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return fail(Error::from_errno(ErrorType::FileOpenError, errno, shown + ": cannot open"));
  }
  std::string text;
  char block[16 * 1024];
  ssize_t size = 0;
  while (text.size() <= kFileSizeMax) {
    size = ::read(file, block, sizeof(block));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    text.append(block, static_cast<std::size_t>(size));
  }
  int error_number = errno;
  ::close(file);
  if (size < 0) {
    return fail(Error::from_errno(ErrorType::FileReadError, error_number, shown + ": cannot read"));
  }
  if (text.size() > kFileSizeMax) {
    return fail(ErrorType::FileReadError, shown + ": larger than 1 MiB");
  }
  return read_yaml(text, path, program);
}

}  // namespace

unsigned usable_cores() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) {
    return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
  }
  // More processors than the set has room for.
  return std::max(std::thread::hardware_concurrency(), 1u);
}

Result<Configuration> Configuration::from_yaml(std::string_view text, std::string_view name) {
  return read_yaml(text, name, ProgramKeys({}, {}));
}

Result<Configuration> Configuration::from_file(const std::string& path) {
  return read_file(path, ProgramKeys({}, {}));
}

Result<Configuration> Configuration::load(const Opt& opt) { return load(opt, {}); }

Result<Configuration> Configuration::load(const Opt& opt, const ProgramOptions& program) {
  Configuration configuration;
  if (opt.conf) {
    Result<Configuration> read = read_file(*opt.conf, ProgramKeys(program, opt));
    if (!read) return read;
    configuration = std::move(*read);
  }
  if (opt.daemon) configuration.daemon = true;
  if (Result<void> valid = configuration.validate(); !valid) {
    if (opt.conf) valid.error().add_context(*opt.conf);
    return std::unexpected(std::move(valid.error()));
  }
  return configuration;
}

Result<void> Configuration::validate() const {
  for (const auto& key : configuration_keys()) {
    std::string wrong = key.check(*this, key.name);
    if (!wrong.empty()) return fail(ErrorType::ConfigError, wrong);
  }
  if (daemon) {
    // A daemon leaves the directory that a relative path is meant from.
    const std::pair<std::string_view, const std::string*> paths[] = {
        {"pid_file", pid_file ? &*pid_file : nullptr},
        {"upgrade_sock", &upgrade_sock},
        {"error_log", error_log ? &*error_log : nullptr},
        {"working_directory", working_directory ? &*working_directory : nullptr},
        {"ca_file", ca_file ? &*ca_file : nullptr},
    };
    for (const auto& [name, path] : paths) {
      if (path != nullptr && !path->starts_with('/')) {
        return fail(
            ErrorType::ConfigError,
            fmt::format("{}: {} must be an absolute path for a daemon", name, quoted(*path)));
      }
    }
  }
  if (upgrade_sock.size() >= sizeof(sockaddr_un::sun_path)) {
    return fail(ErrorType::ConfigError,
                fmt::format("upgrade_sock: longer than the {} bytes of a Unix socket's path",
                            sizeof(sockaddr_un::sun_path) - 1));
  }
  if (pid_file == upgrade_sock) {
    return fail(ErrorType::ConfigError, "upgrade_sock: may not be the same file as pid_file");
  }
  if (ca_file && ::access(ca_file->c_str(), R_OK) != 0) {
    return fail(Error::from_errno(ErrorType::ConfigError, errno,
                                  fmt::format("ca_file: {}", quoted(*ca_file))));
  }
  return {};
}

}  // namespace pingora
