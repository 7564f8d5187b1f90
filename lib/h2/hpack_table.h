// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/pool.h"
#include "h2/hpack_field.h"

namespace pingora::h2 {

/// The dynamic table of an encoder (RFC 7541 §2.3.2): the fields that were put there last, as far
/// as they fit. An entry has a number, which counts up and begins again; the last has
/// `last_number()`.
class HpackTable {
 public:
  explicit HpackTable(std::uint32_t bytes_max) noexcept : bytes_max_(bytes_max) {}
  HpackTable(const HpackTable&) = delete;
  HpackTable& operator=(const HpackTable&) = delete;
  ~HpackTable() { evict_to(0); }

  /// What a field takes of the table.
  static constexpr std::uint64_t size_of(std::uint64_t name_size,
                                         std::uint64_t value_size) noexcept {
    return name_size + value_size + 32;
  }
  std::uint32_t bytes_max() const noexcept { return bytes_max_; }
  void set_bytes_max(std::uint32_t bytes) noexcept {
    bytes_max_ = bytes;
    evict_to(bytes);
  }
  /// Adds an entry, for which older ones go. False: there is no memory, or it does not fit at all.
  [[nodiscard]] bool add(const HpackField& field) noexcept;

  std::uint16_t last_number() const noexcept { return last_number_; }
  /// How many entries were added behind that with this number.
  std::size_t distance(std::uint16_t number) const noexcept {
    return static_cast<std::uint16_t>(last_number_ - number);
  }
  /// Whether there is an entry with that number, and it is this field.
  bool is_field(std::uint16_t number, const HpackField& field) const noexcept {
    if (!has(number)) return false;
    const Entry& entry = entry_of(number);
    return entry.static_name == field.static_name && entry.value() == field.value() &&
           (field.static_name != static_name::kNone || entry.name() == field.name());
  }
  /// The same for its name alone.
  bool is_name(std::uint16_t number, std::string_view name) const noexcept {
    return has(number) && entry_of(number).name() == name;
  }
  /// Bytes that it holds.
  std::size_t memory() const noexcept { return capacity_ * sizeof(Entry) + bytes_; }

 private:
  struct Entry {
    char* text;
    std::uint32_t name_size;
    std::uint32_t value_size;
    StaticName static_name;

    std::string_view name() const noexcept { return {text, name_size}; }
    std::string_view value() const noexcept { return {text + name_size, value_size}; }
  };
  // Numbers are of 16 bits.
  static constexpr std::size_t kCapacityMax = 32 * 1024;
  static constexpr std::size_t kCapacityMin = 16;

  // A number may have been another's before.
  bool has(std::uint16_t number) const noexcept { return distance(number) < count_; }
  const Entry& entry_of(std::uint16_t number) const noexcept {
    return entries_.get()[number & (capacity_ - 1)];
  }
  bool make_room() noexcept;
  void evict_to(std::uint64_t bytes) noexcept;

  struct Free {
    std::size_t capacity;
    void operator()(Entry* entries) const noexcept {
      pingora::internal::pool_give(entries,
                                   pingora::internal::pooled_size(capacity * sizeof(Entry)));
    }
  };

  std::unique_ptr<Entry[], Free> entries_{nullptr, Free{0}};  // a ring: each at its number
  std::size_t capacity_ = 0;                                  // a power of 2, or 0
  std::size_t count_ = 0;
  std::uint16_t last_number_ = 0;
  std::uint32_t bytes_max_;
  std::uint64_t bytes_ = 0;
};

}  // namespace pingora::h2
