// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "server/configuration_keys.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>

namespace pingora::internal {
namespace {

using Problem = std::optional<ConfigurationProblem>;

constexpr std::int64_t kDay = 86'400;

std::string describe(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar: return quoted(node.Scalar());
    case YAML::NodeType::Sequence: return "a list";
    case YAML::NodeType::Map: return "keys and values";
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined: return "nothing";
  }
  return "nothing";
}

Problem expected(std::string_view name, int line, std::string_view what, const YAML::Node& value) {
  return ConfigurationProblem{
      line, fmt::format("{}: expected {}, found {}", name, what, describe(value))};
}

// A scalar without quotes: "1" in quotes is text.
bool is_plain(const YAML::Node& value) { return value.IsScalar() && value.Tag() != "!"; }

std::int64_t to_integer(std::integral auto value) {
  return static_cast<std::int64_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}
std::int64_t to_integer(std::chrono::seconds value) { return value.count(); }

std::string check_range(std::string_view name, std::int64_t value, std::int64_t min,
                        std::int64_t max) {
  if (value >= min && value <= max) return {};
  return fmt::format("{}: {} is out of range ({} to {})", name, value, min, max);
}

std::string check_text(std::string_view name, std::string_view text) {
  if (text.empty()) return fmt::format("{}: may not be empty", name);
  if (text.find('\0') != std::string_view::npos) {
    return fmt::format("{}: {} contains a zero byte", name, quoted(text));
  }
  return {};
}

std::string check_address(std::string_view name, int family, const std::string& text) {
  in6_addr address{};
  if (text.find('\0') == std::string::npos && ::inet_pton(family, text.c_str(), &address) == 1) {
    return {};
  }
  return fmt::format("{}: {} is not an IPv{} address", name, quoted(text),
                     family == AF_INET ? 4 : 6);
}

// A problem at `line`, unless `what` is empty.
Problem at(int line, std::string what) {
  if (what.empty()) return std::nullopt;
  return ConfigurationProblem{line, std::move(what)};
}

// The functions of one key, by the type of its member.

template <auto Member>
struct BooleanKey {
  static Problem set(Configuration& out, std::string_view name, int line, const YAML::Node& value) {
    return read_boolean(name, line, value, out.*Member);
  }
  static std::string check(const Configuration&, std::string_view) { return {}; }
};

template <auto Member, std::int64_t Min, std::int64_t Max>
struct IntegerKey {
  static Problem set(Configuration& out, std::string_view name, int line, const YAML::Node& value) {
    std::int64_t number = 0;
    if (auto wrong = read_integer(name, line, value, Min, Max, number)) return wrong;
    out.*Member = static_cast<std::remove_cvref_t<decltype(out.*Member)>>(number);
    return std::nullopt;
  }
  static std::string check(const Configuration& configuration, std::string_view name) {
    return check_range(name, to_integer(configuration.*Member), Min, Max);
  }
};

template <auto Member>
struct TextKey {
  static Problem set(Configuration& out, std::string_view name, int line, const YAML::Node& value) {
    return read_text(name, line, value, out.*Member);
  }
  static std::string check(const Configuration& configuration, std::string_view name) {
    return check_text(name, configuration.*Member);
  }
};

template <auto Member>
struct OptionalTextKey {
  static Problem set(Configuration& out, std::string_view name, int line, const YAML::Node& value) {
    return value.IsNull() ? std::nullopt : read_text(name, line, value, (out.*Member).emplace());
  }
  static std::string check(const Configuration& configuration, std::string_view name) {
    const auto& text = configuration.*Member;
    return text ? check_text(name, *text) : std::string();
  }
};

template <auto Member, int Family>
struct AddressesKey {
  static Problem set(Configuration& out, std::string_view name, int line, const YAML::Node& value) {
    if (!value.IsSequence()) return expected(name, line, "a list of addresses", value);
    for (const YAML::Node& item : value) {
      int item_line = line_of_item(item, line);
      if (!item.IsScalar()) return expected(name, item_line, "an address", item);
      std::string wrong = check_address(name, Family, item.Scalar());
      if (!wrong.empty()) return at(item_line, std::move(wrong));
      (out.*Member).push_back(item.Scalar());
    }
    return std::nullopt;
  }
  static std::string check(const Configuration& configuration, std::string_view name) {
    for (const std::string& text : configuration.*Member) {
      std::string wrong = check_address(name, Family, text);
      if (!wrong.empty()) return wrong;
    }
    return {};
  }
};

template <class Key>
constexpr ConfigurationKey key(std::string_view name) {
  return {name, &Key::set, &Key::check};
}

using C = Configuration;

constexpr ConfigurationKey kKeys[] = {
    key<IntegerKey<&C::version, 1, 1>>("version"),
    key<IntegerKey<&C::threads, 1, 1024>>("threads"),
    key<BooleanKey<&C::work_stealing>>("work_stealing"),
    key<IntegerKey<&C::listener_tasks_per_fd, 1, 1024>>("listener_tasks_per_fd"),
    key<IntegerKey<&C::max_blocking_threads, 1, 4096>>("max_blocking_threads"),
    key<IntegerKey<&C::blocking_threads_ttl_seconds, 0, kDay>>("blocking_threads_ttl_seconds"),
    key<IntegerKey<&C::max_retries, 0, 255>>("max_retries"),
    key<IntegerKey<&C::upstream_keepalive_pool_size, 0, 1'000'000>>("upstream_keepalive_pool_size"),
    key<AddressesKey<&C::client_bind_to_ipv4, AF_INET>>("client_bind_to_ipv4"),
    key<AddressesKey<&C::client_bind_to_ipv6, AF_INET6>>("client_bind_to_ipv6"),
    key<OptionalTextKey<&C::ca_file>>("ca_file"),
    key<BooleanKey<&C::upstream_debug_ssl_keylog>>("upstream_debug_ssl_keylog"),
    key<IntegerKey<&C::grace_period_seconds, 0, kDay>>("grace_period_seconds"),
    key<IntegerKey<&C::graceful_shutdown_timeout_seconds, 0, kDay>>(
        "graceful_shutdown_timeout_seconds"),
    key<BooleanKey<&C::daemon>>("daemon"),
    key<OptionalTextKey<&C::pid_file>>("pid_file"),
    key<OptionalTextKey<&C::error_log>>("error_log"),
    key<OptionalTextKey<&C::user>>("user"),
    key<OptionalTextKey<&C::group>>("group"),
    key<OptionalTextKey<&C::working_directory>>("working_directory"),
    key<BooleanKey<&C::daemon_wait_for_ready>>("daemon_wait_for_ready"),
    key<IntegerKey<&C::daemon_ready_timeout_seconds, 1, kDay>>("daemon_ready_timeout_seconds"),
    key<IntegerKey<&C::daemon_notify_timeout_seconds, 1, kDay>>("daemon_notify_timeout_seconds"),
    key<TextKey<&C::upgrade_sock>>("upgrade_sock"),
    key<IntegerKey<&C::upgrade_sock_connect_accept_max_retries, 1, 1000>>(
        "upgrade_sock_connect_accept_max_retries"),
};

}  // namespace

