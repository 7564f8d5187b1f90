// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/task.h"

#include <new>

namespace pingora::internal {

Error error_from_current_exception() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    std::terminate();
  } catch (const std::exception& e) {
    return Error::internal(std::string("exception: ") + e.what());
  } catch (...) {
    return Error::internal("exception of an unknown type");
  }
}

}  // namespace pingora::internal
