// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pingora/h2/engine_options.h"
#include "pingora/h2/event.h"
#include "pingora/http/header_map.h"
#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora::h2 {

enum class HeadKind : std::uint8_t { Request, Response, Trailers };

/// How a head was judged.
enum class Verdict : std::uint8_t {
  Ok,
  /// It breaks RFC 9113 §8: a stream error, whatever else is in it.
  Malformed,
  /// A limit was passed. The rest of the block is still to be decoded, for the tables' sake.
  TooLarge,
  /// A limit was passed several times over: the connection ends.
  Flood,
};

/// What a request's pseudo-header fields say beyond the header, and what stands in its fields for
/// the engine to know.
struct HeadFacts {
  Scheme scheme = Scheme::Http;
  std::string_view protocol;  // in the header's memory
  std::optional<std::uint64_t> content_length;
  std::size_t memory = 0;  // that the header holds, apart from the object
};

/// Makes a header of the fields of one block, as they are decoded: the rules of RFC 9113 §8.2 and
/// 8.3, pseudo-header fields to start line and Host, cookie crumbs to one field, and the limits.
///
/// The fields are laid out in one piece of memory, as field lines, so that writing them to an
/// HTTP/1 peer copies runs of them. Names that the library knows are in their usual case.
class HeadDecoder {
 public:
  explicit HeadDecoder(const EngineOptions& options) noexcept : options_(options) {}

  void begin(HeadKind kind);
  /// Gives back the memory that is kept for the next head, if none has begun.
  void trim() noexcept;
  /// The next field. Not Ok is final but for TooLarge, behind which fields are only counted.
  Verdict add(std::string_view name, std::string_view value);
  /// Why the verdict is what it is, for a log. Static memory.
  std::string_view reason() const noexcept { return reason_; }
  /// What to answer a request that is TooLarge with: 431 or 414.
  std::uint16_t refusal_status() const noexcept { return refusal_status_; }

  /// The whole head, if the block was that. The decoder is then empty.
  Verdict finish(RequestHeader& out, HeadFacts& facts);
  /// What was good of a request's head up to where it was refused; for a log. GET and "/" stand for
  /// a method and a target that were not. The decoder is then empty.
  void finish_refused(RequestHeader& out, HeadFacts& facts);
  Verdict finish(ResponseHeader& out, HeadFacts& facts);
  Verdict finish(HeaderMap& out, HeadFacts& facts);

 private:
  struct Span {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    bool is_set = false;
  };
  struct Field {
    std::uint32_t name;  // offset
    std::uint32_t value_size;
    std::uint16_t name_size;
    HeaderId id;
  };
  // The values of pseudo-header fields, with places in `text_`.
  struct Pseudo {
    Span method;
    Span scheme;
    Span authority;
    Span path;
    Span protocol;
    Span status;
  };

  Verdict malformed(std::string_view reason) noexcept {
    reason_ = reason;
    return Verdict::Malformed;
  }
  Verdict too_large(std::uint16_t status, std::string_view reason) noexcept;
  Verdict count(std::size_t name_size, std::size_t value_size, bool is_cookie) noexcept;
  Verdict add_pseudo(std::string_view name, std::string_view value);
  Verdict add_authority(std::string_view value);
  Verdict add_regular(HeaderId id, std::string_view name, std::string_view value);
  Verdict add_host(std::string_view value);
  bool is_host_and_port(std::string_view value);
  Verdict add_content_length(std::string_view value);
  Verdict set(Span& span, std::string_view value);
  void push_field(HeaderId id, std::string_view name, std::string_view value);
  std::string_view view(const Span& span) const noexcept {
    return std::string_view(text_).substr(span.offset, span.size);
  }
  Bytes move_into(HeaderMap& out, HeadFacts& facts);
  void reset() noexcept;

  const EngineOptions& options_;
  HeadKind kind_ = HeadKind::Request;
  bool has_regular_ = false;
  bool has_host_ = false;
  std::uint16_t refusal_status_ = 0;
  std::uint32_t fields_ = 0;
  std::uint32_t cookie_crumbs_ = 0;
  std::size_t list_bytes_ = 0;
  std::string_view reason_;
  std::optional<std::uint64_t> content_length_;
  Pseudo pseudo_;
  std::string text_;
  std::string cookie_;
  std::vector<Field> entries_;
  // The last that was found to be valid: most requests of a connection name the same.
  std::array<char, 46> known_host_{};
  std::uint8_t known_host_size_ = 0;
};

}  // namespace pingora::h2
