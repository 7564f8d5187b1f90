// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "server/parking_lot.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace pingora::internal {

using State = ParkedConnection::State;

namespace {

constexpr std::chrono::milliseconds kParkAfterMax = std::chrono::hours(1);

}  // namespace

std::shared_ptr<void> ParkedConnection::on_idle_event() noexcept {
  lot.on_event(*this);
  return nullptr;
}

void ParkingLot::park(std::unique_ptr<ParkedConnection> connection) {
  bool is_watched = connection->idle.stream->start_idle_watch(*connection);
  {
    std::lock_guard lock(mutex_);
    if (is_closed_) {
      connection->state = State::Over;
    } else if (!is_watched || connection->state == State::Over) {  // something has come already
      connection->state = State::Over;
      // What it holds may be no request: a part of a TLS record, and nothing behind it. It is not
      // to be parked and served by turns until its deadline.
      if (!is_watched) connection->park_after = std::min(2 * connection->park_after, kParkAfterMax);
      owner_.resume(std::move(connection));
      return;
    } else {
      connection->state = State::Waiting;
      if (!waiting_.empty() && connection->idle.deadline < waiting_.back()->idle.deadline) {
        is_sorted_ = false;
      }
      waiting_.push_back(*connection.release());
      ++size_;
      return;
    }
  }
  [[maybe_unused]] bool is_silent = connection->idle.stream->stop_idle_watch();
}

// Under the descriptor's mutex: whoever has taken the connection out waits for it.
void ParkingLot::on_event(ParkedConnection& connection) {
  std::lock_guard lock(mutex_);
  State before = std::exchange(connection.state, State::Over);
  if (before != State::Waiting) return;
  connection.unlink();
  --size_;
  owner_.resume(std::unique_ptr<ParkedConnection>(&connection));
}

void ParkingLot::take(ParkedConnection& connection, IntrusiveList<ParkedConnection>& taken) {
  connection.state = State::Over;
  connection.unlink();
  --size_;
  taken.push_back(connection);
}

std::size_t ParkingLot::destroy(IntrusiveList<ParkedConnection>& taken) {
  std::size_t count = 0;
  while (ParkedConnection* connection = taken.pop_front()) {
    std::unique_ptr<ParkedConnection> owned(connection);
    [[maybe_unused]] bool is_silent = owned->idle.stream->stop_idle_watch();
    ++count;
  }
  return count;
}

void ParkingLot::close_late(TimePoint now) {
  IntrusiveList<ParkedConnection> taken;
  {
    std::lock_guard lock(mutex_);
    ParkedConnection* next = waiting_.front();
    while (next != nullptr) {
      ParkedConnection* connection = std::exchange(next, waiting_.next(*next));
      if (connection->idle.deadline <= now) {
        connection->idle.count_late();
        take(*connection, taken);
      } else if (is_sorted_) {
        break;
      }
    }
    if (waiting_.empty()) is_sorted_ = true;
  }
  destroy(taken);
}

std::size_t ParkingLot::close_oldest(std::size_t count) {
  IntrusiveList<ParkedConnection> taken;
  {
    std::lock_guard lock(mutex_);
    for (; count > 0 && !waiting_.empty(); --count) take(*waiting_.front(), taken);
  }
  return destroy(taken);
}

void ParkingLot::close() {
  {
    std::lock_guard lock(mutex_);
    is_closed_ = true;
  }
  close_oldest(std::numeric_limits<std::size_t>::max());
}

}  // namespace pingora::internal
