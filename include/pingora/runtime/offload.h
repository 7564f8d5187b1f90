// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "pingora/runtime/task.h"

namespace pingora {

namespace internal {

/// Queues `work` for the blocking pool of the runtime that `strand` runs on.
void submit_blocking(Strand& strand, std::move_only_function<void()> work);

template <class F>
class OffloadOp {
 public:
  using ValueType = std::invoke_result_t<F>;
  explicit OffloadOp(F function) : state_(std::make_shared<State>(std::move(function))) {}

  bool start(Completion& completion) {
    state_->completion = &completion;
    try {
      submit_blocking(completion.strand(), [state = state_] { state->run(); });
    } catch (...) {  // no thread at all: an error of whoever awaits this
      std::lock_guard lock(state_->mutex);
      state_->completion = nullptr;
      state_->result.emplace(std::unexpected(error_from_current_exception()));
      return true;
    }
    return false;
  }
  void cancel() {
    Completion* completion = nullptr;
    {
      std::lock_guard lock(state_->mutex);
      completion = std::exchange(state_->completion, nullptr);
    }
    if (completion == nullptr) completion = state_->posted;
    completion->strand().remove(*completion);
  }
  Result<ValueType> take_result() { return std::move(*state_->result); }

 private:
  // Shared by the operation and the thread that runs the function, which may outlive it.
  struct State {
    explicit State(F f) : function(std::move(f)) {}
    void run() {
      std::optional<Result<ValueType>> made;
      try {
        if constexpr (std::is_void_v<ValueType>) {
          function();
          made.emplace();
        } else {
          made.emplace(function());
        }
      } catch (...) {
        made.emplace(std::unexpected(error_from_current_exception()));
      }
      std::lock_guard lock(mutex);
      result = std::move(made);
      posted = std::exchange(completion, nullptr);
      if (posted != nullptr) posted->strand().post(*posted);
    }
    F function;
    std::mutex mutex;  // guards the three below
    Completion* completion = nullptr;
    Completion* posted = nullptr;
    std::optional<Result<ValueType>> result;
  };
  std::shared_ptr<State> state_;
};

}  // namespace internal

/// Runs `function` on a thread of the blocking pool and gives what it returns: for work known to be
/// heavy or to block. `function` owns what it uses, for cancelling does not stop it: it runs to its
/// end, and its result is dropped. An exception becomes an InternalError.
template <class F>
internal::OffloadOp<std::decay_t<F>> offload(F&& function) {
  return internal::OffloadOp<std::decay_t<F>>(std::forward<F>(function));
}

}  // namespace pingora
