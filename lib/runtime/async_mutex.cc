// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/async_mutex.h"

namespace pingora {

void AsyncMutex::unlock() {
  std::lock_guard lock(mutex_);
  internal::WaitNode* next = waiting_.pop_front();
  if (next == nullptr) {
    is_locked_ = false;
  } else {  // stays locked: it is the next one's now
    next->completion->strand().post(*next->completion);
  }
}

bool AsyncMutex::LockOp::start(Completion& completion) {
  std::lock_guard lock(mutex_.mutex_);
  if (!std::exchange(mutex_.is_locked_, true)) return true;
  node_.completion = &completion;
  mutex_.waiting_.push_back(node_);
  return false;
}

void AsyncMutex::LockOp::cancel() {
  bool was_given = false;
  {
    std::lock_guard lock(mutex_.mutex_);
    was_given = !node_.is_linked();
    if (!was_given) node_.unlink();
  }
  node_.completion->strand().remove(*node_.completion);
  if (was_given) mutex_.unlock();
}

}  // namespace pingora
