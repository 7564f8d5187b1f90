// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "h2/memory.h"

namespace pingora::h2 {

/// Header compression (RFC 7541), by nghttp2, as it arrives. `memory` outlives the object, and is
/// brought back for whatever is called; without memory for a new one, the constructor throws
/// std::bad_alloc.
class HpackDecoder {
 public:
  enum class Status : std::uint8_t {
    Ok,
    /// `on_field` said so. Nothing can be decoded any more.
    Stopped,
    /// No valid block: the connection can not go on.
    Malformed,
    OutOfMemory,
  };

  explicit HpackDecoder(Memory& memory);
  HpackDecoder(const HpackDecoder&) = delete;
  HpackDecoder& operator=(const HpackDecoder&) = delete;
  ~HpackDecoder();

  /// The peer knows that our table has this size. Between blocks.
  [[nodiscard]] bool set_table_size(std::uint32_t bytes) noexcept;
  /// Decodes the next bytes of a block. Calls `on_field(name, value)` for each field, which says
  /// whether to go on; the text is valid during the call. Behind the last bytes: `finish`.
  template <class OnField>
  Status decode(std::string_view bytes, OnField on_field) {
    memory_.bring_back();
    while (true) {
      nghttp2_nv field;
      int flags = 0;
      std::ptrdiff_t taken = decode_some(bytes, field, flags);
      if (taken < 0) return status_of(taken);
      bytes.remove_prefix(static_cast<std::size_t>(taken));
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        if (!on_field(text(field.name, field.namelen), text(field.value, field.valuelen))) {
          return Status::Stopped;
        }
      } else if (bytes.empty()) {
        return Status::Ok;
      }
    }
  }
  /// Ends the block.
  Status finish() noexcept;

 private:
  std::ptrdiff_t decode_some(std::string_view bytes, nghttp2_nv& field, int& flags) noexcept;
  static Status status_of(std::ptrdiff_t error) noexcept {
    return error == NGHTTP2_ERR_NOMEM ? Status::OutOfMemory : Status::Malformed;
  }
  static std::string_view text(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
  }

  Memory& memory_;
  nghttp2_hd_inflater* inflater_ = nullptr;
};

}  // namespace pingora::h2
