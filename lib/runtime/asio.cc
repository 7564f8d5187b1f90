// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Asio's own code, compiled once.
#include <asio/impl/src.hpp>
