// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

#include "pingora/http/field_syntax.h"

namespace pingora {

/// The field names that the library knows, in the case in which they are commonly written.
#define PINGORA_HEADER_NAMES(X)                                        \
  X(Accept, "Accept")                                                  \
  X(AcceptCharset, "Accept-Charset")                                   \
  X(AcceptEncoding, "Accept-Encoding")                                 \
  X(AcceptLanguage, "Accept-Language")                                 \
  X(AcceptRanges, "Accept-Ranges")                                     \
  X(AccessControlAllowCredentials, "Access-Control-Allow-Credentials") \
  X(AccessControlAllowHeaders, "Access-Control-Allow-Headers")         \
  X(AccessControlAllowMethods, "Access-Control-Allow-Methods")         \
  X(AccessControlAllowOrigin, "Access-Control-Allow-Origin")           \
  X(AccessControlExposeHeaders, "Access-Control-Expose-Headers")       \
  X(AccessControlMaxAge, "Access-Control-Max-Age")                     \
  X(AccessControlRequestHeaders, "Access-Control-Request-Headers")     \
  X(AccessControlRequestMethod, "Access-Control-Request-Method")       \
  X(Age, "Age")                                                        \
  X(Allow, "Allow")                                                    \
  X(AltSvc, "Alt-Svc")                                                 \
  X(Authorization, "Authorization")                                    \
  X(CacheControl, "Cache-Control")                                     \
  X(CdnCacheControl, "CDN-Cache-Control")                              \
  X(Connection, "Connection")                                          \
  X(ContentDisposition, "Content-Disposition")                         \
  X(ContentEncoding, "Content-Encoding")                               \
  X(ContentLanguage, "Content-Language")                               \
  X(ContentLength, "Content-Length")                                   \
  X(ContentLocation, "Content-Location")                               \
  X(ContentRange, "Content-Range")                                     \
  X(ContentSecurityPolicy, "Content-Security-Policy")                  \
  X(ContentType, "Content-Type")                                       \
  X(Cookie, "Cookie")                                                  \
  X(Date, "Date")                                                      \
  X(Dnt, "DNT")                                                        \
  X(EarlyData, "Early-Data")                                           \
  X(ETag, "ETag")                                                      \
  X(Expect, "Expect")                                                  \
  X(Expires, "Expires")                                                \
  X(Forwarded, "Forwarded")                                            \
  X(From, "From")                                                      \
  X(GrpcMessage, "Grpc-Message")                                       \
  X(GrpcStatus, "Grpc-Status")                                         \
  X(Host, "Host")                                                      \
  X(Http2Settings, "HTTP2-Settings")                                   \
  X(IfMatch, "If-Match")                                               \
  X(IfModifiedSince, "If-Modified-Since")                              \
  X(IfNoneMatch, "If-None-Match")                                      \
  X(IfRange, "If-Range")                                               \
  X(IfUnmodifiedSince, "If-Unmodified-Since")                          \
  X(KeepAlive, "Keep-Alive")                                           \
  X(LastModified, "Last-Modified")                                     \
  X(Link, "Link")                                                      \
  X(Location, "Location")                                              \
  X(MaxForwards, "Max-Forwards")                                       \
  X(Origin, "Origin")                                                  \
  X(Pragma, "Pragma")                                                  \
  X(Priority, "Priority")                                              \
  X(ProxyAuthenticate, "Proxy-Authenticate")                           \
  X(ProxyAuthorization, "Proxy-Authorization")                         \
  X(ProxyConnection, "Proxy-Connection")                               \
  X(Purpose, "Purpose")                                                \
  X(Range, "Range")                                                    \
  X(Referer, "Referer")                                                \
  X(ReferrerPolicy, "Referrer-Policy")                                 \
  X(Refresh, "Refresh")                                                \
  X(RetryAfter, "Retry-After")                                         \
  X(SecFetchDest, "Sec-Fetch-Dest")                                    \
  X(SecFetchMode, "Sec-Fetch-Mode")                                    \
  X(SecFetchSite, "Sec-Fetch-Site")                                    \
  X(SecFetchUser, "Sec-Fetch-User")                                    \
  X(SecWebSocketAccept, "Sec-WebSocket-Accept")                        \
  X(SecWebSocketExtensions, "Sec-WebSocket-Extensions")                \
  X(SecWebSocketKey, "Sec-WebSocket-Key")                              \
  X(SecWebSocketProtocol, "Sec-WebSocket-Protocol")                    \
  X(SecWebSocketVersion, "Sec-WebSocket-Version")                      \
  X(Server, "Server")                                                  \
  X(ServerTiming, "Server-Timing")                                     \
  X(SetCookie, "Set-Cookie")                                           \
  X(StrictTransportSecurity, "Strict-Transport-Security")              \
  X(Te, "TE")                                                          \
  X(TimingAllowOrigin, "Timing-Allow-Origin")                          \
  X(Traceparent, "Traceparent")                                        \
  X(Tracestate, "Tracestate")                                          \
  X(Trailer, "Trailer")                                                \
  X(TransferEncoding, "Transfer-Encoding")                             \
  X(Upgrade, "Upgrade")                                                \
  X(UpgradeInsecureRequests, "Upgrade-Insecure-Requests")              \
  X(UserAgent, "User-Agent")                                           \
  X(Vary, "Vary")                                                      \
  X(Via, "Via")                                                        \
  X(Warning, "Warning")                                                \
  X(WwwAuthenticate, "WWW-Authenticate")                               \
  X(XContentTypeOptions, "X-Content-Type-Options")                     \
  X(XForwardedFor, "X-Forwarded-For")                                  \
  X(XForwardedHost, "X-Forwarded-Host")                                \
  X(XForwardedPort, "X-Forwarded-Port")                                \
  X(XForwardedProto, "X-Forwarded-Proto")                              \
  X(XFrameOptions, "X-Frame-Options")                                  \
  X(XPoweredBy, "X-Powered-By")                                        \
  X(XRealIp, "X-Real-IP")                                              \
  X(XRequestId, "X-Request-ID")                                        \
  X(XRequestedWith, "X-Requested-With")                                \
  X(XXssProtection, "X-XSS-Protection")

/// The name of a field as a number. `Other` is every name that is not in the list.
enum class HeaderId : std::uint8_t {
  Other,
#define PINGORA_HEADER_ID(id, text) id,
  PINGORA_HEADER_NAMES(PINGORA_HEADER_ID)
#undef PINGORA_HEADER_ID
};

namespace internal {

inline constexpr std::string_view kHeaderNames[] = {"",
#define PINGORA_HEADER_NAME(id, text) text,
                                                    PINGORA_HEADER_NAMES(PINGORA_HEADER_NAME)
#undef PINGORA_HEADER_NAME
};
inline constexpr std::size_t kHeaderNameCount = std::size(kHeaderNames);
static_assert(kHeaderNameCount <= 128, "HeaderIdSet holds 128");

inline constexpr auto kHeaderNameSizes = [] {
  std::array<std::uint8_t, kHeaderNameCount> sizes{};
  for (std::size_t i = 0; i < kHeaderNameCount; ++i) {
    sizes[i] = static_cast<std::uint8_t>(kHeaderNames[i].size());
  }
  return sizes;
}();

inline constexpr std::size_t kHeaderNameSizeMin = 2;

/// A perfect hash of the known names: their first and last four characters and the length,
/// multiplied. The multiplier was found by trying; `kHeaderNameSlots` does not compile if two names
/// meet in one slot. `text` has at least two characters.
constexpr std::uint32_t header_name_slot(const char* text, std::size_t size) noexcept {
  constexpr std::uint64_t kFold = 0x2020202020202020u;
  constexpr std::uint64_t kMultiplier = 0xef0b6a6d6af48ffu;
  auto at = [text](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(text[i]));
  };
  auto four = [&](std::size_t i) -> std::uint64_t {
    if consteval {
      return at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24;
    }
    std::uint32_t bytes;
    std::memcpy(&bytes, text + i, sizeof bytes);
    return bytes;
  };
  std::uint64_t key =
      size >= 4 ? four(0) | four(size - 4) << 32 : at(0) | at(1) << 8 | at(size - 1) << 16;
  return static_cast<std::uint32_t>(((key | kFold) + size) * kMultiplier >> 55);
}

inline constexpr auto kHeaderNameSlots = [] {
  std::array<std::uint8_t, 512> slots{};
  for (std::size_t i = 1; i < kHeaderNameCount; ++i) {
    std::uint8_t& slot = slots[header_name_slot(kHeaderNames[i].data(), kHeaderNames[i].size())];
    if (slot != 0) throw "two known names share a slot: find another multiplier";
    slot = static_cast<std::uint8_t>(i);
  }
  return slots;
}();

/// Whether `text` is the known name `name` but for case. Folding with 0x20 is exact because known
/// names hold letters, digits and '-' only, and bytes below 0x20, which would fold to digits and
/// '-', are refused: they are the ones with neither 0x40 nor 0x20 set.
constexpr bool equals_known_name(const char* text, const char* name, std::size_t size) noexcept {
  if consteval {
    for (std::size_t i = 0; i < size; ++i) {
      if ((text[i] & 0x60) == 0 || (text[i] | 0x20) != (name[i] | 0x20)) return false;
    }
    return true;
  }
  constexpr std::uint64_t kFold = 0x2020202020202020u;
  constexpr std::uint64_t kBit6 = 0x4040404040404040u;
  auto differs = [](std::uint64_t a, std::uint64_t b) {
    return ((a | kFold) ^ (b | kFold)) | (((a | (a << 1)) & kBit6) ^ kBit6);
  };
  auto load8 = [](const char* p) {
    std::uint64_t v;
    std::memcpy(&v, p, sizeof v);
    return v;
  };
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) {
      if (differs(load8(text + i), load8(name + i)) != 0) return false;
    }
    return differs(load8(text + size - 8), load8(name + size - 8)) == 0;
  }
  auto load4 = [](const char* p) {
    std::uint32_t v;
    std::memcpy(&v, p, sizeof v);
    return std::uint64_t{v};
  };
  if (size >= 4) {
    std::uint64_t a = load4(text) | load4(text + size - 4) << 32;
    std::uint64_t b = load4(name) | load4(name + size - 4) << 32;
    return differs(a, b) == 0;
  }
  for (std::size_t i = 0; i < size; ++i) {
    if ((text[i] & 0x60) == 0 || (text[i] | 0x20) != (name[i] | 0x20)) return false;
  }
  return true;
}

}  // namespace internal

