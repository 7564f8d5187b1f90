// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "pingora/base/buffer.h"
#include "pingora/base/error.h"
#include "pingora/http/header_edits.h"
#include "pingora/http/header_map.h"
#include "pingora/http/hop_by_hop.h"
#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora::h1 {

/// Which form of an absolute-form target is written.
enum class WriteTarget : std::uint8_t {
  /// Its path and query: what an origin server expects.
  Origin,
  /// As it is: what a forward proxy expects.
  AsReceived,
};

/// Changes made to a head while it is written, so that forwarding needs no copy of it.
struct HeadEdits {
  /// Fields with these ids are left out.
  HeaderIdSet skip;
  /// Fields of this set are left out: hop-by-hop and nominated ones, or null.
  const HopByHopFields* hop_by_hop = nullptr;
  /// Fields to add at the end.
  std::span<const ExtraField> add;
  /// The version to write instead of the header's own.
  Version version = Version::Http11;
  WriteTarget target = WriteTarget::Origin;
};

/// Appends the head to `out`: start line, fields, empty line. Runs of fields that are as they were
/// received are copied at once.
///
/// InvalidHttpHeader, with nothing written, if an added field is no valid field; everything in the
/// header is valid already, so no CR, LF or NUL can come out of data.
Result<void> write_request_head(const RequestHeader& request, const HeadEdits& edits, Buffer& out);
Result<void> write_response_head(const ResponseHeader& response, const HeadEdits& edits,
                                 Buffer& out);

/// The line before the data of a chunk, for example "1a\r\n". The data is followed by `kChunkEnd`.
class ChunkHead {
 public:
  /// `size` is not 0: that would be the last chunk.
  explicit ChunkHead(std::uint64_t size) noexcept;
  std::string_view view() const noexcept { return {text_ + begin_, sizeof text_ - begin_}; }

 private:
  char text_[18];
  std::uint8_t begin_;
};

inline constexpr std::string_view kChunkEnd = "\r\n";
/// The end of a chunked body without trailers.
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// Appends the last chunk, and `trailers` but for those that a trailer may not carry.
void write_trailers(const HeaderMap& trailers, Buffer& out);

}  // namespace pingora::h1
