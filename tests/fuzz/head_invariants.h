// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pingora/base/assert.h"
#include "pingora/base/buffer.h"
#include "pingora/h1/serializer.h"
#include "unit/h1/message_reader.h"

namespace pingora::fuzz {

/// The first byte of an input is where it is cut, the second holds the options.
struct Input {
  std::string_view bytes;
  std::size_t cut;
  h1::ParserOptions options;

  Input(const std::uint8_t* data, std::size_t size)
      : bytes(reinterpret_cast<const char*>(data), size), cut(0) {
    if (bytes.size() < 2) return;
    auto where = static_cast<unsigned char>(bytes[0]);
    auto bits = static_cast<unsigned char>(bytes[1]);
    bytes.remove_prefix(2);
    cut = bytes.size() * where / 256;
    auto leniency = [bits](int bit) {
      return (bits >> bit & 1) != 0 ? h1::Leniency::Allow : h1::Leniency::Reject;
    };
    options.allow_bare_lf = leniency(0);
    options.allow_spaces_after_response_header_name = leniency(1);
    options.allow_obs_fold_in_responses = leniency(2);
    options.allow_invalid_response_content_length = leniency(3);
    options.allow_raw_bytes_in_target = leniency(4);
    if ((bits & 0x20) != 0) {
      options.start_line_bytes_max = 40;
      options.head_bytes_max = 100;
      options.fields_max = 4;
      options.trailer_bytes_max = 30;
      options.chunk_extension_bytes_max = 8;
    }
  }
};

inline Result<void> write(const RequestHeader& head, Buffer& out) {
  h1::HeadEdits edits;
  edits.version = head.version();
  edits.target = h1::WriteTarget::AsReceived;
  return write_request_head(head, edits, out);
}

inline Result<void> write(const ResponseHeader& head, Buffer& out) {
  h1::HeadEdits edits;
  edits.version = head.version();
  return write_response_head(head, edits, out);
}

/// What is written holds no line end but those of the serializer, and no NUL.
inline void check_line_ends(std::string_view text, std::size_t lines) {
  PINGORA_ASSERT(text.find('\0') == std::string_view::npos);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r') PINGORA_ASSERT(i + 1 < text.size() && text[i + 1] == '\n');
    if (text[i] != '\n') continue;
    PINGORA_ASSERT(i > 0 && text[i - 1] == '\r');
    PINGORA_ASSERT(lines-- > 0);
  }
  PINGORA_ASSERT(lines == 0);
}

/// A message is accepted or refused however it is cut, and with the same result; an accepted head,
/// or a clone of it, written and strictly read again is the same head.
template <class Header>
void check_head(const std::uint8_t* data, std::size_t size) {
  namespace t = h1::testing;
  Input input(data, size);
  t::MessageReader<Header> reader(input.options);
  t::Outcome whole = reader.read({{input.bytes}});
  t::Outcome cut = t::read_cut<Header>(input.bytes, input.cut, input.options);
  t::Outcome dribbled = t::read_dribbled<Header>(input.bytes, 1, input.options);
  // Which limit or fault is seen first depends on the cut, and whether one is seen at all before
  // the line is there; not what is accepted.
  PINGORA_ASSERT((whole.status == 0) == (cut.status == 0));
  PINGORA_ASSERT((whole.status == 0) == (dribbled.status == 0));
  if (whole.status == 0) PINGORA_ASSERT(whole == cut && whole == dribbled);
  if (whole.start_line.empty()) return;

  Header clone = reader.head().clone();
  Header moved = std::move(clone);
  Buffer out;
  PINGORA_ASSERT(write(reader.head(), out).has_value());
  Buffer out_of_clone;
  PINGORA_ASSERT(write(moved, out_of_clone).has_value());
  PINGORA_ASSERT(out.view() == out_of_clone.view());
  check_line_ends(out.view(), moved.headers().size() + 2);

  h1::ParserOptions strict;
  strict.head_bytes_max = strict.start_line_bytes_max = out.size();
  strict.allow_raw_bytes_in_target = input.options.allow_raw_bytes_in_target;
  t::MessageReader<Header> again(strict);
  t::Outcome second = again.read({{out.view()}});
  PINGORA_ASSERT(second.start_line == whole.start_line);
  PINGORA_ASSERT(second.fields == whole.fields);
}

}  // namespace pingora::fuzz