/// The id of the field name `text`, whatever its case.
constexpr HeaderId header_id(std::string_view text) noexcept {
  if (text.size() < internal::kHeaderNameSizeMin) return HeaderId::Other;
  std::uint8_t i = internal::kHeaderNameSlots[internal::header_name_slot(text.data(), text.size())];
  if (internal::kHeaderNameSizes[i] != text.size()) return HeaderId::Other;
  const char* name = internal::kHeaderNames[i].data();
  bool same = internal::equals_known_name(text.data(), name, text.size());
  return same ? static_cast<HeaderId>(i) : HeaderId::Other;
}

/// The name as it is commonly written; empty for `Other`. Static memory.
constexpr std::string_view header_name(HeaderId id) noexcept {
  return internal::kHeaderNames[static_cast<std::size_t>(id)];
}

/// A set of HeaderIds, as two machine words.
class HeaderIdSet {
 public:
  constexpr HeaderIdSet() noexcept = default;
  constexpr HeaderIdSet(std::initializer_list<HeaderId> ids) noexcept {
    for (HeaderId id : ids) insert(id);
  }

  constexpr bool contains(HeaderId id) const noexcept {
    return (words_[word(id)] >> bit(id) & 1) != 0;
  }
  constexpr void insert(HeaderId id) noexcept { words_[word(id)] |= std::uint64_t{1} << bit(id); }
  constexpr void erase(HeaderId id) noexcept { words_[word(id)] &= ~(std::uint64_t{1} << bit(id)); }
  constexpr void clear() noexcept { words_[0] = words_[1] = 0; }
  constexpr bool intersects(const HeaderIdSet& other) const noexcept {
    return ((words_[0] & other.words_[0]) | (words_[1] & other.words_[1])) != 0;
  }
  friend constexpr HeaderIdSet operator|(HeaderIdSet a, const HeaderIdSet& b) noexcept {
    a.words_[0] |= b.words_[0];
    a.words_[1] |= b.words_[1];
    return a;
  }
  friend constexpr bool operator==(const HeaderIdSet&, const HeaderIdSet&) noexcept = default;

