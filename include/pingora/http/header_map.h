// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "pingora/base/bytes.h"
#include "pingora/base/error.h"
#include "pingora/http/header_id.h"

namespace pingora {

/// One field, as iteration over a HeaderMap yields it.
struct HeaderField {
  std::string_view name;
  std::string_view value;
  HeaderId id = HeaderId::Other;
};

/// The fields of a message in their order, with their case and duplicates.
///
/// Names and values are slices of the block that the message was received in, of which the map
/// keeps one reference, or of a small arena of its own. Nothing that is not a valid field can get
/// in, so whatever is written from a map is free of CR, LF and NUL.
///
/// A view that the map gave stays valid until that field is changed or removed, or the map is
/// cleared, moved or destroyed. Belongs to one strand.
class HeaderMap {
 public:
  class Iterator;
  class Values;
  class ListElements;

  HeaderMap() noexcept : entries_(inline_entries_) {}
  HeaderMap(HeaderMap&& other) noexcept : entries_(inline_entries_) { steal(other); }
  HeaderMap& operator=(HeaderMap&& other) noexcept;
  HeaderMap(const HeaderMap&) = delete;
  HeaderMap& operator=(const HeaderMap&) = delete;
  ~HeaderMap() {
    if (arena_blocks_ != nullptr) release_arena();
  }

  /// A copy that shares the received block: only the entries, and what was inserted, are copied.
  HeaderMap clone() const;
  /// Makes this map a clone of `other`.
  void copy_from(const HeaderMap& other);

  /// The value of the first field of that name.
  std::optional<std::string_view> get(HeaderName name) const noexcept;
  bool contains(HeaderName name) const noexcept { return find(name) != nullptr; }
  /// The values of all fields of that name, in order. `name`'s text must outlive the range.
  Values get_all(HeaderName name) const noexcept;
  /// How many fields have that name.
  std::size_t count(HeaderName name) const noexcept;

  /// The elements of the comma-separated list that all fields of that name make together.
  ListElements list_elements(HeaderName name) const noexcept;
  /// Whether that list has the element `token`, whatever its case.
  bool has_token(HeaderName name, std::string_view token) const noexcept;

  /// Replaces all fields of that name by one, in the place of the first or else at the end.
  /// InvalidHttpHeader if the name is not a token or the value holds a control byte but HTAB.
  Result<void> insert(HeaderName name, std::string_view value);
  /// Adds a field at the end. Errors as `insert`.
  Result<void> append(HeaderName name, std::string_view value);
  /// Removes all fields of that name and says how many there were.
  std::size_t remove(HeaderName name) noexcept;

  /// Removes the fields for which `predicate(const HeaderField&)` is true; says how many.
  template <class Predicate>
  std::size_t remove_if(Predicate predicate);

  /// How many fields there are.
  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  void clear() noexcept;

  Iterator begin() const noexcept;
  Iterator end() const noexcept;

  // What codecs and the header types use. A program has no need of it.

  /// What is stored of a field.
  struct Entry {
    const char* name;
    const char* value;
    std::uint32_t value_size;
    std::uint16_t name_size;
    HeaderId id;
    std::uint8_t flags;

    std::string_view name_view() const noexcept { return {name, name_size}; }
    std::string_view value_view() const noexcept { return {value, value_size}; }
  };
  /// Flags of an Entry. Verbatim: the bytes from `name` up to and with the two behind the value are
  /// a well-formed field line, so that they may be copied as they are.
  static constexpr std::uint8_t kVerbatim = 1;
  static constexpr std::uint8_t kNameInArena = 2;
  static constexpr std::uint8_t kValueInArena = 4;

  std::span<const Entry> entries() const noexcept { return {entries_, count_}; }
  const HeaderIdSet& present() const noexcept { return present_; }
  /// Adds a field that the caller has validated and whose bytes the caller keeps alive, by `retain`
  /// or because they are static.
  void push_received(const Entry& entry) {
    if (count_ == capacity_) grow();
    entries_[count_++] = entry;
    present_.insert(entry.id);
  }
  /// The same for many: room for at least one entry, of which the first `count` written ones are
  /// then fields; `ids` has their ids.
  std::span<Entry> free_entries() {
    if (count_ == capacity_) grow();
    return {entries_ + count_, capacity_ - count_};
  }
  void commit_entries(std::size_t count, const HeaderIdSet& ids) noexcept {
    count_ += static_cast<std::uint32_t>(count);
    present_ = present_ | ids;
  }
  /// Keeps the block that the received fields lie in.
  void retain(Bytes received) noexcept { received_ = std::move(received); }
  const Bytes& received() const noexcept { return received_; }
  /// Fields were pushed from memory that has moved meanwhile: from `old_base` to `new_base`.
  void relocate_received(const char* old_base, const char* new_base) noexcept;
  /// Appends `more` to the value of the last field, with a space between, and in the arena.
  void extend_last_value(std::string_view more);
  /// Copies `text` into the arena, where it stays until the map is cleared.
  std::string_view keep(std::string_view text);
  /// Where `text`, a view into `from`, is after `from` was moved into this map.
  std::string_view moved_view(std::string_view text, const HeaderMap& from) const noexcept;

 private:
  static constexpr std::uint32_t kInlineEntries = 24;
  static constexpr std::uint32_t kInlineArena = 256;

