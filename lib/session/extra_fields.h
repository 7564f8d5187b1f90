// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "pingora/base/assert.h"
#include "pingora/http/header_edits.h"

namespace pingora::internal {

/// The fields that a session adds to a head behind those that its user adds. Without allocating
/// for up to a dozen.
class ExtraFields {
 public:
  explicit ExtraFields(std::span<const ExtraField> before = {}) {
    if (before.size() > kInlineMax - kOwnMax) {
      heap_.reserve(before.size() + kOwnMax);
      heap_.assign(before.begin(), before.end());
    } else {
      std::copy(before.begin(), before.end(), inline_);
      count_ = before.size();
    }
  }
  ~ExtraFields() {}
  ExtraFields(const ExtraFields&) = delete;
  ExtraFields& operator=(const ExtraFields&) = delete;

  void add(HeaderName name, std::string_view value) {
    if (!heap_.empty()) {
      heap_.push_back({name, value});
      return;
    }
    PINGORA_ASSERT(count_ < kInlineMax);
    inline_[count_++] = {name, value};
  }
  void add_number(HeaderName name, std::uint64_t value) {
    char* end = std::to_chars(digits_, digits_ + sizeof digits_, value).ptr;
    add(name, {digits_, static_cast<std::size_t>(end - digits_)});
  }
  std::span<const ExtraField> view() const noexcept {
    if (!heap_.empty()) return heap_;
    return {inline_, count_};
  }

 private:
  static constexpr std::size_t kOwnMax = 6;
  static constexpr std::size_t kInlineMax = 18;

  std::size_t count_ = 0;
  union {
    ExtraField inline_[kInlineMax];  // not zeroed; trivial
  };
  char digits_[20];  // of the one number
  std::vector<ExtraField> heap_;
};

}  // namespace pingora::internal
