// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/configuration.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "pingora/server/opt.h"

using namespace std::chrono_literals;
using pingora::Configuration;
using pingora::ErrorType;
using pingora::Opt;
using pingora::ProgramOptions;
using pingora::Result;

namespace {

std::string error_of(const Result<Configuration>& result) {
  return result ? "no error" : std::string(result.error().context());
}
std::string error_of(const Result<void>& result) {
  return result ? "no error" : std::string(result.error().context());
}
std::string error_of_yaml(std::string_view text) {
  return error_of(Configuration::from_yaml(text, "conf.yaml"));
}

// A directory that goes when this does.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pingora_test_XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, std::string_view text) const {
    std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("Configuration: has Pingora's defaults where they are sane", "[configuration]") {
  Configuration configuration;
  CHECK(configuration.version == 1);
  CHECK(configuration.threads == pingora::usable_cores());
  CHECK(configuration.work_stealing);
  CHECK(configuration.listener_tasks_per_fd == 1);
  CHECK(configuration.max_blocking_threads == 64);
  CHECK(configuration.max_retries == 15);
  CHECK(configuration.upstream_keepalive_pool_size == 1024);
  CHECK(configuration.grace_period_seconds == 300s);
  CHECK(configuration.graceful_shutdown_timeout_seconds == 5s);
  CHECK_FALSE(configuration.daemon);
  CHECK_FALSE(configuration.pid_file);
  CHECK(configuration.upgrade_sock == "/tmp/pingora_upgrade.sock");
  CHECK_FALSE(configuration.ca_file.has_value());
  CHECK(configuration.client_bind_to_ipv4.empty());
  CHECK(error_of(configuration.validate()) == "no error");
}

TEST_CASE("Configuration: usable_cores is what the affinity mask has", "[configuration]") {
  unsigned one = 0;
  std::thread([&one] {
    cpu_set_t all;
    REQUIRE(::sched_getaffinity(0, sizeof(all), &all) == 0);
    int first = 0;
    while (!CPU_ISSET(first, &all)) ++first;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(first, &only);
    REQUIRE(::sched_setaffinity(0, sizeof(only), &only) == 0);
    one = pingora::usable_cores();
  }).join();
  CHECK(one == 1);
  CHECK(pingora::usable_cores() >= 1);
}

TEST_CASE("Configuration: reads every key", "[configuration]") {
  auto result = Configuration::from_yaml(R"(---
version: 1
threads: 3
work_stealing: false
listener_tasks_per_fd: 2
max_blocking_threads: 7
blocking_threads_ttl_seconds: 11
max_retries: 4
upstream_keepalive_pool_size: 0
client_bind_to_ipv4: [127.0.0.2, "127.0.0.3"]
client_bind_to_ipv6:
  - ::1
ca_file: /etc/ssl/ca.pem
upstream_debug_ssl_keylog: true
grace_period_seconds: 12
graceful_shutdown_timeout_seconds: 13
daemon: true
pid_file: /run/p.pid
error_log: /var/log/p.log
user: nobody
group: 1000
working_directory: /srv
daemon_wait_for_ready: true
daemon_ready_timeout_seconds: 14
daemon_notify_timeout_seconds: 15
upgrade_sock: /run/p.sock
upgrade_sock_connect_accept_max_retries: 16
)",
                                         "conf.yaml");
  REQUIRE(error_of(result) == "no error");
  CHECK(result->version == 1);
  CHECK(result->threads == 3);
  CHECK_FALSE(result->work_stealing);
  CHECK(result->listener_tasks_per_fd == 2);
  CHECK(result->max_blocking_threads == 7);
  CHECK(result->blocking_threads_ttl_seconds == 11s);
  CHECK(result->max_retries == 4);
  CHECK(result->upstream_keepalive_pool_size == 0);
  CHECK(result->client_bind_to_ipv4 == std::vector<std::string>{"127.0.0.2", "127.0.0.3"});
  CHECK(result->client_bind_to_ipv6 == std::vector<std::string>{"::1"});
  CHECK(result->ca_file == "/etc/ssl/ca.pem");
  CHECK(result->upstream_debug_ssl_keylog);
  CHECK(result->grace_period_seconds == 12s);
  CHECK(result->graceful_shutdown_timeout_seconds == 13s);
  CHECK(result->daemon);
  CHECK(result->pid_file == "/run/p.pid");
  CHECK(result->error_log == "/var/log/p.log");
  CHECK(result->user == "nobody");
  CHECK(result->group == "1000");
  CHECK(result->working_directory == "/srv");
  CHECK(result->daemon_wait_for_ready);
  CHECK(result->daemon_ready_timeout_seconds == 14s);
  CHECK(result->daemon_notify_timeout_seconds == 15s);
  CHECK(result->upgrade_sock == "/run/p.sock");
  CHECK(result->upgrade_sock_connect_accept_max_retries == 16);
}

