// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/header_map.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "pingora/http/field_syntax.h"

namespace pingora {
namespace {

// An arena block begins with a pointer to the block before it.
constexpr std::size_t kArenaHeader = sizeof(Block*);
constexpr std::size_t kArenaBlockMin = 1024;

Result<void> check_field(HeaderName name, std::string_view value) {
  if (!name.is_static() && !is_token(name.text())) {
    return fail(ErrorType::InvalidHttpHeader, "a field name is not a token");
  }
  if (!is_field_value(value)) {
    return fail(ErrorType::InvalidHttpHeader, "a field value has a control byte in it");
  }
  if (name.text().empty() || name.text().size() > std::numeric_limits<std::uint16_t>::max() ||
      value.size() > std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorType::InvalidHttpHeader, "a field name or value is empty or too long");
  }
  return {};
}

// Whether the comma-separated list has that element.
bool list_has(std::string_view list, std::string_view token) {
  if (list.size() < token.size()) return false;
  if (equals_ignoring_case(list, token)) return true;
  // A list of one element, as most are.
  bool is_one = std::memchr(list.data(), ',', list.size()) == nullptr;
  if (is_one) return equals_ignoring_case(trim_blanks(list), token);
  while (auto element = next_list_element(list)) {
    if (equals_ignoring_case(*element, token)) return true;
  }
  return false;
}

}  // namespace

HeaderMap& HeaderMap::operator=(HeaderMap&& other) noexcept {
  if (this != &other) {
    clear();
    steal(other);
  }
  return *this;
}

// Leaves `other` empty. This map has nothing in it.
void HeaderMap::steal(HeaderMap& other) noexcept {
  count_ = std::exchange(other.count_, 0);
  present_ = other.present_;
  other.present_.clear();
  received_ = std::move(other.received_);
  if (other.heap_entries_ != nullptr) {
    heap_entries_ = std::move(other.heap_entries_);
    entries_ = heap_entries_.get();
    capacity_ = std::exchange(other.capacity_, kInlineEntries);
    other.entries_ = other.inline_entries_;
  } else if (count_ != 0) {
    std::memcpy(entries_, other.entries_, count_ * sizeof(Entry));
  }
  arena_blocks_ = std::exchange(other.arena_blocks_, nullptr);
  arena_room_ = std::exchange(other.arena_room_, 0);
  inline_arena_used_ = std::exchange(other.inline_arena_used_, 0);
  if (inline_arena_used_ == 0) return;
  std::memcpy(inline_arena_, other.inline_arena_, inline_arena_used_);
  for (Entry& entry : std::span(entries_, count_)) {
    if ((entry.flags & kNameInArena) != 0) {
      entry.name = moved_view(entry.name_view(), other).data();
    }
    if ((entry.flags & kValueInArena) != 0) {
      entry.value = moved_view(entry.value_view(), other).data();
    }
  }
}

std::string_view HeaderMap::moved_view(std::string_view text,
                                       const HeaderMap& from) const noexcept {
  auto offset = reinterpret_cast<std::uintptr_t>(text.data()) -
                reinterpret_cast<std::uintptr_t>(from.inline_arena_);
  if (offset >= kInlineArena) return text;
  return {inline_arena_ + offset, text.size()};
}

HeaderMap HeaderMap::clone() const {
  HeaderMap copy;
  copy.copy_from(*this);
  return copy;
}

void HeaderMap::copy_from(const HeaderMap& other) {
  if (this == &other) return;
  clear();
  while (capacity_ < other.count_) grow();
  if (other.count_ != 0) std::memcpy(entries_, other.entries_, other.count_ * sizeof(Entry));
  count_ = other.count_;
  present_ = other.present_;
  received_ = other.received_;
  for (Entry& entry : std::span(entries_, count_)) {
    if ((entry.flags & kNameInArena) != 0) entry.name = keep(entry.name_view()).data();
    if ((entry.flags & kValueInArena) != 0) entry.value = keep(entry.value_view()).data();
  }
}

void HeaderMap::clear() noexcept {
  count_ = 0;
  present_.clear();
  if (!received_.empty()) received_ = Bytes();
  if (heap_entries_ != nullptr) {
    heap_entries_.reset();
    entries_ = inline_entries_;
    capacity_ = kInlineEntries;
  }
  inline_arena_used_ = 0;
  if (arena_blocks_ != nullptr) release_arena();
}

const HeaderMap::Entry* HeaderMap::find_other(std::string_view name,
                                              const Entry* from) const noexcept {
  for (const Entry* entry = from; entry != entries_ + count_; ++entry) {
    if (entry->id == HeaderId::Other && equals_ignoring_case(entry->name_view(), name)) {
      return entry;
    }
  }
  return nullptr;
}

const HeaderMap::Entry* HeaderMap::find_next(HeaderName name, const Entry* from) const noexcept {
  if (name.id() == HeaderId::Other) return find_other(name.text(), from + 1);
  for (const Entry* entry = from + 1; entry != entries_ + count_; ++entry) {
    if (entry->id == name.id()) return entry;
  }
  return nullptr;
}

std::size_t HeaderMap::count(HeaderName name) const noexcept {
  std::size_t found = 0;
  for (const Entry* entry = find(name); entry != nullptr; entry = find_next(name, entry)) ++found;
  return found;
}

