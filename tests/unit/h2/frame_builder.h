// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pingora::h2::testing {

// Frames by hand, for what no engine would send (RFC 9113 §4.1, §6).

enum class FrameType : std::uint8_t {
  Data = 0,
  Headers = 1,
  Priority = 2,
  RstStream = 3,
  Settings = 4,
  PushPromise = 5,
  Ping = 6,
  Goaway = 7,
  WindowUpdate = 8,
  Continuation = 9,
  PriorityUpdate = 16,
};

inline constexpr std::uint8_t kEndStream = 1;
inline constexpr std::uint8_t kAck = 1;
inline constexpr std::uint8_t kEndHeaders = 4;
inline constexpr std::uint8_t kPadded = 8;

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string number32(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

inline std::string frame(FrameType type, std::uint8_t flags, std::uint32_t stream,
                         std::string_view payload) {
  std::string bytes = number32(static_cast<std::uint32_t>(payload.size())).substr(1);
  bytes.push_back(static_cast<char>(type));
  bytes.push_back(static_cast<char>(flags));
  return bytes + number32(stream) + std::string(payload);
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// An HPACK integer with a prefix of 7 bits, of which the others are `high` (RFC 7541 §5.1).
inline std::string hpack_size(std::size_t number) {
  if (number < 127) return {static_cast<char>(number)};
  std::string bytes = "\x7f";
  for (number -= 127; number >= 128; number /= 128) {
    bytes.push_back(static_cast<char>(number % 128 | 128));
  }
  bytes.push_back(static_cast<char>(number));
  return bytes;
}

/// A header block of literals that are not indexed: it means the same whatever came before.
inline std::string block(const Fields& fields) {
  std::string bytes;
  for (const auto& [name, value] : fields) {
    bytes.push_back('\0');
    bytes += hpack_size(name.size()) + name + hpack_size(value.size()) + value;
  }
  return bytes;
}

inline std::string headers(std::uint32_t stream, const Fields& fields,
                           std::uint8_t flags = kEndStream) {
  return frame(FrameType::Headers, flags | kEndHeaders, stream, block(fields));
}

/// The fields of a good request, with others behind them.
inline Fields request(const Fields& more = {}, std::string_view path = "/",
                      std::string_view method = "GET") {
  Fields fields = {{":method", std::string(method)},
                   {":scheme", "http"},
                   {":path", std::string(path)},
                   {":authority", "example.com"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

inline std::string data(std::uint32_t stream, std::string_view bytes, std::uint8_t flags = 0) {
  return frame(FrameType::Data, flags, stream, bytes);
}
inline std::string rst_stream(std::uint32_t stream, std::uint32_t code = 8) {
  return frame(FrameType::RstStream, 0, stream, number32(code));
}
inline std::string ping(std::uint8_t flags = 0) {
  return frame(FrameType::Ping, flags, 0, "12345678");
}
inline std::string settings(std::string_view payload = {}, std::uint8_t flags = 0) {
  return frame(FrameType::Settings, flags, 0, payload);
}
inline std::string setting(std::uint8_t id, std::uint32_t value) {
  return std::string{'\0', static_cast<char>(id)} + number32(value);
}
inline std::string window_update(std::uint32_t stream, std::uint32_t bytes) {
  return frame(FrameType::WindowUpdate, 0, stream, number32(bytes));
}
inline std::string goaway(std::uint32_t last, std::uint32_t code, std::string_view text = {}) {
  return frame(FrameType::Goaway, 0, 0, number32(last) + number32(code) + std::string(text));
}

/// What a client begins with.
inline std::string client_start() { return std::string(kPreface) + settings(); }

struct ParsedFrame {
  FrameType type{};
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;

  /// The number that RST_STREAM holds, or GOAWAY behind the last stream.
  std::uint32_t code() const { return payload_number(type == FrameType::Goaway ? 4 : 0); }
  std::uint32_t payload_number(std::size_t at) const {
    std::uint32_t number = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
      number = number << 8 | static_cast<unsigned char>(payload.at(i));
    }
    return number;
  }
};

/// The frames in what an engine sent.
inline std::vector<ParsedFrame> parse_frames(std::string_view bytes) {
  if (bytes.starts_with(kPreface)) bytes.remove_prefix(kPreface.size());
  std::vector<ParsedFrame> frames;
  auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes.at(at)); };
  while (!bytes.empty()) {
    std::size_t size = std::size_t{byte(0)} << 16 | std::size_t{byte(1)} << 8 | byte(2);
    ParsedFrame parsed;
    parsed.type = static_cast<FrameType>(byte(3));
    parsed.flags = byte(4);
    for (std::size_t i = 5; i < 9; ++i) parsed.stream = parsed.stream << 8 | byte(i);
    parsed.payload = bytes.substr(9, size);
    bytes.remove_prefix(9 + parsed.payload.size());
    frames.push_back(std::move(parsed));
  }
  return frames;
}

/// The first frame of that type, or nothing.
inline const ParsedFrame* find_frame(const std::vector<ParsedFrame>& frames, FrameType type) {
  for (const ParsedFrame& each : frames) {
    if (each.type == type) return &each;
  }
  return nullptr;
}

}  // namespace pingora::h2::testing
