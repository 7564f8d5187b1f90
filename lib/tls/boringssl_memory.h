// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pingora::internal {

/// To be called by whoever makes an SSL_CTX, so that the linker takes the file with BoringSSL's
/// memory hooks, to which BoringSSL itself refers but weakly. Does nothing.
void link_boringssl_memory() noexcept;

}  // namespace pingora::internal
