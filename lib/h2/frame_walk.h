// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pingora::h2 {

/// The first bytes of a frame (RFC 9113 §4.1).
struct FrameStart {
  /// Where it begins in the input; 0 if that was in an earlier one.
  std::size_t at = 0;
  std::uint32_t size = 0;  // of the payload, in bytes
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream_id = 0;
  /// Of PRIORITY: the stream that it depends on (RFC 7540 §6.3). 0 for others.
  std::uint32_t dependency = 0;
};

/// Finds where frames begin in what arrives, however that is cut. nghttp2 tells nobody of the
/// frames that it ignores; some of them are errors.
class FrameWalk {
 public:
  /// `skipped` bytes come before the first frame.
  explicit FrameWalk(std::size_t skipped) noexcept : left_(skipped) {}

  /// Whether the last frame was of that type, and goes on in the next input.
  bool is_within(std::uint8_t type) const noexcept { return left_ != 0 && type_ == type; }

  /// The next frame whose first bytes `input` completes, from `at` on, which moves behind them.
  /// Nothing: all of `input` was looked at; go on with the next one, from 0.
  std::optional<FrameStart> next(std::string_view input, std::size_t& at) noexcept {
    std::size_t skipped = std::min(left_, input.size() - at);
    left_ -= skipped;
    at += skipped;
    std::string_view rest = input.substr(at);
    if (gathered_ == 0 && rest.size() >= kHeadSize && rest.size() >= needed(rest)) {
      FrameStart start = parse(rest);
      start.at = at;
      at += kHeadSize;
      type_ = start.type;
      left_ = start.size;
      return start;
    }
    return gather(input, at);
  }

 private:
  static constexpr std::size_t kHeadSize = 9;
  static constexpr std::size_t kWithDependency = kHeadSize + 4;
  static constexpr unsigned char kPriority = 2;
  static constexpr std::uint32_t kPrioritySize = 5;

  static std::uint32_t number(std::string_view bytes) noexcept {
    std::uint32_t result = 0;
    for (char byte : bytes) result = result << 8 | static_cast<unsigned char>(byte);
    return result;
  }
  static std::uint32_t stream_in(std::string_view bytes) noexcept {
    return number(bytes.substr(0, 4)) & 0x7fffffff;
  }
  static std::uint32_t size_in(std::string_view head) noexcept { return number(head.substr(0, 3)); }
  // Of a frame whose head is here.
  static std::size_t needed(std::string_view head) noexcept {
    bool has_dependency = head[3] == kPriority && size_in(head) == kPrioritySize;
    return has_dependency ? kWithDependency : kHeadSize;
  }
  static FrameStart parse(std::string_view bytes) noexcept {
    FrameStart start;
    start.size = size_in(bytes);
    start.type = static_cast<unsigned char>(bytes[3]);
    start.flags = static_cast<unsigned char>(bytes[4]);
    start.stream_id = stream_in(bytes.substr(5));
    if (needed(bytes) == kWithDependency) start.dependency = stream_in(bytes.substr(kHeadSize));
    return start;
  }
  // A frame whose first bytes come in several inputs.
  std::optional<FrameStart> gather(std::string_view input, std::size_t& at) noexcept {
    while (at != input.size()) {
      head_[gathered_++] = input[at++];
      std::string_view head(head_.data(), gathered_);
      if (gathered_ < kHeadSize || gathered_ < needed(head)) continue;
      FrameStart start = parse(head);
      start.at = at - std::min(at, gathered_);
      type_ = start.type;
      left_ = start.size - (gathered_ - kHeadSize);
      gathered_ = 0;
      return start;
    }
    return std::nullopt;
  }

  std::size_t left_;  // of what is passed over
  std::uint8_t type_ = 0;
  std::size_t gathered_ = 0;
  std::array<char, kWithDependency> head_;
};

}  // namespace pingora::h2
