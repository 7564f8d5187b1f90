// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "h2/frame.h"

namespace pingora::h2 {

/// Cuts what arrives into frames, however it comes: of each its head, then those bytes that mean
/// something only together, then the rest as it comes, then its end. Judges nothing: whether a
/// frame may have its size is to be looked at when its head is there.
class FrameReader {
 public:
  enum class Step : std::uint8_t {
    /// All input was taken.
    NeedsMore,
    /// `head()` is that of the next frame.
    Head,
    /// `bytes()`, in one piece: all that most frames carry; of DATA and HEADERS what comes before
    /// their data; of GOAWAY what is of interest.
    Fixed,
    /// `bytes()`, some more of the payload.
    Payload,
    End,
  };

  /// The next step, with what it takes of `input` removed from that.
  Step next(std::string_view& input) {
    switch (state_) {
      case State::Head: return read_head(input);
      case State::Fixed: return read_fixed(input);
      case State::Payload: break;
    }
    if (left_ == 0) {
      state_ = State::Head;
      return Step::End;
    }
    if (input.empty()) return Step::NeedsMore;
    bytes_ = input.substr(0, left_);
    input.remove_prefix(bytes_.size());
    left_ -= static_cast<std::uint32_t>(bytes_.size());
    return Step::Payload;
  }
  const FrameHead& head() const noexcept { return head_; }
  /// Valid until the next step.
  std::string_view bytes() const noexcept { return bytes_; }

  /// How many bytes of a payload come in one piece.
  static std::uint32_t fixed_size(const FrameHead& head) noexcept {
    std::uint32_t padding = head.has(frame_flag::kPadded) ? 1 : 0;
    switch (head.type) {
      case FrameType::Data: return padding;
      case FrameType::Headers:
        return padding + (head.has(frame_flag::kPriority) ? kPrioritySize : 0);
      case FrameType::Priority:
      case FrameType::RstStream:
      case FrameType::Settings:
      case FrameType::Ping:
      case FrameType::WindowUpdate:
      case FrameType::PriorityUpdate: return head.size;
      case FrameType::GoAway: return std::min(head.size, kGoAwayKept);
      default: return 0;
    }
  }
  /// What is kept of a frame that has not arrived as a whole takes, in bytes.
  std::size_t memory() const noexcept { return gathered_.capacity(); }
  /// Gives back memory that is of no more use. Not while `bytes` are looked at.
  void trim() noexcept {
    if (gathered_.size() != gathered_for_) return;
    std::string().swap(gathered_);
    gathered_for_ = 0;
  }

 private:
  enum class State : std::uint8_t { Head, Fixed, Payload };
  // Its text is for a log.
  static constexpr std::uint32_t kGoAwayKept = 8 + 256;

  Step read_head(std::string_view& input) {
    std::optional<std::string_view> bytes = gather(input, kFrameHeadSize);
    if (!bytes) return Step::NeedsMore;
    head_ = read_frame_head(*bytes);
    left_ = head_.size;
    state_ = State::Fixed;
    return Step::Head;
  }
  Step read_fixed(std::string_view& input) {
    std::uint32_t size = fixed_size(head_);
    std::optional<std::string_view> bytes = gather(input, size);
    if (!bytes) return Step::NeedsMore;
    bytes_ = *bytes;
    left_ -= std::min(left_, size);
    state_ = State::Payload;
    return Step::Fixed;
  }
  // The next `size` bytes in one piece, once all are here.
  std::optional<std::string_view> gather(std::string_view& input, std::size_t size) {
    if (gathered_.size() == gathered_for_) {  // those were used
      gathered_.clear();
      gathered_for_ = 0;
    }
    std::size_t missing = size - gathered_.size();
    std::string_view part = input.substr(0, missing);
    input.remove_prefix(part.size());
    if (part.size() == size) return part;
    gathered_for_ = size;
    gathered_.append(part);
    if (gathered_.size() < size) return std::nullopt;
    return gathered_;
  }

  State state_ = State::Head;
  FrameHead head_;
  std::uint32_t left_ = 0;  // of the payload
  std::string_view bytes_;
  std::string gathered_;
  std::size_t gathered_for_ = 0;  // as large as it is to get
};

}  // namespace pingora::h2