TEST_CASE("Configuration: nothing in the file is all defaults", "[configuration]") {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "---\n# nothing\n...\n", "~"}) {
    auto result = Configuration::from_yaml(text, "conf.yaml");
    INFO("text: " << text);
    REQUIRE(error_of(result) == "no error");
    CHECK(result->max_retries == 15);
  }
}

TEST_CASE("Configuration: an optional text without value keeps its default", "[configuration]") {
  auto result = Configuration::from_yaml("error_log:\nuser: ~\ngroup: null\n", "conf.yaml");
  REQUIRE(error_of(result) == "no error");
  CHECK_FALSE(result->error_log.has_value());
  CHECK_FALSE(result->user.has_value());
  CHECK_FALSE(result->group.has_value());
}

TEST_CASE("Configuration: says on one line what is wrong and where", "[configuration]") {
  struct Case {
    const char* text;
    const char* error;
  };
  auto [text, error] = GENERATE(values<Case>({
      // Keys.
      {"version: 1\n\n# x\n\n\n\nthraeds: 2\n", "conf.yaml:7: unknown key 'thraeds'"},
      {"Threads: 2\n", "conf.yaml:1: unknown key 'Threads'"},
      {"? \"a\\nb\"\n: 1\n", "conf.yaml:1: unknown key 'a\\x0ab'"},
      {"threads: 1\ndaemon: false\nthreads: 1\n",
       "conf.yaml:3: duplicate key 'threads' (first on line 1)"},
      {"threads: 1\n[a]: 1\n", "conf.yaml:2: a key must be plain text"},
      {"<<: {threads: 1}\n", "conf.yaml:1: unknown key '<<'"},
      {"s2n_config_cache_size: 10\n",
       "conf.yaml:1: key 's2n_config_cache_size' is not supported: TLS does not come from s2n "
       "here"},
      {"\nupstream_connect_offload_threadpools: 1\n",
       "conf.yaml:2: key 'upstream_connect_offload_threadpools' is not supported: connections are "
       "established by the threads that serve"},
      // Documents.
      {"- threads\n", "conf.yaml:1: expected keys and values, found a list"},
      {"\nthreads\n", "conf.yaml:2: expected keys and values, found 'threads'"},
      {"threads: 1\n---\nthreads: 2\n", "conf.yaml:3: more than one document"},
      {"threads: 1\nuser: [a\n", "conf.yaml:2: not YAML: end of sequence flow not found"},
      {"threads: 1\n  daemon: true\n", "conf.yaml:2: not YAML: illegal map value"},
      {"user: \"abc\n", "conf.yaml:1: not YAML: illegal EOF in scalar"},
      {"user: 'abc\nthreads: 4\n\n", "conf.yaml:2: not YAML: illegal EOF in scalar"},
      {"user: *nobody\n", "conf.yaml:1: not YAML: the referenced anchor is not defined"},
      // Integers.
      {"threads: many\n", "conf.yaml:1: threads: expected an integer, found 'many'"},
      {"threads: \"4\"\n", "conf.yaml:1: threads: expected an integer, found '4'"},
      {"threads: 1.5\n", "conf.yaml:1: threads: expected an integer, found '1.5'"},
      {"threads: 0x10\n", "conf.yaml:1: threads: expected an integer, found '0x10'"},
      {"threads: 1e2\n", "conf.yaml:1: threads: expected an integer, found '1e2'"},
      {"threads: +1\n", "conf.yaml:1: threads: expected an integer, found '+1'"},
      {"threads:\n", "conf.yaml:1: threads: expected an integer, found nothing"},
      {"threads: [1]\n", "conf.yaml:1: threads: expected an integer, found a list"},
      {"threads: {a: 1}\n", "conf.yaml:1: threads: expected an integer, found keys and values"},
      {"threads: 0\n", "conf.yaml:1: threads: 0 is out of range (1 to 1024)"},
      {"threads: -1\n", "conf.yaml:1: threads: -1 is out of range (1 to 1024)"},
      {"threads: 1025\n", "conf.yaml:1: threads: 1025 is out of range (1 to 1024)"},
      {"threads: 99999999999999999999\n",
       "conf.yaml:1: threads: 99999999999999999999 is out of range (1 to 1024)"},
      {"version: 2\n", "conf.yaml:1: version: 2 is out of range (1 to 1)"},
      {"listener_tasks_per_fd: 0\n",
       "conf.yaml:1: listener_tasks_per_fd: 0 is out of range (1 to 1024)"},
      {"max_blocking_threads: 0\n",
       "conf.yaml:1: max_blocking_threads: 0 is out of range (1 to 4096)"},
      {"blocking_threads_ttl_seconds: 86401\n",
       "conf.yaml:1: blocking_threads_ttl_seconds: 86401 is out of range (0 to 86400)"},
      {"max_retries: 256\n", "conf.yaml:1: max_retries: 256 is out of range (0 to 255)"},
      {"upstream_keepalive_pool_size: 1000001\n",
       "conf.yaml:1: upstream_keepalive_pool_size: 1000001 is out of range (0 to 1000000)"},
      {"grace_period_seconds: 86401\n",
       "conf.yaml:1: grace_period_seconds: 86401 is out of range (0 to 86400)"},
      {"graceful_shutdown_timeout_seconds: -1\n",
       "conf.yaml:1: graceful_shutdown_timeout_seconds: -1 is out of range (0 to 86400)"},
      {"daemon_ready_timeout_seconds: 0\n",
       "conf.yaml:1: daemon_ready_timeout_seconds: 0 is out of range (1 to 86400)"},
      {"daemon_notify_timeout_seconds: 0\n",
       "conf.yaml:1: daemon_notify_timeout_seconds: 0 is out of range (1 to 86400)"},
      {"upgrade_sock_connect_accept_max_retries: 0\n",
       "conf.yaml:1: upgrade_sock_connect_accept_max_retries: 0 is out of range (1 to 1000)"},
      // Truth values.
      {"daemon: yes\n", "conf.yaml:1: daemon: expected true or false, found 'yes'"},
      {"work_stealing: 'true'\n",
       "conf.yaml:1: work_stealing: expected true or false, found 'true'"},
      {"daemon: []\n", "conf.yaml:1: daemon: expected true or false, found a list"},
      {"daemon:\n", "conf.yaml:1: daemon: expected true or false, found nothing"},
      // Texts.
      {"pid_file: [a]\n", "conf.yaml:1: pid_file: expected text, found a list"},
      {"pid_file: ''\n", "conf.yaml:1: pid_file: may not be empty"},
      {"user: ''\n", "conf.yaml:1: user: may not be empty"},
      {"user: [a]\n", "conf.yaml:1: user: expected text, found a list"},
      {"error_log: {a: b}\n", "conf.yaml:1: error_log: expected text, found keys and values"},
      {"pid_file: \"/a\\0b\"\n", "conf.yaml:1: pid_file: '/a\\x00b' contains a zero byte"},
      // Addresses.
      {"client_bind_to_ipv4: 127.0.0.1\n",
       "conf.yaml:1: client_bind_to_ipv4: expected a list of addresses, found '127.0.0.1'"},
      {"client_bind_to_ipv4:\n  - 127.0.0.1\n  - 127.0.1\n",
       "conf.yaml:3: client_bind_to_ipv4: '127.0.1' is not an IPv4 address"},
      {"client_bind_to_ipv4: [::1]\n",
       "conf.yaml:1: client_bind_to_ipv4: '::1' is not an IPv4 address"},
      {"client_bind_to_ipv6: [127.0.0.1]\n",
       "conf.yaml:1: client_bind_to_ipv6: '127.0.0.1' is not an IPv6 address"},
      {"client_bind_to_ipv6:\n- [a]\n",
       "conf.yaml:2: client_bind_to_ipv6: expected an address, found a list"},
  }));
  auto result = Configuration::from_yaml(text, "conf.yaml");
  CHECK(error_of(result) == error);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().type() == ErrorType::ConfigError);
}