 private:
  static constexpr std::size_t word(HeaderId id) noexcept {
    return static_cast<std::size_t>(id) >> 6;
  }
  static constexpr unsigned bit(HeaderId id) noexcept { return static_cast<unsigned>(id) & 63; }

  std::uint64_t words_[2] = {0, 0};
};

/// A field name as an argument: an id, or text whose id is found on the way. A literal is looked up
/// and checked when the program is compiled, so `get("host")` costs what `get(HeaderId::Host)`
/// does.
class HeaderName {
 public:
  // NOLINTBEGIN(google-explicit-constructor)
  constexpr HeaderName(HeaderId id) noexcept : text_(header_name(id)), id_(id), is_static_(true) {}
  template <std::size_t kSize>
  consteval HeaderName(const char (&literal)[kSize])
      : text_(literal, kSize - 1), id_(header_id(text_)), is_static_(true) {
    if (!is_token(text_)) throw "a field name is a token";
  }
  constexpr HeaderName(std::string_view text) noexcept : text_(text), id_(header_id(text)) {}
  HeaderName(const std::string& text) noexcept : HeaderName(std::string_view(text)) {}
  template <std::same_as<const char*> Pointer>
  HeaderName(const Pointer& text) noexcept : HeaderName(std::string_view(text)) {}
  // NOLINTEND(google-explicit-constructor)

  constexpr std::string_view text() const noexcept { return text_; }
  constexpr HeaderId id() const noexcept { return id_; }
  /// Whether the text lives for ever and is known to be a token.
  constexpr bool is_static() const noexcept { return is_static_; }

 private:
  std::string_view text_;
  HeaderId id_;
  bool is_static_ = false;
};

}  // namespace pingora
