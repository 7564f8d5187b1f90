// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "pingora/base/assert.h"

namespace pingora {

/// The links of an element that is in at most one list at a time. Neither copies nor moves.
class ListHook {
 public:
  ListHook() noexcept = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;

  bool is_linked() const noexcept { return next_ != nullptr; }
  /// Takes the element out of whichever list it is in.
  void unlink() noexcept {
    PINGORA_DEBUG_ASSERT(is_linked());
    prev_->next_ = next_;
    next_->prev_ = prev_;
    next_ = prev_ = nullptr;
  }

 private:
  template <class T>
  friend class IntrusiveList;
  ListHook* prev_ = nullptr;
  ListHook* next_ = nullptr;
};

/// A doubly linked list of elements that derive from ListHook. Owns nothing: an element must be
/// unlinked before it dies; a list that dies first unlinks what is in it. Not synchronised.
template <class T>
class IntrusiveList {
 public:
  IntrusiveList() noexcept { head_.prev_ = head_.next_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    while (pop_front() != nullptr) {
    }
  }

  bool empty() const noexcept { return head_.next_ == &head_; }
  void push_back(T& element) noexcept { insert_before(&head_, hook(element)); }
  void push_front(T& element) noexcept { insert_before(head_.next_, hook(element)); }
  T* front() noexcept { return empty() ? nullptr : element(head_.next_); }
  T* back() noexcept { return empty() ? nullptr : element(head_.prev_); }
  T* pop_front() noexcept {
    T* first = front();
    if (first != nullptr) hook(*first)->unlink();
    return first;
  }
  /// The element behind `current`, or null.
  T* next(T& current) noexcept {
    ListHook* behind = hook(current)->next_;
    return behind == &head_ ? nullptr : element(behind);
  }
  /// Moves all elements of `other` behind those of this list, in constant time.
  void splice_back(IntrusiveList& other) noexcept {
    if (other.empty() || &other == this) return;
    ListHook* first = other.head_.next_;
    ListHook* last = other.head_.prev_;
    other.head_.prev_ = other.head_.next_ = &other.head_;
    first->prev_ = head_.prev_;
    head_.prev_->next_ = first;
    last->next_ = &head_;
    head_.prev_ = last;
  }

 private:
  static ListHook* hook(T& element) noexcept { return static_cast<ListHook*>(&element); }
  static T* element(ListHook* hook) noexcept { return static_cast<T*>(hook); }
  static void insert_before(ListHook* position, ListHook* hook) noexcept {
    PINGORA_DEBUG_ASSERT(!hook->is_linked());
    hook->prev_ = position->prev_;
    hook->next_ = position;
    position->prev_->next_ = hook;
    position->prev_ = hook;
  }

  ListHook head_;
};

}  // namespace pingora
