// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/version.h"

#include <algorithm>
#include <catch2/catch.hpp>

TEST_CASE("Version: has three parts", "[base]") {
  CHECK(std::ranges::count(pingora::kVersion, '.') == 2);
}
