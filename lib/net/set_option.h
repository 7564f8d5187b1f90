// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pingora/base/error.h"

namespace pingora {

/// setsockopt with an int. The error is a SocketError that names the option by `text`.
Result<void> set_option(int fd, int level, int name, int value, const char* text);

}  // namespace pingora
