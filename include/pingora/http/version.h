// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace pingora {

/// The version of HTTP that a message came with or is to be sent with.
enum class Version : std::uint8_t { Http10, Http11, Http2 };

/// As in a start line: "HTTP/1.1".
constexpr std::string_view to_string(Version version) noexcept {
  switch (version) {
    case Version::Http10: return "HTTP/1.0";
    case Version::Http11: return "HTTP/1.1";
    case Version::Http2: return "HTTP/2.0";
  }
  return {};
}

}  // namespace pingora