TEST_CASE("Configuration: takes values at the ends of their ranges", "[configuration]") {
  auto [text, unused] = GENERATE(table<const char*, int>({
      {"threads: 1", 0},
      {"threads: 1024", 0},
      {"max_retries: 0", 0},
      {"max_retries: 255", 0},
      {"upstream_keepalive_pool_size: 1000000", 0},
      {"grace_period_seconds: 0", 0},
      {"grace_period_seconds: 86400", 0},
  }));
  CHECK(error_of_yaml(text) == "no error");
}

TEST_CASE("Configuration: a long or strange value is cut and escaped", "[configuration]") {
  std::string error = error_of_yaml("threads: " + std::string(1000, 'x'));
  CHECK(error ==
        "conf.yaml:1: threads: expected an integer, found '" + std::string(64, 'x') + "...'");
  CHECK(error_of_yaml("threads: caf\xc3\xa9") ==
        "conf.yaml:1: threads: expected an integer, found 'caf\\xc3\\xa9'");
}

TEST_CASE("Configuration: any bytes give an error or a configuration", "[configuration]") {
  std::string valid = "threads: 2\nuser: \"a\"\nclient_bind_to_ipv4: [127.0.0.1]\n";
  for (std::size_t i = 0; i < valid.size(); ++i) {
    for (int byte = 0; byte < 256; byte += 5) {
      std::string text = valid;
      text[i] = static_cast<char>(byte);
      std::string error = error_of_yaml(text);
      REQUIRE(error.find('\n') == std::string::npos);
      REQUIRE((error == "no error" || error.starts_with("conf.yaml:")));
    }
    std::string error = error_of_yaml(valid.substr(0, i));
    REQUIRE((error == "no error" || error.starts_with("conf.yaml:")));
  }
}

