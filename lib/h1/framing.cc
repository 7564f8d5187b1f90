// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h1/framing.h"

#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "pingora/http/field_syntax.h"

namespace pingora::h1 {
namespace {

// What the two framing fields of a message say, before its kind is considered.
using FieldsFraming = std::expected<std::optional<Framing>, ParseError>;

std::unexpected<ParseError> refuse(std::uint16_t status, std::string_view reason) {
  return std::unexpected(ParseError{status, reason});
}

// A decimal number without sign, blanks or anything else around it.
std::optional<std::uint64_t> read_content_length(std::string_view text) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  constexpr std::size_t kSafeDigits = std::numeric_limits<std::uint64_t>::digits10;
  if (text.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto digit = static_cast<std::uint64_t>(static_cast<unsigned char>(text[i]) - '0');
    if (digit > 9 || (i >= kSafeDigits && number > (kMax - digit) / 10)) return std::nullopt;
    number = number * 10 + digit;
  }
  return number;
}

// Whether a Transfer-Encoding that is not exactly `chunked` is well-formed and means a coding that
// is not implemented, as in `gzip, chunked`; `chunked` may only stand at the end.
bool names_unknown_coding(std::string_view value) {
  bool unknown = false;
  bool chunked = false;
  if (value.empty() || value.front() == ',' || value.back() == ',') return false;
  while (auto element = next_list_element(value)) {
    if (chunked || !is_token(*element)) return false;
    chunked = equals_ignoring_case(*element, "chunked");
    unknown = unknown || !chunked;
  }
  return unknown;
}

// The fields of one name: the first, and whether there are more.
struct Field {
  const HeaderMap::Entry* first = nullptr;
  bool is_repeated = false;
};

Field find(std::span<const HeaderMap::Entry> entries, HeaderId id) {
  const HeaderMap::Entry* end = entries.data() + entries.size();
  auto next = [&](const HeaderMap::Entry* entry) {
    while (entry != end && entry->id != id) ++entry;
    return entry;
  };
  const HeaderMap::Entry* first = next(entries.data());
  if (first == end) return {};
  return {first, next(first + 1) != end};
}

FieldsFraming transfer_encoding_framing(const Field& field, Version version) {
  if (version == Version::Http10) return refuse(400, "Transfer-Encoding in HTTP/1.0");
  if (field.is_repeated) return refuse(400, "a repeated Transfer-Encoding");
  std::string_view value = field.first->value_view();
  if (equals_ignoring_case(value, "chunked")) return Framing::chunked();
  if (names_unknown_coding(value)) return refuse(501, "an unknown transfer coding");
  return refuse(400, "a malformed Transfer-Encoding");
}

// What most messages have: neither field, or one good Content-Length alone. Fills `size` in if it
// is the latter. False for all others.
bool is_usual(const HeaderMap& headers, std::optional<std::uint64_t>& size) {
  const HeaderIdSet& present = headers.present();
  if (present.contains(HeaderId::TransferEncoding)) return false;
  if (!present.contains(HeaderId::ContentLength)) return true;
  Field length = find(headers.entries(), HeaderId::ContentLength);
  if (length.first == nullptr || length.is_repeated) return false;
  size = read_content_length(length.first->value_view());
  return size.has_value();
}

FieldsFraming fields_framing(const HeaderMap& headers, Version version) {
  Field length = find(headers.entries(), HeaderId::ContentLength);
  Field encoding = find(headers.entries(), HeaderId::TransferEncoding);
  if (length.first != nullptr && encoding.first != nullptr) {
    return refuse(400, "Content-Length beside Transfer-Encoding");
  }
  if (encoding.first != nullptr) return transfer_encoding_framing(encoding, version);
  if (length.first == nullptr) return std::nullopt;
  if (length.is_repeated) return refuse(400, "a repeated Content-Length");
  std::optional<std::uint64_t> size = read_content_length(length.first->value_view());
  if (!size) return refuse(400, "a Content-Length that is no number");
  return Framing::sized(*size);
}

bool has_no_body(const ResponseHeader& response, Method method) {
  StatusCode status = response.status();
  return status.is_informational() || status == 204 || status == 304 || method == Method::Head ||
         (method == Method::Connect && status.is_success());
}

KeepAlive keep_alive(const HeaderMap& headers, Version version) {
  if (!headers.present().contains(HeaderId::Connection)) {
    return version != Version::Http10 ? KeepAlive::Yes : KeepAlive::No;
  }
  bool says_close = false;
  bool says_keep_alive = false;
  for (const HeaderMap::Entry& entry : headers.entries()) {
    if (entry.id != HeaderId::Connection) continue;
    std::string_view rest = entry.value_view();
    // What nearly all say.
    if (internal::is_exactly(rest, "keep-alive")) {
      says_keep_alive = true;
      continue;
    }
    if (internal::is_exactly(rest, "close")) {
      says_close = true;
      continue;
    }
    while (auto option = next_list_element(rest)) {
      says_close = says_close || equals_ignoring_case(*option, "close");
      says_keep_alive = says_keep_alive || equals_ignoring_case(*option, "keep-alive");
    }
  }
  bool is_kept = !says_close && (says_keep_alive || version != Version::Http10);
  return is_kept ? KeepAlive::Yes : KeepAlive::No;
}

}  // namespace

std::expected<Framing, ParseError> request_framing(const RequestHeader& request) noexcept {
  std::optional<std::uint64_t> size;
  if (is_usual(request.headers(), size)) return size ? Framing::sized(*size) : Framing::none();
  FieldsFraming fields = fields_framing(request.headers(), request.version());
  if (!fields) return std::unexpected(fields.error());
  return fields->value_or(Framing::none());
}

std::expected<Framing, ParseError> response_framing(const ResponseHeader& response, Method method,
                                                    const ParserOptions& options) noexcept {
  std::optional<std::uint64_t> size;
  if (is_usual(response.headers(), size)) {
    if (has_no_body(response, method)) return Framing::none();
    return size ? Framing::sized(*size) : Framing::until_close();
  }
  FieldsFraming fields = fields_framing(response.headers(), response.version());
  if (!fields) {
    bool tolerated = options.allow_invalid_response_content_length == Leniency::Allow &&
                     !response.headers().contains(HeaderId::TransferEncoding);
    if (!tolerated) return refuse(502, fields.error().reason);
    fields = std::nullopt;
  }
  if (has_no_body(response, method)) return Framing::none();
  return fields->value_or(Framing::until_close());
}

KeepAlive keep_alive(const RequestHeader& request) noexcept {
  return keep_alive(request.headers(), request.version());
}

KeepAlive keep_alive(const ResponseHeader& response, const Framing& framing) noexcept {
  if (framing.kind == Framing::Kind::UntilClose) return KeepAlive::No;
  return keep_alive(response.headers(), response.version());
}

}  // namespace pingora::h1
