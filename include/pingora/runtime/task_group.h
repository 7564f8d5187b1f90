// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task.h"

namespace pingora {

/// Owns running tasks, each under a strand of its own: the place where every coroutine that nobody
/// awaits has its owner.
///
/// All functions may be called from any thread. Before the group dies its tasks must have ended:
/// await `join`, or call `join_blocking`; the destructor checks that.
class TaskGroup {
 public:
  /// Where a task runs until it first waits: later on its worker, or at once on the calling thread,
  /// which saves a wake-up where the task is known to wait soon.
  enum class Start : bool { Later, AtOnce };

  explicit TaskGroup(Runtime& runtime);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  /// Runs `task` on the least loaded worker. An error that it ends with is logged. Behind `cancel`,
  /// the task is dropped.
  void spawn(Task<> task);
  void spawn_on(Worker& worker, Task<> task, Start start = Start::Later);

  /// Cancels all tasks, each in its strand, and every one spawned from now on. Returns at once.
  void cancel();
  /// Waits until all tasks have ended and are destroyed. Cancelling it does not cancel them.
  Task<> join();
  /// As `join`, blocking the calling thread, which must be none of the runtime's.
  void join_blocking();
  /// Tasks that have not ended.
  std::size_t size() const;

  /// A group's state, shared with the tasks' last steps.
  class State;

 private:
  Runtime& runtime_;
  std::shared_ptr<State> state_;
};

/// Runs `task` on `runtime` and blocks the calling thread until it is done.
template <class T>
Result<T> block_on(Runtime& runtime, Task<T> task);

namespace internal {
template <class T>
Task<> store_result(Task<T> task, std::optional<Result<T>>* result) {
  result->emplace(co_await std::move(task).as_result());
}
}  // namespace internal

template <class T>
Result<T> block_on(Runtime& runtime, Task<T> task) {
  std::optional<Result<T>> result;
  TaskGroup group(runtime);
  group.spawn(internal::store_result(std::move(task), &result));
  group.join_blocking();
  return std::move(*result);
}

}  // namespace pingora
