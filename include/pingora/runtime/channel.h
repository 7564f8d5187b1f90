// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "pingora/runtime/event.h"

namespace pingora {

/// A queue of at most `capacity` values between coroutines, also of different strands: whoever is
/// too fast waits. Any thread. Outlives its waiters.
template <class T>
class Channel {
 public:
  class SendOp;
  class ReceiveOp;

  /// `capacity` is at least 1.
  explicit Channel(std::size_t capacity) : capacity_(capacity) {}

  /// Gives false if the channel is closed; the value is dropped then. A send that is cancelled
  /// while it waits has not happened.
  SendOp send(T value) { return SendOp(*this, std::move(value)); }
  /// Gives nothing once the channel is closed and empty. A receive that is cancelled loses nothing.
  ReceiveOp receive() { return ReceiveOp(*this); }
  /// False if the channel is full or closed.
  bool try_send(T value);
  std::optional<T> try_receive();
  /// Ends it for senders; what is queued can still be received.
  void close();

 private:
  void wake_first(IntrusiveList<internal::WaitNode>& waiting) {
    if (internal::WaitNode* node = waiting.pop_front()) {
      node->completion->strand().post(*node->completion);
    }
  }

  const std::size_t capacity_;
  std::mutex mutex_;  // guards all below
  std::deque<T> values_;
  bool is_closed_ = false;
  IntrusiveList<internal::WaitNode> senders_;
  IntrusiveList<internal::WaitNode> receivers_;
};

template <class T>
class Channel<T>::SendOp {
 public:
  using ValueType = bool;
  SendOp(Channel& channel, T value) : channel_(channel), value_(std::move(value)) {}
  bool start(Completion& completion) {
    std::lock_guard lock(channel_.mutex_);
    if (channel_.is_closed_ || channel_.values_.size() < channel_.capacity_) {
      put();
      return true;
    }
    node_.completion = &completion;
    node_.op = this;
    channel_.senders_.push_back(node_);
    return false;
  }
  void cancel() {
    {
      std::lock_guard lock(channel_.mutex_);
      if (node_.is_linked()) node_.unlink();
    }
    node_.completion->strand().remove(*node_.completion);
  }
  Result<bool> take_result() { return is_sent_; }

 private:
  friend class Channel;
  struct Node : internal::WaitNode {
    SendOp* op = nullptr;
  };
  // Under the lock: either there is room, or the channel is closed.
  void put() {
    is_sent_ = !channel_.is_closed_;
    if (!is_sent_) return;
    channel_.values_.push_back(std::move(value_));
    channel_.wake_first(channel_.receivers_);
  }

  Channel& channel_;
  T value_;
  bool is_sent_ = false;
  Node node_;
};

template <class T>
class Channel<T>::ReceiveOp {
 public:
  using ValueType = std::optional<T>;
  explicit ReceiveOp(Channel& channel) : channel_(channel) {}
  bool start(Completion& completion) {
    std::lock_guard lock(channel_.mutex_);
    if (!channel_.values_.empty() || channel_.is_closed_) return true;
    node_.completion = &completion;
    channel_.receivers_.push_back(node_);
    return false;
  }
  void cancel() {
    {
      std::lock_guard lock(channel_.mutex_);
      if (node_.is_linked()) {
        node_.unlink();
      } else if (!channel_.values_.empty()) {  // was woken for a value: that is another one's now
        channel_.wake_first(channel_.receivers_);
      }
    }
    node_.completion->strand().remove(*node_.completion);
  }
  Result<std::optional<T>> take_result() { return channel_.try_receive(); }

 private:
  Channel& channel_;
  internal::WaitNode node_;
};

template <class T>
bool Channel<T>::try_send(T value) {
  std::lock_guard lock(mutex_);
  if (is_closed_ || values_.size() >= capacity_) return false;
  values_.push_back(std::move(value));
  wake_first(receivers_);
  return true;
}

template <class T>
std::optional<T> Channel<T>::try_receive() {
  std::lock_guard lock(mutex_);
  if (values_.empty()) return std::nullopt;
  std::optional<T> value(std::move(values_.front()));
  values_.pop_front();
  if (internal::WaitNode* node = senders_.pop_front()) {
    static_cast<typename SendOp::Node*>(node)->op->put();
    node->completion->strand().post(*node->completion);
  }
  return value;
}

template <class T>
void Channel<T>::close() {
  std::lock_guard lock(mutex_);
  is_closed_ = true;
  while (internal::WaitNode* node = senders_.pop_front()) {
    node->completion->strand().post(*node->completion);
  }
  while (internal::WaitNode* node = receivers_.pop_front()) {
    node->completion->strand().post(*node->completion);
  }
}

}  // namespace pingora
