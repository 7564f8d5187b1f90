// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/response_header.h"

#include <charconv>
#include <utility>

#include "pingora/base/assert.h"
#include "pingora/http/field_syntax.h"

namespace pingora {

Result<ResponseHeader> ResponseHeader::build(int status) {
  std::optional<StatusCode> code = StatusCode::from(status);
  if (!code) return fail(ErrorType::InvalidHttpHeader, "a status code is 100 to 999");
  return ResponseHeader(*code);
}

ResponseHeader::ResponseHeader(ResponseHeader&& other) noexcept
    : MessageHeader(std::move(other.headers_)), status_(other.status_) {
  adopt(other);
  other.clear();
}

ResponseHeader& ResponseHeader::operator=(ResponseHeader&& other) noexcept {
  if (this != &other) {
    headers_ = std::move(other.headers_);
    adopt(other);
    other.clear();
  }
  return *this;
}

// Takes the start line of `other`, whose fields were moved here before.
void ResponseHeader::adopt(const ResponseHeader& other) noexcept {
  status_ = other.status_;
  version_ = other.version_;
  has_own_reason_ = other.has_own_reason_;
  reason_ = headers_.moved_view(other.reason_, other.headers_);
}

ResponseHeader ResponseHeader::clone() const {
  ResponseHeader copy;
  copy.copy_from(*this);
  return copy;
}

void ResponseHeader::copy_from(const ResponseHeader& other) {
  if (this == &other) return;
  headers_.copy_from(other.headers_);
  status_ = other.status_;
  version_ = other.version_;
  has_own_reason_ = other.has_own_reason_;
  auto offset = reinterpret_cast<std::uintptr_t>(other.reason_.data()) -
                reinterpret_cast<std::uintptr_t>(headers_.received().data());
  bool shared = offset < headers_.received().size();
  reason_ = shared ? other.reason_ : headers_.keep(other.reason_);
}

void ResponseHeader::clear() noexcept {
  status_ = 200;
  version_ = Version::Http11;
  has_own_reason_ = false;
  reason_ = {};
  headers_.clear();
}

void ResponseHeader::set_status(StatusCode status) noexcept {
  status_ = status;
  has_own_reason_ = false;
}

Result<void> ResponseHeader::set_reason_phrase(std::string_view reason) {
  if (!is_field_value(reason)) {
    return fail(ErrorType::InvalidHttpHeader, "a reason phrase has a control byte in it");
  }
  reason_ = headers_.keep(reason);
  has_own_reason_ = true;
  return {};
}

void ResponseHeader::set_content_length(std::uint64_t size) {
  char digits[20];
  char* end = std::to_chars(digits, digits + sizeof digits, size).ptr;
  Result<void> inserted =
      headers_.insert(HeaderId::ContentLength, {digits, static_cast<std::size_t>(end - digits)});
  PINGORA_ASSERT(inserted.has_value());
  headers_.remove(HeaderId::TransferEncoding);
}

void ResponseHeader::set_received(StatusCode status, std::string_view reason,
                                  Version version) noexcept {
  status_ = status;
  version_ = version;
  reason_ = reason;
  has_own_reason_ = true;
}

void ResponseHeader::relocate_received(const char* old_base, const char* new_base) noexcept {
  auto offset =
      reinterpret_cast<std::uintptr_t>(reason_.data()) - reinterpret_cast<std::uintptr_t>(old_base);
  reason_ = {new_base + offset, reason_.size()};
  headers_.relocate_received(old_base, new_base);
}

}  // namespace pingora