bool HeaderMap::has_token(HeaderName name, std::string_view token) const noexcept {
  for (const Entry* entry = find(name); entry != nullptr; entry = find_next(name, entry)) {
    if (list_has(entry->value_view(), token)) return true;
  }
  return false;
}

Result<void> HeaderMap::insert(HeaderName name, std::string_view value) {
  auto* first = const_cast<Entry*>(find(name));
  if (first == nullptr) return append(name, value);
  if (Result<void> checked = check_field(name, value); !checked) return checked;
  // Made before anything is removed: `value` may be a view into this map.
  Entry entry = make_entry(name, value);
  remove_from(first + 1, name);
  *first = entry;
  present_.insert(entry.id);
  return {};
}

Result<void> HeaderMap::append(HeaderName name, std::string_view value) {
  if (Result<void> checked = check_field(name, value); !checked) return checked;
  push_received(make_entry(name, value));
  return {};
}

std::size_t HeaderMap::remove(HeaderName name) noexcept {
  auto* first = const_cast<Entry*>(find(name));
  if (first == nullptr) return 0;
  std::size_t removed = remove_from(first, name);
  if (name.id() != HeaderId::Other) present_.erase(name.id());
  return removed;
}

std::size_t HeaderMap::remove_from(Entry* first, HeaderName name) noexcept {
  Entry* end = entries_ + count_;
  Entry* kept = std::remove_if(first, end, [&](const Entry& entry) {
    return entry.id == name.id() &&
           (entry.id != HeaderId::Other || equals_ignoring_case(entry.name_view(), name.text()));
  });
  count_ = static_cast<std::uint32_t>(kept - entries_);
  return static_cast<std::size_t>(end - kept);
}

HeaderMap::Entry HeaderMap::make_entry(HeaderName name, std::string_view value) {
  Entry entry{};
  entry.id = name.id();
  entry.flags = kValueInArena;
  entry.name_size = static_cast<std::uint16_t>(name.text().size());
  if (name.is_static()) {
    entry.name = name.text().data();
  } else if (name.id() != HeaderId::Other && name.text() == header_name(name.id())) {
    entry.name = header_name(name.id()).data();
  } else {
    entry.name = keep(name.text()).data();
    entry.flags |= kNameInArena;
  }
  entry.value = keep(value).data();
  entry.value_size = static_cast<std::uint32_t>(value.size());
  return entry;
}

void HeaderMap::grow() {
  std::uint32_t capacity = capacity_ * 2;
  auto larger = std::make_unique_for_overwrite<Entry[]>(capacity);
  if (count_ != 0) std::memcpy(larger.get(), entries_, count_ * sizeof(Entry));
  heap_entries_ = std::move(larger);
  entries_ = heap_entries_.get();
  capacity_ = capacity;
}

std::string_view HeaderMap::keep(std::string_view text) {
  // Empty, but not null.
  if (text.empty()) return {inline_arena_, 0};  // NOLINT(bugprone-string-constructor)
  char* place = nullptr;
  if (text.size() <= kInlineArena - inline_arena_used_) {
    place = inline_arena_ + inline_arena_used_;
    inline_arena_used_ += static_cast<std::uint32_t>(text.size());
  } else {
    if (text.size() > arena_room_) {
      std::size_t capacity = std::max(kArenaBlockMin, text.size() + kArenaHeader);
      Block* block = Block::allocate(capacity);
      std::memcpy(block->data(), &arena_blocks_, kArenaHeader);
      arena_blocks_ = block;
      arena_room_ = static_cast<std::uint32_t>(block->capacity() - kArenaHeader);
    }
    place = arena_blocks_->data() + arena_blocks_->capacity() - arena_room_;
    arena_room_ -= static_cast<std::uint32_t>(text.size());
  }
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

void HeaderMap::release_arena() noexcept {
  while (arena_blocks_ != nullptr) {
    Block* block = arena_blocks_;
    std::memcpy(&arena_blocks_, block->data(), kArenaHeader);
    block->release();
  }
  arena_room_ = 0;
}

void HeaderMap::relocate_received(const char* old_base, const char* new_base) noexcept {
  auto moved = [&](const char* p) {
    return new_base +
           (reinterpret_cast<std::uintptr_t>(p) - reinterpret_cast<std::uintptr_t>(old_base));
  };
  for (Entry& entry : std::span(entries_, count_)) {
    if ((entry.flags & kNameInArena) == 0) entry.name = moved(entry.name);
    if ((entry.flags & kValueInArena) == 0) entry.value = moved(entry.value);
  }
}

void HeaderMap::extend_last_value(std::string_view more) {
  Entry& entry = entries_[count_ - 1];
  std::string_view before = entry.value_view();
  std::string joined;
  joined.reserve(before.size() + 1 + more.size());
  joined.append(before).append(1, ' ').append(more);
  std::string_view value = keep(trim_blanks(joined));
  entry.value = value.data();
  entry.value_size = static_cast<std::uint32_t>(value.size());
  entry.flags = static_cast<std::uint8_t>((entry.flags | kValueInArena) & ~kVerbatim);
}

}  // namespace pingora
