// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace pingora {

/// The version of this library, as "major.minor.patch". The build reads it from here.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace pingora
