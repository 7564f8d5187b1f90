// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace pingora {
namespace {
constexpr std::uint64_t kNoTick = ~std::uint64_t{0};
}  // namespace

bool TimerWheel::insert(TimerNode& node, TimePoint expiry, Strand& strand, Job& job) {
  std::lock_guard lock(mutex_);
  if (node.is_linked()) node.unlink();
  node.strand_ = &strand;
  node.job_ = &job;
  return set(node, expiry);
}

bool TimerWheel::move(TimerNode& node, TimePoint expiry) {
  std::lock_guard lock(mutex_);
  if (!node.is_linked()) return false;
  node.unlink();
  return set(node, expiry);
}

bool TimerWheel::set(TimerNode& node, TimePoint expiry) {
  auto past_start = std::max(expiry - start_, Duration::zero());
  // Rounded up, so that nothing fires early, and at least one tick from now.
  auto tick = static_cast<std::uint64_t>((past_start + kTick - Duration(1)) / kTick);
  constexpr std::uint64_t kFarthest = (std::uint64_t{1} << (kLevels * kSlotBits)) - 1;
  node.tick_ = std::clamp(tick, now_ + 1, now_ + kFarthest);
  node.expiry_.store(expiry.time_since_epoch().count(), std::memory_order_relaxed);
  place(node);
  std::uint64_t before = std::exchange(next_, std::min(next_, node.tick_));
  return next_ < before;
}

void TimerWheel::remove(TimerNode& node) {
  std::lock_guard lock(mutex_);
  if (!node.is_linked()) return;
  node.unlink();  // the slot's bit stays until the slot comes up: an empty slot costs nothing then
  node.expiry_.store(kNever.time_since_epoch().count(), std::memory_order_relaxed);
}

void TimerWheel::place(TimerNode& node) {
  std::uint64_t distance = node.tick_ - now_;
  int level = 0;
  while (level + 1 < kLevels && distance >= (std::uint64_t{1} << ((level + 1) * kSlotBits))) {
    ++level;
  }
  std::uint64_t slot = (node.tick_ >> (level * kSlotBits)) % kSlots;
  levels_[level].occupied |= std::uint64_t{1} << slot;
  levels_[level].slots[slot].push_back(node);
}

// The first tick after now_ at which a slot with nodes comes up, on any level.
std::uint64_t TimerWheel::next_tick() const {
  std::uint64_t next = kNoTick;
  for (int level = 0; level < kLevels; ++level) {
    std::uint64_t occupied = levels_[level].occupied;
    if (occupied == 0) continue;
    int shift = level * kSlotBits;
    std::uint64_t current = (now_ >> shift) % kSlots;
    // Bit 0 of the rotated word is the slot behind the current one.
    auto rotated = std::rotr(occupied, static_cast<int>((current + 1) % kSlots));
    std::uint64_t steps = static_cast<std::uint64_t>(std::countr_zero(rotated)) + 1;
    next = std::min(next, ((now_ >> shift) + steps) << shift);
  }
  return next;
}

void TimerWheel::cascade(int level) {
  std::uint64_t slot = (now_ >> (level * kSlotBits)) % kSlots;
  std::uint64_t bit = std::uint64_t{1} << slot;
  if ((levels_[level].occupied & bit) == 0) return;
  levels_[level].occupied &= ~bit;
  IntrusiveList<TimerNode> nodes;
  nodes.splice_back(levels_[level].slots[slot]);
  while (TimerNode* node = nodes.pop_front()) place(*node);
}

void TimerWheel::advance(TimePoint now) {
  auto target = static_cast<std::uint64_t>(std::max(now - start_, Duration::zero()) / kTick);
  std::lock_guard lock(mutex_);
  for (;;) {
    fire_current_slot();
    std::uint64_t next = next_tick();
    if (next > target) {
      now_ = std::max(now_, target);
      next_ = next_tick();
      return;
    }
    now_ = next;
    for (int level = kLevels - 1; level > 0; --level) {
      if (now_ % (std::uint64_t{1} << (level * kSlotBits)) == 0) cascade(level);
    }
  }
}

// The jobs are posted under the lock: see TimerWheel::remove.
void TimerWheel::fire_current_slot() {
  std::uint64_t slot = now_ % kSlots;
  IntrusiveList<TimerNode>& nodes = levels_[0].slots[slot];
  while (TimerNode* node = nodes.front()) {
    if (node->tick_ > now_) break;
    node->unlink();
    node->expiry_.store(kNever.time_since_epoch().count(), std::memory_order_relaxed);
    node->strand_->post(*node->job_);
  }
  if (nodes.empty()) levels_[0].occupied &= ~(std::uint64_t{1} << slot);
}

TimePoint TimerWheel::next_advance() const {
  std::lock_guard lock(mutex_);
  return next_ == kNoTick ? kNever : start_ + kTick * static_cast<std::int64_t>(next_);
}

}  // namespace pingora
