// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "pingora/base/error.h"
#include "pingora/runtime/frame_allocator.h"
#include "pingora/runtime/strand.h"

namespace pingora {

template <class T = void>
class Task;

namespace internal {

/// What every coroutine of this library knows of itself.
struct PromiseBase : FrameAllocated {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  /// The awaiting coroutine, if it wants errors passed up through it; null if it asked to see them.
  PromiseBase* parent = nullptr;
  Strand* strand = nullptr;
  std::optional<Error> error;

  /// Passes `error` up through every coroutine that did not ask to see errors, and returns the one
  /// to resume. Those in between stay suspended for good; their owners destroy them.
  static std::coroutine_handle<> propagate(PromiseBase* promise, Error error) noexcept {
    while (promise->parent != nullptr) promise = promise->parent;
    promise->error.emplace(std::move(error));
    return promise->continuation;
  }
};

/// The running exception as an error. `std::bad_alloc` is not caught: it ends the program.
Error error_from_current_exception();

/// Told, in the strand of the awaiting coroutine, that a leaf operation is done.
class Completion : public Job {
 public:
  Completion(Run run, Strand* strand) noexcept : Job(run), strand_(strand) {}
  Strand& strand() const noexcept { return *strand_; }

 private:
  Strand* strand_;
};

}  // namespace internal

using internal::Completion;

/// An operation that a coroutine waits for and that is no coroutine itself: it lives in the frame
/// of the one that awaits it, so that nothing is allocated.
///
/// `start` begins it and returns true if it is done already; else it must see to it that the
/// completion's `run` is called once, in the completion's strand. `cancel`, called in the strand
/// and only between the two, guarantees that `run` is not called any more. `take_result` is called
/// once when it is done. Awaited, it gives `ValueType` or passes the error up; `as_result(op)`
/// gives the Result.
template <class Op>
concept LeafOperation = requires(Op op, Completion& completion) {
  typename Op::ValueType;
  { op.start(completion) } -> std::same_as<bool>;
  { op.take_result() } -> std::same_as<Result<typename Op::ValueType>>;
  op.cancel();
};

namespace internal {

enum class OnError : bool { Propagate, Return };

template <LeafOperation Op, OnError kOnError>
class LeafAwaiter : Completion {
 public:
  using T = typename Op::ValueType;
  LeafAwaiter(Op&& op, PromiseBase& promise)
      : Completion(&resume, promise.strand), op_(std::move(op)), promise_(promise) {}
  LeafAwaiter(const LeafAwaiter&) = delete;
  LeafAwaiter& operator=(const LeafAwaiter&) = delete;
  ~LeafAwaiter() {
    if (is_pending_) op_.cancel();
  }

  bool await_ready() {
    if (!op_.start(*this)) {
      is_pending_ = true;
      return false;
    }
    if constexpr (kOnError == OnError::Return) {
      return true;
    } else {
      result_.emplace(op_.take_result());
      return result_->has_value();
    }
  }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> handle) noexcept {
    if constexpr (kOnError == OnError::Propagate) {
      if (!is_pending_) return PromiseBase::propagate(&promise_, std::move(result_->error()));
    }
    handle_ = handle;
    return std::noop_coroutine();
  }
  auto await_resume() {
    if constexpr (kOnError == OnError::Return) {
      return op_.take_result();
    } else if constexpr (!std::is_void_v<T>) {
      return std::move(**result_);
    }
  }

 private:
  static void resume(Job& job) {
    auto& self = static_cast<LeafAwaiter&>(static_cast<Completion&>(job));
    self.is_pending_ = false;
    if constexpr (kOnError == OnError::Propagate) {
      self.result_.emplace(self.op_.take_result());
      if (!self.result_->has_value()) {
        PromiseBase::propagate(&self.promise_, std::move(self.result_->error())).resume();
        return;
      }
    }
    self.handle_.resume();
  }

