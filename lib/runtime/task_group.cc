// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/task_group.h"

#include <condition_variable>
#include <mutex>

#include "pingora/base/assert.h"
#include "pingora/base/log.h"
#include "pingora/base/mutex.h"
#include "pingora/runtime/event.h"

namespace pingora {
namespace {

class Root;

}  // namespace

// Roots link themselves in and out under mutex_; a root's cancel job is posted under it too, so
// that a root that has unlinked itself is not posted any more.
class TaskGroup::State {
 public:
  mutable Mutex mutex;
  std::condition_variable_any is_empty;
  IntrusiveList<ListHook> roots;
  std::size_t count = 0;
  bool is_cancelled = false;
  Event no_tasks;  // set while count is 0
};

namespace {

// The coroutine that owns a spawned task. Its frame is the only thing that keeps the task; it is
// destroyed when the task ends, or by the cancel job.
class Root {
 public:
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;
  Handle handle;
};

struct Root::promise_type : internal::AwaitingPromise, ListHook {
  struct StartJob : Job {
    using Job::Job;
    promise_type* promise = nullptr;
  };
  struct Final {
    bool await_ready() const noexcept { return false; }
    void await_suspend(Handle handle) noexcept { handle.promise().finish(); }
    void await_resume() const noexcept {}
  };

  Root get_return_object() noexcept { return {Handle::from_promise(*this)}; }
  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  void return_void() noexcept {}
  void unhandled_exception() { std::terminate(); }  // the task's own promise has caught it

  void finish();

  std::shared_ptr<TaskGroup::State> state;
  StrandRef strand_ref;
  StartJob start_job{
      [](Job& job) { Handle::from_promise(*static_cast<StartJob&>(job).promise).resume(); }};
  StartJob cancel_job{[](Job& job) { static_cast<StartJob&>(job).promise->finish(); }};
};

void Root::promise_type::finish() {
  {
    std::lock_guard lock(state->mutex);
    unlink();
  }
  strand->remove(cancel_job);
  strand->remove(start_job);
  strand->worker().remove_load();
  auto kept_state = std::move(state);
  StrandRef kept_strand = std::move(strand_ref);
  Handle::from_promise(*this).destroy();
  kept_strand->end_deadlines();
  std::lock_guard lock(kept_state->mutex);
  if (--kept_state->count == 0) {
    kept_state->no_tasks.set();
    kept_state->is_empty.notify_all();
  }
}

Root run_root(Task<> task) {
  Result<void> result = co_await std::move(task).as_result();
  if (!result) log_error("a background task failed: {}", result.error().to_string());
}

}  // namespace

TaskGroup::TaskGroup(Runtime& runtime) : runtime_(runtime), state_(std::make_shared<State>()) {
  state_->no_tasks.set();
}

TaskGroup::~TaskGroup() { PINGORA_ASSERT(size() == 0); }

void TaskGroup::spawn(Task<> task) { spawn_on(runtime_.least_loaded_worker(), std::move(task)); }

void TaskGroup::spawn_on(Worker& worker, Task<> task, Start start) {
  auto& promise = run_root(std::move(task)).handle.promise();
  StrandRef strand = StrandRef::make(worker);  // ours while the task may end on another thread
  promise.state = state_;
  promise.strand_ref = strand;
  promise.strand = strand.get();
  promise.start_job.promise = promise.cancel_job.promise = &promise;
  worker.add_load();
  {
    std::lock_guard lock(state_->mutex);
    if (state_->count++ == 0) state_->no_tasks.reset();
    state_->roots.push_back(promise);
    if (state_->is_cancelled) {
      strand->post(promise.cancel_job);
      return;
    }
    if (start == Start::Later) {
      strand->post(promise.start_job);
      return;
    }
    // Entered under the lock, so that a cancel from another thread comes behind the start.
    [[maybe_unused]] bool entered = strand->enter_or_enqueue(promise.start_job);
    PINGORA_DEBUG_ASSERT(entered);
  }
  strand->run_entered(promise.start_job);
}

void TaskGroup::cancel() {
  std::lock_guard lock(state_->mutex);
  if (std::exchange(state_->is_cancelled, true)) return;
  for (ListHook* hook = state_->roots.front(); hook != nullptr; hook = state_->roots.next(*hook)) {
    auto& promise = static_cast<Root::promise_type&>(*hook);
    promise.strand->post(promise.cancel_job);
  }
}

Task<> TaskGroup::join() {
  auto state = state_;
  co_await state->no_tasks.wait();
}

void TaskGroup::join_blocking() {
  std::unique_lock lock(state_->mutex);
  state_->is_empty.wait(lock, [this] { return state_->count == 0; });
}

std::size_t TaskGroup::size() const {
  std::lock_guard lock(state_->mutex);
  return state_->count;
}

}  // namespace pingora
