// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/offload.h"

#include "blocking_pool.h"
#include "pingora/runtime/runtime.h"

namespace pingora::internal {

void submit_blocking(Strand& strand, std::move_only_function<void()> work) {
  strand.worker().runtime().blocking_pool().submit(std::move(work));
}

}  // namespace pingora::internal
