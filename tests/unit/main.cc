// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// The one main() of all Catch2 executables.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
