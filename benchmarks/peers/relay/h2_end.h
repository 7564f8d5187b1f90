// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// The relay's HTTP/2 towards clients, which it trusts: whatever ends a stream is the same request,
// windows are large enough, and nothing is decoded. A response is the same head, and its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

class H2End {
 public:
  /// What is to be sent first, and once: SETTINGS.
  static constexpr std::string_view kStart = {"\0\0\0\4\0\0\0\0\0", 9};

  /// Takes what a client has sent; `rest` keeps a frame that is not whole. Calls `on_request(id)`
  /// for each stream that the client has ended. What is to be sent at once is appended to `output`.
  template <class OnRequest>
  static void read(std::string& rest, std::string_view arrived, std::string& output,
                   OnRequest on_request) {
    bool is_cut = !rest.empty();
    if (is_cut) rest.append(arrived);
    std::string_view bytes = is_cut ? std::string_view(rest) : arrived;
    if (bytes.starts_with("PRI * ")) bytes.remove_prefix(kPrefaceSize);
    while (bytes.size() >= kHeadSize) {
      std::size_t size = kHeadSize + number(bytes.substr(0, 3));
      if (bytes.size() < size) break;
      char type = bytes[3];
      bool has_first_flag = (bytes[4] & 1) != 0;
      if (type == kHeaders && has_first_flag) on_request(number(bytes.substr(5, 4)));
      if (type == kSettings && !has_first_flag) output.append("\0\0\0\4\1\0\0\0\0", kHeadSize);
      bytes.remove_prefix(size);
    }
    std::string left(bytes);
    rest.swap(left);
  }

  /// Appends a response to `output`: of an origin that says Content-Length, as it came.
  static void write(std::uint32_t id, std::string_view response, std::string& output) {
    std::size_t head = response.find("\r\n\r\n");
    if (head == std::string_view::npos) return;
    std::string_view body = response.substr(head + 4);
    std::string length = std::to_string(body.size());
    // :status 200, and content-length as a literal.
    std::string block = "\x88\x0f\x0d";
    block += static_cast<char>(length.size());
    block += length;
    write_head(block.size(), kHeaders, kEndHeaders, id, output);
    output += block;
    write_head(body.size(), kData, kEndStream, id, output);
    output += body;
  }

 private:
  static constexpr std::size_t kPrefaceSize = 24;
  static constexpr std::size_t kHeadSize = 9;
  static constexpr char kData = 0;
  static constexpr char kHeaders = 1;
  static constexpr char kSettings = 4;
  static constexpr char kEndStream = 1;
  static constexpr char kEndHeaders = 4;

  static std::uint32_t number(std::string_view bytes) {
    std::uint32_t result = 0;
    for (char byte : bytes) result = result << 8 | static_cast<unsigned char>(byte);
    return result;
  }

  static void write_head(std::size_t size, char type, char flags, std::uint32_t id,
                         std::string& output) {
    auto byte = [](std::size_t number, int shift) { return static_cast<char>(number >> shift); };
    const char head[] = {byte(size, 16), byte(size, 8), byte(size, 0), type,       flags,
                         byte(id, 24),   byte(id, 16),  byte(id, 8),   byte(id, 0)};
    output.append(head, sizeof(head));
  }
};
