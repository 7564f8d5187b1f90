// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace pingora::h2 {

/// Why a stream or a connection was ended (RFC 9113 §7). A peer may send other numbers, which are
/// kept as they are.
enum class ErrorCode : std::uint32_t {
  NoError = 0,
  ProtocolError = 1,
  InternalError = 2,
  FlowControlError = 3,
  SettingsTimeout = 4,
  StreamClosed = 5,
  FrameSizeError = 6,
  /// The request was not looked at: it may be sent again (RFC 9113 §8.7).
  RefusedStream = 7,
  Cancel = 8,
  CompressionError = 9,
  ConnectError = 10,
  EnhanceYourCalm = 11,
  InadequateSecurity = 12,
  /// The peer wants HTTP/1.1 for this request.
  Http11Required = 13,
};

/// As in the RFC: "ENHANCE_YOUR_CALM"; "unknown" for other numbers. Static memory.
std::string_view to_string(ErrorCode code) noexcept;

}  // namespace pingora::h2