std::span<const ConfigurationKey> configuration_keys() noexcept { return kKeys; }

std::string_view unsupported_key_reason(std::string_view name) noexcept {
  if (name == "s2n_config_cache_size") return "TLS does not come from s2n here";
  if (name == "upstream_connect_offload_threadpools" ||
      name == "upstream_connect_offload_thread_per_pool") {
    return "connections are established by the threads that serve";
  }
  return {};
}

Problem read_boolean(std::string_view name, int line, const YAML::Node& value, bool& out) {
  bool is_true = is_plain(value) && value.Scalar() == "true";
  if (!is_true && !(is_plain(value) && value.Scalar() == "false")) {
    return expected(name, line, "true or false", value);
  }
  out = is_true;
  return std::nullopt;
}

Problem read_integer(std::string_view name, int line, const YAML::Node& value, std::int64_t min,
                     std::int64_t max, std::int64_t& out) {
  if (!is_plain(value)) return expected(name, line, "an integer", value);
  const std::string& text = value.Scalar();
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) {
    return expected(name, line, "an integer", value);
  }
  if (error == std::errc::result_out_of_range) {
    return at(line, fmt::format("{}: {} is out of range ({} to {})", name, text, min, max));
  }
  return at(line, check_range(name, out, min, max));
}

Problem read_text(std::string_view name, int line, const YAML::Node& value, std::string& out) {
  if (!value.IsScalar()) return expected(name, line, "text", value);
  out = value.Scalar();
  return at(line, check_text(name, out));
}

int line_of_item(const YAML::Node& item, int line) noexcept {
  return item.Mark().is_null() ? line : item.Mark().line + 1;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  append_escaped(out, text, 64);
  out += '\'';
  return out;
}

}  // namespace pingora::internal