  Op op_;
  PromiseBase& promise_;
  std::coroutine_handle<> handle_;
  // Where errors are passed up; else the operation keeps it until it is asked for.
  struct Nothing {};
  [[no_unique_address]] std::conditional_t<kOnError == OnError::Propagate, std::optional<Result<T>>,
                                           Nothing> result_;
  bool is_pending_ = false;
};

template <class Op>
struct AsResult {
  Op op;
};

/// `co_await` on a Result or an Error.
template <class T>
struct ReadyAwaiter {
  Result<T> result;
  PromiseBase& promise;
  bool await_ready() const noexcept { return result.has_value(); }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<>) noexcept {
    return PromiseBase::propagate(&promise, std::move(result.error()));
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
};

struct CurrentStrand {};
struct CurrentStrandAwaiter {
  Strand* strand;
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  Strand& await_resume() const noexcept { return *strand; }
};

/// What `co_await` accepts inside a coroutine of this library.
struct AwaitingPromise : PromiseBase {
  template <class U>
  auto await_transform(Task<U>&& task) noexcept {
    return typename Task<U>::ValueAwaiter{task, *this};
  }
  template <class U>
  auto await_transform(AsResult<Task<U>> task) noexcept {
    return typename Task<U>::ResultAwaiter{std::move(task.op), *this};
  }
  template <LeafOperation Op>
  auto await_transform(Op op) {
    return LeafAwaiter<Op, OnError::Propagate>(std::move(op), *this);
  }
  template <LeafOperation Op>
  auto await_transform(AsResult<Op> op) {
    return LeafAwaiter<Op, OnError::Return>(std::move(op.op), *this);
  }
  template <class U>
  auto await_transform(Result<U> result) {
    return ReadyAwaiter<U>{std::move(result), *this};
  }
  auto await_transform(Error error) {
    return ReadyAwaiter<void>{std::unexpected(std::move(error)), *this};
  }
  template <class A>
    requires requires(A awaitable, PromiseBase& promise) { std::move(awaitable).awaiter(promise); }
  auto await_transform(A awaitable) {
    return std::move(awaitable).awaiter(*this);
  }
  auto await_transform(CurrentStrand) noexcept { return CurrentStrandAwaiter{strand}; }
};

template <class T>
struct TaskPromise : AwaitingPromise {
  std::optional<T> value;
  template <class U>
    requires std::constructible_from<T, U&&>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  void return_value(Error failure) { error.emplace(std::move(failure)); }
  void return_value(std::unexpected<Error> failure) { error.emplace(std::move(failure.error())); }
  void return_value(Result<T> result)
    requires(!std::same_as<T, Result<T>>)
  {
    if (result) {
      value.emplace(std::move(*result));
    } else {
      error.emplace(std::move(result.error()));
    }
  }
};

template <>
struct TaskPromise<void> : AwaitingPromise {
  void return_void() noexcept {}
};

}  // namespace internal

