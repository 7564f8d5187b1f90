// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/hpack_table.h"

#include <algorithm>
#include <utility>

namespace pingora::h2 {

using pingora::internal::pool_give;
using pingora::internal::pool_take;
using pingora::internal::pooled_size;

bool HpackTable::add(const HpackField& field) noexcept {
  std::string_view name = field.name();
  std::string_view value = field.value();
  std::uint64_t size = size_of(name.size(), value.size());
  if (size > bytes_max_) return false;
  evict_to(bytes_max_ - size);
  if (count_ == capacity_ && !make_room()) return false;
  auto* text = static_cast<char*>(pool_take(pooled_size(name.size() + value.size())));
  if (text == nullptr) return false;
  value.copy(text + name.copy(text, name.size()), value.size());
  ++last_number_;
  ++count_;
  bytes_ += size;
  entries_[last_number_ & (capacity_ - 1)] = {text, field.name_size, field.value_size,
                                              field.static_name};
  return true;
}

bool HpackTable::make_room() noexcept {
  std::size_t capacity = std::max(2 * capacity_, kCapacityMin);
  if (capacity > kCapacityMax) return false;
  auto* memory = static_cast<Entry*>(pool_take(pooled_size(capacity * sizeof(Entry))));
  if (memory == nullptr) return false;
  std::unique_ptr<Entry[], Free> larger(memory, Free{capacity});
  for (std::size_t i = 0; i < count_; ++i) {
    auto number = static_cast<std::uint16_t>(last_number_ - i);
    larger[number & (capacity - 1)] = entry_of(number);
  }
  entries_ = std::move(larger);
  capacity_ = capacity;
  return true;
}

void HpackTable::evict_to(std::uint64_t bytes) noexcept {
  while (bytes_ > bytes) {
    auto oldest = static_cast<std::uint16_t>(last_number_ - (count_ - 1));
    const Entry& entry = entry_of(oldest);
    bytes_ -= size_of(entry.name_size, entry.value_size);
    pool_give(entry.text, pooled_size(entry.name_size + entry.value_size));
    --count_;
  }
}

}  // namespace pingora::h2
