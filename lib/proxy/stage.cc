// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "stage.h"

namespace pingora::internal {

Stage next_stage(Stage stage, Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::Answered: return Stage::Logging;
    case Outcome::Retry: return Stage::UpstreamPeer;
    case Outcome::Tunnel: return Stage::Tunnel;
    case Outcome::Failed:
      // What fails behind the answer to a failure is past answering.
      return stage == Stage::FailToProxy ? Stage::Logging
             : stage == Stage::Logging   ? Stage::End
                                         : Stage::FailToProxy;
    case Outcome::Done: break;
  }
  switch (stage) {
    case Stage::EarlyRequestFilter: return Stage::RequestModules;
    case Stage::RequestModules: return Stage::RequestFilter;
    case Stage::RequestFilter: return Stage::ProxyUpstreamFilter;
    case Stage::ProxyUpstreamFilter: return Stage::UpstreamPeer;
    case Stage::UpstreamPeer: return Stage::Connect;
    case Stage::Connect: return Stage::SendRequest;
    case Stage::SendRequest: return Stage::Transfer;
    case Stage::Transfer:
    case Stage::Tunnel:
    case Stage::FailToProxy: return Stage::Logging;
    case Stage::Logging:
    case Stage::End: return Stage::End;
  }
  return Stage::End;
}

std::string_view to_string(Stage stage) noexcept {
  switch (stage) {
    case Stage::EarlyRequestFilter: return "EarlyRequestFilter";
    case Stage::RequestModules: return "RequestModules";
    case Stage::RequestFilter: return "RequestFilter";
    case Stage::ProxyUpstreamFilter: return "ProxyUpstreamFilter";
    case Stage::UpstreamPeer: return "UpstreamPeer";
    case Stage::Connect: return "Connect";
    case Stage::SendRequest: return "SendRequest";
    case Stage::Transfer: return "Transfer";
    case Stage::Tunnel: return "Tunnel";
    case Stage::FailToProxy: return "FailToProxy";
    case Stage::Logging: return "Logging";
    case Stage::End: return "End";
  }
  return "";
}

}  // namespace pingora::internal
