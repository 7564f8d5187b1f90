// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pingora/http/header_id.h"

namespace pingora::h2 {

/// Names by their first place in the static table (RFC 7541, Appendix A); 0 for those that are not
/// in it.
using StaticName = std::uint8_t;

namespace static_name {

inline constexpr StaticName kNone = 0;
inline constexpr StaticName kAuthority = 1;
inline constexpr StaticName kMethod = 2;
inline constexpr StaticName kPath = 4;
inline constexpr StaticName kScheme = 6;
inline constexpr StaticName kStatus = 8;
inline constexpr StaticName kAcceptEncoding = 16;

}  // namespace static_name

/// What becomes of a field in the table of the compression.
enum class HpackIndexing : std::uint8_t {
  /// It is put there: it may come again.
  Yes,
  /// It is of this message only.
  No,
  /// A secret, which nobody on the way may put there either (RFC 7541 §7.1.3).
  Never,
};

/// A field to be compressed. Refers to its text; the name is in lower case. Arrays of it are not
/// zeroed.
struct HpackField {
  const char* name_data;
  const char* value_data;
  std::uint32_t name_size;
  std::uint32_t value_size;
  StaticName static_name;
  HpackIndexing indexing;

  std::string_view name() const noexcept { return {name_data, name_size}; }
  std::string_view value() const noexcept { return {value_data, value_size}; }
};

namespace internal {

inline constexpr auto kStaticNames = [] {
  // From the fifteenth entry on: one for each name, in this order.
  constexpr HeaderId kOrder[] = {
      HeaderId::AcceptCharset,
      HeaderId::AcceptEncoding,
      HeaderId::AcceptLanguage,
      HeaderId::AcceptRanges,
      HeaderId::Accept,
      HeaderId::AccessControlAllowOrigin,
      HeaderId::Age,
      HeaderId::Allow,
      HeaderId::Authorization,
      HeaderId::CacheControl,
      HeaderId::ContentDisposition,
      HeaderId::ContentEncoding,
      HeaderId::ContentLanguage,
      HeaderId::ContentLength,
      HeaderId::ContentLocation,
      HeaderId::ContentRange,
      HeaderId::ContentType,
      HeaderId::Cookie,
      HeaderId::Date,
      HeaderId::ETag,
      HeaderId::Expect,
      HeaderId::Expires,
      HeaderId::From,
      HeaderId::Host,
      HeaderId::IfMatch,
      HeaderId::IfModifiedSince,
      HeaderId::IfNoneMatch,
      HeaderId::IfRange,
      HeaderId::IfUnmodifiedSince,
      HeaderId::LastModified,
      HeaderId::Link,
      HeaderId::Location,
      HeaderId::MaxForwards,
      HeaderId::ProxyAuthenticate,
      HeaderId::ProxyAuthorization,
      HeaderId::Range,
      HeaderId::Referer,
      HeaderId::Refresh,
      HeaderId::RetryAfter,
      HeaderId::Server,
      HeaderId::SetCookie,
      HeaderId::StrictTransportSecurity,
      HeaderId::TransferEncoding,
      HeaderId::UserAgent,
      HeaderId::Vary,
      HeaderId::Via,
      HeaderId::WwwAuthenticate,
  };
  std::array<StaticName, pingora::internal::kHeaderNameCount> names{};
  StaticName next = 15;
  for (HeaderId id : kOrder) names[static_cast<std::size_t>(id)] = next++;
  return names;
}();

// Values that seldom come twice on a connection, or in whose place a guess would tell something.
inline constexpr HeaderIdSet kNotIndexed = {
    HeaderId::Age,         HeaderId::ContentLength,   HeaderId::ContentRange, HeaderId::ETag,
    HeaderId::GrpcMessage, HeaderId::IfModifiedSince, HeaderId::IfNoneMatch,  HeaderId::Location,
    HeaderId::SetCookie,   HeaderId::Traceparent,     HeaderId::Tracestate,   HeaderId::XRequestId};
inline constexpr HeaderIdSet kNeverIndexed = {HeaderId::Authorization,
                                              HeaderId::ProxyAuthorization};
// A short cookie could be guessed.
inline constexpr std::size_t kCookieIndexedMin = 20;

}  // namespace internal

/// `id` may be Other.
constexpr StaticName static_name_of(HeaderId id) noexcept {
  auto i = static_cast<std::size_t>(id);
  return i < internal::kStaticNames.size() ? internal::kStaticNames[i] : static_name::kNone;
}

static_assert(static_name_of(HeaderId::WwwAuthenticate) == 61);

constexpr HpackIndexing indexing_of(HeaderId id, std::string_view value) noexcept {
  if (id == HeaderId::Other) return HpackIndexing::Yes;
  if (internal::kNeverIndexed.contains(id)) return HpackIndexing::Never;
  if (id == HeaderId::Cookie && value.size() < internal::kCookieIndexedMin) {
    return HpackIndexing::Never;
  }
  return internal::kNotIndexed.contains(id) ? HpackIndexing::No : HpackIndexing::Yes;
}

}  // namespace pingora::h2