TEST_CASE("Configuration: very deep nesting is an error", "[configuration]") {
  std::string error = error_of_yaml("threads: " + std::string(100'000, '['));
  CHECK(error.starts_with("conf.yaml:1: "));
}

TEST_CASE("Configuration: from_file reads a file", "[configuration]") {
  TemporaryDirectory directory;
  auto result = Configuration::from_file(directory.write("a.yaml", "threads: 5\n"));
  REQUIRE(error_of(result) == "no error");
  CHECK(result->threads == 5);
  std::string wrong = directory.write("b.yaml", "\nthraeds: 5\n");
  CHECK(error_of(Configuration::from_file(wrong)) == wrong + ":2: unknown key 'thraeds'");
}

TEST_CASE("Configuration: a file that can not be read says which and why", "[configuration]") {
  TemporaryDirectory directory;
  auto missing = Configuration::from_file(directory.path() + "/none.yaml");
  CHECK(error_of(missing) ==
        directory.path() + "/none.yaml: cannot open: No such file or directory");
  CHECK(missing.error().type() == ErrorType::FileOpenError);
  auto not_a_file = Configuration::from_file(directory.path());
  CHECK(error_of(not_a_file) == directory.path() + ": cannot read: Is a directory");
  CHECK(not_a_file.error().type() == ErrorType::FileReadError);
  CHECK(error_of(Configuration::from_file("")) == ": cannot open: No such file or directory");
  CHECK(error_of(Configuration::from_file("a\nb")) ==
        "a\\x0ab: cannot open: No such file or directory");
}

TEST_CASE("Configuration: a file of 1 MiB is read and a larger one is not", "[configuration]") {
  TemporaryDirectory directory;
  std::string text = "threads: 2\n#";
  text.resize(std::size_t{1} << 20, 'x');
  auto result = Configuration::from_file(directory.write("a.yaml", text));
  CHECK(error_of(result) == "no error");
  std::string larger = directory.write("b.yaml", text + "x");
  CHECK(error_of(Configuration::from_file(larger)) == larger + ": larger than 1 MiB");
}

TEST_CASE("Configuration: validate checks what a program has set", "[configuration]") {
  struct Case {
    void (*change)(Configuration&);
    const char* error;
  };
  auto [change, error] = GENERATE(values<Case>({
      {[](Configuration& c) { c.threads = 0; }, "threads: 0 is out of range (1 to 1024)"},
      {[](Configuration& c) { c.grace_period_seconds = -1s; },
       "grace_period_seconds: -1 is out of range (0 to 86400)"},
      {[](Configuration& c) { c.upstream_keepalive_pool_size = SIZE_MAX; },
       "upstream_keepalive_pool_size: 9223372036854775807 is out of range (0 to 1000000)"},
      {[](Configuration& c) { c.pid_file = ""; }, "pid_file: may not be empty"},
      {[](Configuration& c) { c.user = ""; }, "user: may not be empty"},
      {[](Configuration& c) { c.client_bind_to_ipv4 = {"localhost"}; },
       "client_bind_to_ipv4: 'localhost' is not an IPv4 address"},
      {[](Configuration& c) { c.client_bind_to_ipv6 = {"::1", "::g"}; },
       "client_bind_to_ipv6: '::g' is not an IPv6 address"},
  }));
  Configuration configuration;
  change(configuration);
  auto result = configuration.validate();
  CHECK(error_of(result) == error);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().type() == ErrorType::ConfigError);
}

TEST_CASE("Configuration: validate checks what must fit together", "[configuration]") {
  struct Case {
    void (*change)(Configuration&);
    const char* error;
  };
  auto [change, error] = GENERATE(values<Case>({
      {[](Configuration& c) { c.daemon_wait_for_ready = c.daemon = true; }, "no error"},
      {[](Configuration& c) { c.pid_file = "p.pid"; }, "no error"},
      {[](Configuration& c) {
         c.daemon = true;
         c.pid_file = "p.pid";
       },
       "pid_file: 'p.pid' must be an absolute path for a daemon"},
      {[](Configuration& c) {
         c.daemon = true;
         c.upgrade_sock = "p.sock";
       },
       "upgrade_sock: 'p.sock' must be an absolute path for a daemon"},
      {[](Configuration& c) {
         c.daemon = true;
         c.error_log = "log/x";
       },
       "error_log: 'log/x' must be an absolute path for a daemon"},
      {[](Configuration& c) {
         c.daemon = true;
         c.working_directory = "srv";
       },
       "working_directory: 'srv' must be an absolute path for a daemon"},
      {[](Configuration& c) {
         c.daemon = true;
         c.ca_file = "ca.pem";
       },
       "ca_file: 'ca.pem' must be an absolute path for a daemon"},
      {[](Configuration& c) { c.ca_file = "/nonexistent/ca.pem"; },
       "ca_file: '/nonexistent/ca.pem': No such file or directory"},
      {[](Configuration& c) { c.pid_file = c.upgrade_sock; },
       "upgrade_sock: may not be the same file as pid_file"},
      {[](Configuration& c) { c.upgrade_sock = "/" + std::string(106, 's'); }, "no error"},
      {[](Configuration& c) { c.upgrade_sock = "/" + std::string(107, 's'); },
       "upgrade_sock: longer than the 107 bytes of a Unix socket's path"},
  }));
  Configuration configuration;
  change(configuration);
  CHECK(error_of(configuration.validate()) == error);
}

TEST_CASE("Configuration: load puts file and command line together", "[configuration]") {
  TemporaryDirectory directory;
  auto defaults = Configuration::load({});
  REQUIRE(error_of(defaults) == "no error");
  CHECK_FALSE(defaults->daemon);

  Opt opt;
  opt.conf = directory.write("a.yaml", "threads: 6\n");
  opt.daemon = true;
  auto both = Configuration::load(opt);
  REQUIRE(error_of(both) == "no error");
  CHECK(both->threads == 6);
  CHECK(both->daemon);

  opt.conf = directory.write("b.yaml", "pid_file: b.pid\n");
  CHECK(error_of(Configuration::load(opt)) ==
        *opt.conf + ": pid_file: 'b.pid' must be an absolute path for a daemon");
  opt.conf = directory.write("c.yaml", "threads: x\n");
  CHECK(error_of(Configuration::load(opt)) ==
        *opt.conf + ":1: threads: expected an integer, found 'x'");
}

namespace {

// A program's options, as a configuration file and a command line have set them.
struct Colours {
  bool is_loud = false;
  std::string name = "none";
  std::optional<std::string> nick;
  std::vector<std::string> listen;
  std::int64_t depth = 3;
  ProgramOptions program;

  Colours() {
    program.flag("--loud", "", is_loud)
        .text("-n,--full-name", "NAME", "", name)
        .text("--nick", "NAME", "", nick)
        .checked([](std::string_view text) -> std::string {
          return text.starts_with('n') ? "" : "is no nickname";
        })
        .texts("-l,--listen", "ADDR", "", listen)
        .checked([](std::string_view text) -> std::string {
          return text.contains(':') ? "" : "has no port";
        })
        .integer("--depth", "N", "", depth, -5, 5)
        .flag("--no-work-stealing", "", is_loud)
        .command_line_only();
  }

  // What is wrong, or "no error".
  std::string load(std::string_view text, std::vector<const char*> arguments = {}) {
    TemporaryDirectory directory;
    std::string conf = directory.write("c.yaml", text);
    arguments.insert(arguments.begin(), {"colours", "-c", conf.c_str()});
    auto opt = Opt::try_parse(static_cast<int>(arguments.size()), arguments.data(), program);
    REQUIRE(opt);
    std::string error = error_of(Configuration::load(*opt, program));
    return error.starts_with(conf) ? "c.yaml" + error.substr(conf.size()) : error;
  }
};

}  // namespace

TEST_CASE("Configuration: the options of a program are keys of the file", "[configuration]") {
  Colours colours;
  REQUIRE(colours.load("threads: 1\nloud: true\nfull_name: a b\nnick: nb\n"
                       "listen:\n  - a:1\n  - b:2\ndepth: -4\n") == "no error");
  CHECK(colours.is_loud);
  CHECK(colours.name == "a b");
  CHECK(colours.nick == "nb");
  CHECK(colours.listen == std::vector<std::string>{"a:1", "b:2"});
  CHECK(colours.depth == -4);
}

TEST_CASE("Configuration: a list of one is a text, and no value is the default",
          "[configuration]") {
  Colours colours;
  REQUIRE(colours.load("listen: a:1\nfull_name:\nnick: ~\ndepth:\nloud: false\n") == "no error");
  CHECK(colours.listen == std::vector<std::string>{"a:1"});
  CHECK(colours.name == "none");
  CHECK_FALSE(colours.nick);
  CHECK(colours.depth == 3);
  CHECK_FALSE(colours.is_loud);
  REQUIRE(colours.load("listen: []\n") == "no error");
}

TEST_CASE("Configuration: the command line goes before the file", "[configuration]") {
  Colours colours;
  REQUIRE(colours.load("full_name: file\nnick: nfile\nlisten: [a:1, b:2]\ndepth: 1\n",
                       {"-n", "line", "--listen", "c:3", "--depth", "2", "--loud"}) == "no error");
  CHECK(colours.name == "line");
  CHECK(colours.nick == "nfile");
  CHECK(colours.listen == std::vector<std::string>{"c:3"});
  CHECK(colours.depth == 2);
  CHECK(colours.is_loud);
  // What is not used is looked at all the same.
  CHECK(colours.load("depth: 6\n", {"--depth", "2"}) ==
        "c.yaml:1: depth: 6 is out of range (-5 to 5)");
}

TEST_CASE("Configuration: mistakes in a program's keys are said as those in the server's",
          "[configuration]") {
  struct Case {
    const char* text;
    const char* error;
  };
  auto [text, error] = GENERATE(values<Case>({
      {"threads: 1\nlouder: true\n", "c.yaml:2: unknown key 'louder'"},
      {"full-name: a\n", "c.yaml:1: unknown key 'full-name'"},
      {"n: a\n", "c.yaml:1: unknown key 'n'"},
      {"'': a\n", "c.yaml:1: unknown key ''"},
      {"no_work_stealing: true\n", "c.yaml:1: unknown key 'no_work_stealing'"},
      {"depth: 1\ndepth: 1\n", "c.yaml:2: duplicate key 'depth' (first on line 1)"},
      {"loud: yes\n", "c.yaml:1: loud: expected true or false, found 'yes'"},
      {"loud:\n", "c.yaml:1: loud: expected true or false, found nothing"},
      {"\nfull_name: [a]\n", "c.yaml:2: full_name: expected text, found a list"},
      {"full_name: ''\n", "c.yaml:1: full_name: may not be empty"},
      {"nick: bert\n", "c.yaml:1: nick: 'bert' is no nickname"},
      {"listen:\n  - a:1\n  - b\n", "c.yaml:3: listen: 'b' has no port"},
      {"listen:\n  - a:1\n  -\n", "c.yaml:3: listen: expected text, found nothing"},
      {"listen: {a: b}\n", "c.yaml:1: listen: expected text, found keys and values"},
      {"listen: [[a:1]]\n", "c.yaml:1: listen: expected text, found a list"},
      {"depth: six\n", "c.yaml:1: depth: expected an integer, found 'six'"},
      {"depth: -6\n", "c.yaml:1: depth: -6 is out of range (-5 to 5)"},
      {"depth: 99999999999999999999\n",
       "c.yaml:1: depth: 99999999999999999999 is out of range (-5 to 5)"},
  }));
  CHECK(Colours().load(text) == error);
}