  const Entry* find(HeaderName name) const noexcept {
    if (!present_.contains(name.id())) return nullptr;
    if (name.id() == HeaderId::Other) return find_other(name.text(), entries_);
    const Entry* entry = entries_;
    while (entry != entries_ + count_ && entry->id != name.id()) ++entry;
    return entry != entries_ + count_ ? entry : nullptr;
  }
  const Entry* find_other(std::string_view name, const Entry* from) const noexcept;
  const Entry* find_next(HeaderName name, const Entry* from) const noexcept;
  Entry make_entry(HeaderName name, std::string_view value);
  void grow();
  void release_arena() noexcept;
  void steal(HeaderMap& other) noexcept;
  std::size_t remove_from(Entry* first, HeaderName name) noexcept;

  Entry* entries_;  // inline_entries_ or heap_entries_
  std::uint32_t count_ = 0;
  std::uint32_t capacity_ = kInlineEntries;
  HeaderIdSet present_;  // `Other` may be set without such a field being there
  Bytes received_;
  std::uint32_t inline_arena_used_ = 0;
  std::uint32_t arena_room_ = 0;   // bytes left in the newest arena block
  Block* arena_blocks_ = nullptr;  // the newest; each begins with a pointer to the one before
  std::unique_ptr<Entry[]> heap_entries_;
  Entry inline_entries_[kInlineEntries];  // neither is zeroed
  char inline_arena_[kInlineArena];
};
static_assert(sizeof(HeaderMap::Entry) == 24);

/// Yields HeaderField by value.
class HeaderMap::Iterator {
 public:
  using value_type = HeaderField;
  using difference_type = std::ptrdiff_t;

  Iterator() noexcept = default;
  explicit Iterator(const Entry* entry) noexcept : entry_(entry) {}
  HeaderField operator*() const noexcept {
    return {entry_->name_view(), entry_->value_view(), entry_->id};
  }
  Iterator& operator++() noexcept {
    ++entry_;
    return *this;
  }
  Iterator operator++(int) noexcept { return Iterator(entry_++); }
  friend bool operator==(const Iterator&, const Iterator&) noexcept = default;

 private:
  const Entry* entry_ = nullptr;
};

/// The values of the fields of one name, as a range of string_view.
class HeaderMap::Values {
 public:
  class Iterator {
   public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;

    Iterator() noexcept = default;
    Iterator(const Entry* entry, const Entry* end, HeaderName name) noexcept
        : entry_(entry), end_(end), name_(name) {
      skip();
    }
    std::string_view operator*() const noexcept { return entry_->value_view(); }
    Iterator& operator++() noexcept {
      ++entry_;
      skip();
      return *this;
    }
    Iterator operator++(int) noexcept {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
      return a.entry_ == b.entry_;
    }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) noexcept {
      return a.entry_ == a.end_;
    }

   private:
    bool matches() const noexcept {
      return entry_->id == name_.id() && (entry_->id != HeaderId::Other ||
                                          equals_ignoring_case(entry_->name_view(), name_.text()));
    }
    void skip() noexcept {
      while (entry_ != end_ && !matches()) ++entry_;
    }

    const Entry* entry_ = nullptr;
    const Entry* end_ = nullptr;
    HeaderName name_ = HeaderId::Other;
  };

  Values(std::span<const Entry> entries, HeaderName name) noexcept
      : begin_(entries.data(), entries.data() + entries.size(), name) {}
  Iterator begin() const noexcept { return begin_; }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  Iterator begin_;
};

/// The elements of a comma-separated list over all fields of one name, as a range of string_view.
class HeaderMap::ListElements {
 public:
  class Iterator {
   public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;

    Iterator() noexcept = default;
    explicit Iterator(Values::Iterator field) noexcept : field_(field) {
      if (field_ != std::default_sentinel) rest_ = *field_;
      advance();
    }
    std::string_view operator*() const noexcept { return element_; }
    Iterator& operator++() noexcept {
      advance();
      return *this;
    }
    void operator++(int) noexcept { advance(); }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) noexcept {
      return a.field_ == std::default_sentinel;
    }

   private:
    void advance() noexcept {
      while (field_ != std::default_sentinel) {
        if (auto element = next_list_element(rest_)) {
          element_ = *element;
          return;
        }
        ++field_;
        if (field_ != std::default_sentinel) rest_ = *field_;
      }
    }

    Values::Iterator field_;
    std::string_view rest_;
    std::string_view element_;
  };

  explicit ListElements(Values values) noexcept : begin_(values.begin()) {}
  Iterator begin() const noexcept { return begin_; }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  Iterator begin_;
};

template <class Predicate>
std::size_t HeaderMap::remove_if(Predicate predicate) {
  std::uint32_t kept = 0;
  HeaderIdSet present;
  for (std::uint32_t i = 0; i < count_; ++i) {
    const Entry& entry = entries_[i];
    if (predicate(HeaderField{entry.name_view(), entry.value_view(), entry.id})) continue;
    present.insert(entry.id);
    if (kept != i) entries_[kept] = entry;
    ++kept;
  }
  present_ = present;
  std::size_t removed = count_ - kept;
  count_ = kept;
  return removed;
}

inline std::optional<std::string_view> HeaderMap::get(HeaderName name) const noexcept {
  const Entry* entry = find(name);
  if (entry == nullptr) return std::nullopt;
  return entry->value_view();
}
inline HeaderMap::Values HeaderMap::get_all(HeaderName name) const noexcept {
  return present_.contains(name.id()) ? Values(entries(), name) : Values({}, name);
}
inline HeaderMap::ListElements HeaderMap::list_elements(HeaderName name) const noexcept {
  return ListElements(get_all(name));
}
inline HeaderMap::Iterator HeaderMap::begin() const noexcept { return Iterator(entries_); }
inline HeaderMap::Iterator HeaderMap::end() const noexcept { return Iterator(entries_ + count_); }

}  // namespace pingora
