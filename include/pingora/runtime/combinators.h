// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "pingora/runtime/task.h"

namespace pingora {

namespace internal {

/// `T`, or std::monostate where T is void.
template <class T>
using NonVoid = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

/// What the children of a when_all or when_any share. Lives in the awaiting coroutine's frame.
struct Join {
  std::size_t running = 0;
  bool is_over = false;      // no need to wait for those still running
  bool is_starting = false;  // children are being started: the parent is not suspended yet
  std::coroutine_handle<> parent;

  /// A child is done and has stored its result. Returns who runs next.
  std::coroutine_handle<> child_done(bool ends_join) noexcept {
    --running;
    bool was_over = std::exchange(is_over, is_over || ends_join || running == 0);
    return is_over && !was_over && !is_starting ? parent : std::noop_coroutine();
  }
};

/// A coroutine that runs one task of a join and stores its result.
class Child {
 public:
  struct promise_type : AwaitingPromise {
    struct Final {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> handle) noexcept {
        return handle.promise().join->child_done(handle.promise().ends_join);
      }
      void await_resume() const noexcept {}
    };
    Child get_return_object() noexcept {
      return Child(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
    void return_value(bool ends) noexcept { ends_join = ends; }
    void unhandled_exception() { std::terminate(); }  // the task's own promise has caught it
    Join* join = nullptr;
    bool ends_join = false;
  };

  Child(Child&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  ~Child() {
    if (handle_) handle_.destroy();
  }
  void start(Join& join, Strand* strand) {
    ++join.running;
    handle_.promise().join = &join;
    handle_.promise().strand = strand;
    handle_.resume();
  }

 private:
  explicit Child(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

enum class EndsJoin : bool { OnError, Always };

template <EndsJoin kEnds, class T>
Child run_child(Task<T> task, std::optional<Result<T>>* result) {
  result->emplace(co_await std::move(task).as_result());
  co_return kEnds == EndsJoin::Always || !(*result)->has_value();
}

/// Starts tasks side by side in the awaiting coroutine's strand, and ends when all are done or one
/// ends the join. Those still running then are cancelled when this is destroyed.
template <EndsJoin kEnds, class... Ts>
class JoinAwaiter {
 public:
  explicit JoinAwaiter(Strand* strand, Task<Ts>... tasks)
      : JoinAwaiter(strand, std::index_sequence_for<Ts...>(), std::move(tasks)...) {}
  JoinAwaiter(const JoinAwaiter&) = delete;
  JoinAwaiter& operator=(const JoinAwaiter&) = delete;

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> handle) {
    join_.parent = handle;
    join_.is_starting = true;
    join_.running = 1;  // ours, so that a child that is done at once does not end the join
    for (std::optional<Child>& child : children_) {
      if (join_.is_over) break;
      child->start(join_, strand_);
    }
    if (--join_.running == 0) join_.is_over = true;
    join_.is_starting = false;
    return !join_.is_over;
  }
  std::tuple<std::optional<Result<Ts>>...> await_resume() {
    for (std::optional<Child>& child : children_) child.reset();
    return std::move(results_);
  }

 private:
  template <std::size_t... kIndices>
  JoinAwaiter(Strand* strand, std::index_sequence<kIndices...>, Task<Ts>... tasks)
      : strand_(strand),
        children_{run_child<kEnds>(std::move(tasks), &std::get<kIndices>(results_))...} {}

  Strand* strand_;
  Join join_;
  std::tuple<std::optional<Result<Ts>>...> results_;
  std::array<std::optional<Child>, sizeof...(Ts)> children_;
};

/// Tasks to be joined, on their way into a JoinAwaiter.
template <EndsJoin kEnds, class... Ts>
struct Joining {
  std::tuple<Task<Ts>...> tasks;
  auto awaiter(PromiseBase& promise) && {
    return std::apply(
        [&promise](Task<Ts>&... each) {
          return JoinAwaiter<kEnds, Ts...>(promise.strand, std::move(each)...);
        },
        tasks);
  }
};

template <class... Ts, std::size_t... kIndices>
std::variant<Result<Ts>...> first_of(std::tuple<std::optional<Result<Ts>>...>& results,
                                     std::index_sequence<kIndices...>) {
  std::optional<std::variant<Result<Ts>...>> first;
  auto look = [&first]<std::size_t kIndex>(auto& result) {
    if (result && !first) first.emplace(std::in_place_index<kIndex>, std::move(*result));
  };
  (look.template operator()<kIndices>(std::get<kIndices>(results)), ...);
  return std::move(*first);
}

template <class T>
NonVoid<T> value_of(std::optional<Result<T>>& result) {
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(**result);
  }
}

}  // namespace internal

/// Runs tasks side by side in the caller's strand and gives all their values. The first error
/// cancels the others, and is passed on once they are gone. Cancelling it cancels all.
template <class... Ts>
Task<std::tuple<internal::NonVoid<Ts>...>> when_all(Task<Ts>... tasks) {
  auto results =
      co_await internal::Joining<internal::EndsJoin::OnError, Ts...>{{std::move(tasks)...}};
  std::optional<Error> error;
  auto look = [&error](auto& result) {
    if (!error && result && !result->has_value()) error.emplace(std::move(result->error()));
  };
  std::apply([&look](auto&... each) { (look(each), ...); }, results);
  if (error) co_return std::move(*error);
  co_return std::apply(
      [](auto&... each) {
        return std::tuple<internal::NonVoid<Ts>...>(internal::value_of(each)...);
      },
      results);
}

/// Runs tasks side by side in the caller's strand until one is done, and gives its Result; the
/// variant's index says which. The others are cancelled and gone by then. Where several are done at
/// once, the first of them in the order of the arguments counts.
template <class... Ts>
Task<std::variant<Result<Ts>...>> when_any(Task<Ts>... tasks) {
  auto results =
      co_await internal::Joining<internal::EndsJoin::Always, Ts...>{{std::move(tasks)...}};
  co_return internal::first_of(results, std::index_sequence_for<Ts...>());
}

}  // namespace pingora
