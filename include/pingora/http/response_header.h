// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pingora/base/error.h"
#include "pingora/http/message_header.h"
#include "pingora/http/status_code.h"

namespace pingora {

/// The head of a response: status, reason, version and fields (see MessageHeader).
///
/// Views that it gives stay valid until that part is changed, or the header is moved or destroyed.
/// Moves; `clone` copies, sharing the block that it was received in. Belongs to one strand.
class ResponseHeader : public MessageHeader {
 public:
  /// 200 without fields.
  ResponseHeader() noexcept : ResponseHeader(StatusCode(200)) {}
  explicit ResponseHeader(StatusCode status) noexcept : status_(status) {}
  /// A header with a status that is known only at run time; InvalidHttpHeader unless 100 to 999.
  static Result<ResponseHeader> build(int status);

  ResponseHeader(ResponseHeader&& other) noexcept;
  ResponseHeader& operator=(ResponseHeader&& other) noexcept;
  ResponseHeader clone() const;
  void copy_from(const ResponseHeader& other);

  StatusCode status() const noexcept { return status_; }
  /// Changes the status; the reason is the canonical one from now on.
  void set_status(StatusCode status) noexcept;

  /// The reason phrase that was received or set, which may be empty, else the canonical one.
  std::string_view reason_phrase() const noexcept {
    return has_own_reason_ ? reason_ : status_.canonical_reason();
  }
  /// InvalidHttpHeader if `reason` has a control byte but HTAB in it.
  Result<void> set_reason_phrase(std::string_view reason);

  /// Puts `size` into a Content-Length field and removes Transfer-Encoding.
  void set_content_length(std::uint64_t size);

  // What codecs use.

  /// Drops everything and gives the memory back.
  void clear() noexcept;
  /// Sets the start line; the caller keeps `reason` alive (see HeaderMap::retain).
  void set_received(StatusCode status, std::string_view reason, Version version) noexcept;
  /// The memory that the reason and the fields were received in has moved.
  void relocate_received(const char* old_base, const char* new_base) noexcept;

 private:
  void adopt(const ResponseHeader& other) noexcept;

  StatusCode status_;
  bool has_own_reason_ = false;
  std::string_view reason_;
};

}  // namespace pingora
