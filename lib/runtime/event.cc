// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/event.h"

namespace pingora {

void Event::set() {
  std::lock_guard lock(mutex_);
  is_set_.store(true, std::memory_order_release);
  // Posted under the lock: a wait that has been cancelled under it is not posted any more.
  while (internal::WaitNode* node = waiting_.pop_front()) {
    Completion& completion = *node->completion;
    completion.strand().post(completion);
  }
}

void Event::reset() {
  std::lock_guard lock(mutex_);
  is_set_.store(false, std::memory_order_release);
}

bool Event::WaitOp::start(Completion& completion) {
  if (event_.is_set()) return true;
  std::lock_guard lock(event_.mutex_);
  if (event_.is_set()) return true;
  node_.completion = &completion;
  event_.waiting_.push_back(node_);
  return false;
}

void Event::WaitOp::cancel() {
  {
    std::lock_guard lock(event_.mutex_);
    if (node_.is_linked()) node_.unlink();
  }
  node_.completion->strand().remove(*node_.completion);
}

}  // namespace pingora
