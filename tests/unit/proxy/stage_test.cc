// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "proxy/stage.h"

#include <catch2/catch.hpp>
#include <initializer_list>

using pingora::internal::next_stage;
using pingora::internal::Outcome;
using pingora::internal::Stage;

namespace {

constexpr std::initializer_list<Stage> kAllStages = {
    Stage::EarlyRequestFilter,  Stage::RequestModules, Stage::RequestFilter,
    Stage::ProxyUpstreamFilter, Stage::UpstreamPeer,   Stage::Connect,
    Stage::SendRequest,         Stage::Transfer,       Stage::Tunnel,
    Stage::FailToProxy,         Stage::Logging,        Stage::End};

}  // namespace

TEST_CASE("Exchange stages: a request that goes well passes each once", "[proxy]") {
  Stage stage = Stage::EarlyRequestFilter;
  for (Stage expected : {Stage::RequestModules, Stage::RequestFilter, Stage::ProxyUpstreamFilter,
                         Stage::UpstreamPeer, Stage::Connect, Stage::SendRequest, Stage::Transfer,
                         Stage::Logging, Stage::End, Stage::End}) {
    stage = next_stage(stage, Outcome::Done);
    CHECK(to_string(stage) == to_string(expected));
  }
}

TEST_CASE("Exchange stages: the whole chart", "[proxy]") {
  for (Stage stage : kAllStages) {
    INFO(to_string(stage));
    CHECK(next_stage(stage, Outcome::Answered) == Stage::Logging);
    CHECK(next_stage(stage, Outcome::Retry) == Stage::UpstreamPeer);
    CHECK(next_stage(stage, Outcome::Tunnel) == Stage::Tunnel);
  }
  for (Stage stage : {Stage::EarlyRequestFilter, Stage::RequestModules, Stage::RequestFilter,
                      Stage::ProxyUpstreamFilter, Stage::UpstreamPeer, Stage::Connect,
                      Stage::SendRequest, Stage::Transfer, Stage::Tunnel}) {
    INFO(to_string(stage));
    CHECK(next_stage(stage, Outcome::Failed) == Stage::FailToProxy);
  }
  CHECK(next_stage(Stage::FailToProxy, Outcome::Failed) == Stage::Logging);
  CHECK(next_stage(Stage::Logging, Outcome::Failed) == Stage::End);
  CHECK(next_stage(Stage::Tunnel, Outcome::Done) == Stage::Logging);
  CHECK(next_stage(Stage::FailToProxy, Outcome::Done) == Stage::Logging);
}