/// The one asynchronous type: a coroutine, not started until it is awaited, that yields a T or
/// fails with an Error; or a T or an Error that is there already, without a coroutine.
///
/// `T v = co_await task;` passes an error up through the awaiting coroutines, whose frames are
/// abandoned and destroyed by their owners; `Result<T> r = co_await std::move(task).as_result();`
/// stops it. A coroutine fails with `co_return Error(...)`, or with `co_await Error(...)` where T
/// is void. An exception that leaves a coroutine becomes an InternalError.
///
/// Destroying a Task cancels what it waits for; when the destructor returns, nothing of it runs any
/// more. A Task is awaited at most once, and destroyed in the strand that it was awaited in.
template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type;
  using ValueType = T;

  /// A ready value.
  template <class U = T>
    requires(!std::is_void_v<T> && std::constructible_from<T, U &&> &&
             !std::same_as<std::remove_cvref_t<U>, Task> &&
             !std::same_as<std::remove_cvref_t<U>, Error>)
  Task(U&& value) : ready_(std::in_place, std::forward<U>(value)) {}  // NOLINT(*-explicit-*)
  /// A ready success, where there is no value.
  Task()
    requires std::is_void_v<T>
      : ready_(std::in_place) {}
  /// A ready failure.
  Task(Error error) : ready_(std::unexpected(std::move(error))) {}  // NOLINT(*-explicit-*)
  Task(std::unexpected<Error> error) : ready_(std::move(error)) {}  // NOLINT(*-explicit-*)
  Task(Result<T> result) : ready_(std::move(result)) {}             // NOLINT(*-explicit-*)

  Task(Task&& other) noexcept
      : handle_(std::exchange(other.handle_, {})), ready_(std::move(other.ready_)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      destroy();
      handle_ = std::exchange(other.handle_, {});
      ready_ = std::move(other.ready_);
    }
    return *this;
  }
  ~Task() { destroy(); }

  /// Awaited, gives a Result<T> instead of passing an error up.
  internal::AsResult<Task> as_result() && { return {std::move(*this)}; }

  /// Whether it is a value or an error already; then `take_ready` gives it without awaiting.
  bool is_ready() const noexcept { return !handle_; }
  Result<T> take_ready() && { return std::move(*ready_); }
  /// The same in place, valid as long as the task.
  Result<T>& ready() noexcept { return *ready_; }

 private:
  friend struct internal::AwaitingPromise;
  using Handle = std::coroutine_handle<promise_type>;
  explicit Task(Handle handle) noexcept : handle_(handle) {}
  void destroy() noexcept {
    if (handle_) std::exchange(handle_, {}).destroy();
  }

  struct ValueAwaiter {
    Task& task;
    internal::PromiseBase& awaiting;
    bool await_ready() const noexcept { return !task.handle_ && task.ready_->has_value(); }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> handle) noexcept {
      if (!task.handle_) {
        return internal::PromiseBase::propagate(&awaiting, std::move(task.ready_->error()));
      }
      auto& promise = task.handle_.promise();
      promise.parent = &awaiting;
      promise.strand = awaiting.strand;
      promise.continuation = handle;
      return task.handle_;
    }
    T await_resume() {
      if constexpr (!std::is_void_v<T>) {
        return task.handle_ ? std::move(*task.handle_.promise().value) : std::move(**task.ready_);
      }
    }
  };
  struct ResultAwaiter {
    Task task;
    internal::PromiseBase& awaiting;
    bool await_ready() const noexcept { return !task.handle_; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> handle) noexcept {
      auto& promise = task.handle_.promise();
      promise.strand = awaiting.strand;
      promise.continuation = handle;
      return task.handle_;
    }
    Result<T> await_resume() {
      if (!task.handle_) return std::move(*task.ready_);
      auto& promise = task.handle_.promise();
      if (promise.error) return std::unexpected(std::move(*promise.error));
      if constexpr (std::is_void_v<T>) {
        return {};
      } else {
        return std::move(*promise.value);
      }
    }
  };

  Handle handle_;
  std::optional<Result<T>> ready_;
};

template <class T>
struct Task<T>::promise_type : internal::TaskPromise<T> {
  struct Final {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(Handle handle) noexcept {
      auto& promise = handle.promise();
      if (promise.error && promise.parent != nullptr) {
        return internal::PromiseBase::propagate(promise.parent, std::move(*promise.error));
      }
      return promise.continuation;
    }
    void await_resume() const noexcept {}
  };
  Task get_return_object() noexcept { return Task(Handle::from_promise(*this)); }
  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  void unhandled_exception() { this->error.emplace(internal::error_from_current_exception()); }
};

/// Awaited, gives the Result of `op` instead of passing an error up.
template <LeafOperation Op>
internal::AsResult<Op> as_result(Op op) {
  return {std::move(op)};
}

/// `Strand& strand = co_await current_strand();`: the strand that the coroutine runs in.
inline internal::CurrentStrand current_strand() noexcept { return {}; }

}  // namespace pingora
