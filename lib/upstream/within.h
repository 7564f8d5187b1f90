// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "pingora/base/clock.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/timer.h"

namespace pingora::internal {

inline Task<> sleep_until(TimePoint deadline) { co_await sleep_for(deadline - Clock::now()); }

/// What `task` gives, or ConnectTimedout with `what` as its context when that is not there by
/// `deadline`; the task is cancelled then. For what has no deadline of its own.
template <class T>
Task<T> within(TimePoint deadline, std::string what, Task<T> task) {
  if (task.is_ready() || deadline == kNever) co_return co_await std::move(task);
  auto first = co_await when_any(std::move(task), sleep_until(deadline));
  if (first.index() == 1) co_return Error::explain(ErrorType::ConnectTimedout, what);
  co_return std::move(std::get<0>(first));
}

}  // namespace pingora::internal
