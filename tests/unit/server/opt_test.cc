// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/opt.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using pingora::Opt;
using pingora::ProgramOptions;

namespace {

std::expected<Opt, Opt::Exit> parse(std::vector<const char*> arguments,
                                    const ProgramOptions& program = {}) {
  arguments.insert(arguments.begin(), "/usr/bin/gateway");
  return Opt::try_parse(static_cast<int>(arguments.size()), arguments.data(), program);
}

std::string mistake(std::vector<const char*> arguments, const ProgramOptions& program = {}) {
  auto opt = parse(std::move(arguments), program);
  if (opt) return "no mistake";
  CHECK(opt.error().code == 1);
  CHECK(opt.error().text.find('\n') == std::string::npos);
  return opt.error().text;
}

}  // namespace

TEST_CASE("Opt: nothing by default", "[opt]") {
  auto opt = parse({});
  REQUIRE(opt.has_value());
  CHECK_FALSE(opt->upgrade);
  CHECK_FALSE(opt->daemon);
  CHECK_FALSE(opt->test);
  CHECK_FALSE(opt->conf.has_value());
}

TEST_CASE("Opt: short and long options", "[opt]") {
  for (const auto& arguments : {std::vector<const char*>{"-u", "-d", "-t", "-c", "a.yaml"},
                                {"--upgrade", "--daemon", "--test", "--conf", "a.yaml"},
                                {"-udt", "--conf=a.yaml"},
                                {"-ca.yaml", "-tdu"}}) {
    auto opt = parse(arguments);
    REQUIRE(opt.has_value());
    CHECK(opt->upgrade);
    CHECK(opt->daemon);
    CHECK(opt->test);
    CHECK(opt->conf == "a.yaml");
  }
}

TEST_CASE("Opt: parse returns what try_parse does", "[opt]") {
  const char* arguments[] = {"gateway", "-c", "a.yaml"};
  CHECK(Opt::parse(3, arguments).conf == "a.yaml");
}

TEST_CASE("Opt: help is text for people and exit code 0", "[opt]") {
  std::vector<std::string> listen;
  ProgramOptions program("A gateway.");
  program.texts("--listen", "ADDR:PORT", "Where to listen", listen);
  for (const char* help : {"-h", "--help"}) {
    auto opt = parse({help}, program);
    REQUIRE_FALSE(opt.has_value());
    CHECK(opt.error().code == 0);
    const std::string& text = opt.error().text;
    INFO(text);
    CHECK(text.starts_with("A gateway."));
    for (const char* part :
         {"gateway [OPTIONS]", "-c,--conf FILE", "-d,--daemon", "-u,--upgrade", "-t,--test",
          "(not yet)", "-h,--help", "--listen ADDR:PORT", "Where to listen"}) {
      CHECK(text.find(part) != std::string::npos);
    }
    CHECK_FALSE(text.ends_with('\n'));
  }
}

TEST_CASE("Opt: a mistake is one line and exit code 1", "[opt]") {
  CHECK(mistake({"--thread"}) == "gateway: unknown option '--thread'; see --help");
  CHECK(mistake({"--thread", "3"}) == "gateway: unknown option '--thread'; see --help");
  CHECK(mistake({"stray", "--thread=3", "-x"}) == "gateway: unknown option '--thread'; see --help");
  CHECK(mistake({"-x"}) == "gateway: unknown option '-x'; see --help");
  CHECK(mistake({"file"}) == "gateway: unexpected argument 'file'; see --help");
  CHECK(mistake({"-"}) == "gateway: unexpected argument '-'; see --help");
  CHECK(mistake({"-c"}) == "gateway: --conf: 1 required FILE missing; see --help");
  CHECK(mistake({"-c", "a", "-c", "b"}) ==
        "gateway: --conf: At Most 1 required but received 2; see --help");
  CHECK(mistake({"a\nb"}).find("a\\x0ab") != std::string::npos);
}

TEST_CASE("Opt: a program has options of its own", "[opt]") {
  bool access_log = false;
  bool no_work_stealing = false;
  std::string root = "/";
  std::optional<std::string> name;
  std::vector<std::string> listen;
  std::int64_t depth = 3;
  std::optional<std::int64_t> threads;
  ProgramOptions program;
  program.flag("--access-log", "Log requests", access_log)
      .flag("--no-work-stealing", "Pin", no_work_stealing)
      .text("-r,--root", "PATH", "Root", root)
      .text("--name", "NAME", "Name", name)
      .texts("-l,--listen", "ADDR:PORT", "Listen", listen)
      .integer("--depth", "N", "Depth", depth, -5, 5)
      .integer("--threads", "N", "Threads", threads, 1, 64);

  SECTION("none is used") {
    REQUIRE(parse({}, program).has_value());
    CHECK_FALSE(access_log);
    CHECK(root == "/");
    CHECK_FALSE(name.has_value());
    CHECK(listen.empty());
    CHECK(depth == 3);
    CHECK_FALSE(threads.has_value());
  }
  SECTION("all are used, with the server's") {
    auto opt = parse({"--access-log", "-l", "a:1", "--listen=b:2", "-d", "--root", "/srv", "-l",
                      "c:3", "--name", "x y", "--depth", "-4", "--threads=64"},
                     program);
    REQUIRE(opt.has_value());
    CHECK(opt->daemon);
    CHECK(access_log);
    CHECK_FALSE(no_work_stealing);
    CHECK(root == "/srv");
    CHECK(name == "x y");
    CHECK(listen == std::vector<std::string>{"a:1", "b:2", "c:3"});
    CHECK(depth == -4);
    CHECK(threads == 64);
  }
  SECTION("mistakes name the option") {
    CHECK(mistake({"--listen"}, program) ==
          "gateway: --listen: 1 required ADDR:PORT missing; see --help");
    CHECK(mistake({"--listen", "a", "b"}, program) ==
          "gateway: unexpected argument 'b'; see --help");
    CHECK(mistake({"--name", "a", "--name", "b"}, program) ==
          "gateway: --name: At Most 1 required but received 2; see --help");
    CHECK(mistake({"--threads", "x"}, program) ==
          "gateway: --threads: 'x' is no whole number from 1 to 64; see --help");
    CHECK(mistake({"--threads", "1x"}, program) ==
          "gateway: --threads: '1x' is no whole number from 1 to 64; see --help");
    CHECK(mistake({"--threads", "0"}, program) ==
          "gateway: --threads: 0 is out of range (1 to 64); see --help");
    CHECK(mistake({"--threads", "65"}, program) ==
          "gateway: --threads: 65 is out of range (1 to 64); see --help");
    CHECK(mistake({"--threads", "99999999999999999999"}, program) ==
          "gateway: --threads: 99999999999999999999 is out of range (1 to 64); see --help");
  }
}

TEST_CASE("Opt: a program may say what texts are values, and what the file has not", "[opt]") {
  std::string colour = "red";
  std::optional<std::string> name;
  bool is_loud = false;
  ProgramOptions program;
  program.text("-k,--colour-name", "C", "", colour)
      .checked([](std::string_view text) -> std::string {
        return text == "red" || text == "blue" ? "" : "is neither red nor blue";
      })
      .text("--name", "NAME", "", name)
      .flag("--loud", "", is_loud)
      .command_line_only();
  CHECK(mistake({"-k", "green"}, program) ==
        "gateway: -k,--colour-name: 'green' is neither red nor blue; see --help");
  auto opt = parse({"-k", "blue", "--loud"}, program);
  REQUIRE(opt);
  CHECK(colour == "blue");
  CHECK(opt->given == std::vector<std::string>{"colour_name", "loud"});
}
