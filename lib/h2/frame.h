// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pingora::h2 {

// Frames as they are on the wire (RFC 9113 §4.1, §6; RFC 9218 §7.1).

enum class FrameType : std::uint8_t {
  Data = 0,
  Headers = 1,
  Priority = 2,
  RstStream = 3,
  Settings = 4,
  PushPromise = 5,
  Ping = 6,
  GoAway = 7,
  WindowUpdate = 8,
  Continuation = 9,
  PriorityUpdate = 16,
};

namespace frame_flag {

inline constexpr std::uint8_t kNone = 0;
inline constexpr std::uint8_t kEndStream = 1;
inline constexpr std::uint8_t kAck = 1;
inline constexpr std::uint8_t kEndHeaders = 4;
inline constexpr std::uint8_t kPadded = 8;
inline constexpr std::uint8_t kPriority = 32;

}  // namespace frame_flag

enum class SettingId : std::uint16_t {
  HeaderTableSize = 1,
  EnablePush = 2,
  MaxConcurrentStreams = 3,
  InitialWindowSize = 4,
  MaxFrameSize = 5,
  MaxHeaderListSize = 6,
  EnableConnectProtocol = 8,
  NoRfc7540Priorities = 9,
};

inline constexpr std::string_view kClientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
inline constexpr std::size_t kFrameHeadSize = 9;
/// The largest frame that everybody takes, and the largest that we send.
inline constexpr std::uint32_t kFrameBytesDefault = 16 * 1024;
inline constexpr std::uint32_t kFrameBytesLimit = (1U << 24) - 1;
inline constexpr std::uint32_t kWindowDefault = 65535;
inline constexpr std::uint32_t kWindowMax = 0x7fffffff;
inline constexpr std::uint32_t kHeaderTableBytesDefault = 4096;
inline constexpr std::uint32_t kStreamIdMax = 0x7fffffff;
inline constexpr std::size_t kSettingSize = 6;
/// The five bytes of PRIORITY, which HEADERS may have too (RFC 7540 §6.2, §6.3).
inline constexpr std::size_t kPrioritySize = 5;

struct FrameHead {
  std::uint32_t size = 0;  // of the payload, in bytes
  FrameType type = FrameType::Data;
  std::uint8_t flags = 0;
  std::uint32_t stream_id = 0;

  bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

/// The number in the first bytes of `bytes`, which has them.
template <std::size_t Size>
constexpr std::uint32_t read_number(std::string_view bytes) noexcept {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < Size; ++i)
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}
/// The same for a stream identifier or a window's increment, without the bit that is reserved.
constexpr std::uint32_t read_number31(std::string_view bytes) noexcept {
  return read_number<4>(bytes) & kStreamIdMax;
}

/// Writes the number, and gives where it ends.
template <std::size_t Size>
constexpr char* write_number(char* place, std::uint32_t number) noexcept {
  for (std::size_t i = 0; i < Size; ++i) {
    place[i] = static_cast<char>(number >> (8 * (Size - 1 - i)));
  }
  return place + Size;
}

/// `bytes` are at least `kFrameHeadSize`.
constexpr FrameHead read_frame_head(std::string_view bytes) noexcept {
  return {.size = read_number<3>(bytes),
          .type = static_cast<FrameType>(bytes[3]),
          .flags = static_cast<std::uint8_t>(bytes[4]),
          .stream_id = read_number31(bytes.substr(5))};
}

constexpr char* write_frame_head(char* place, const FrameHead& head) noexcept {
  place = write_number<3>(place, head.size);
  *place++ = static_cast<char>(head.type);
  *place++ = static_cast<char>(head.flags);
  return write_number<4>(place, head.stream_id);
}

}  // namespace pingora::h2
