// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/hop_by_hop.h"

#include "pingora/http/field_syntax.h"

namespace pingora {
namespace {

constexpr HeaderIdSet kHopByHop = {
    HeaderId::Connection,         HeaderId::KeepAlive,
    HeaderId::ProxyConnection,    HeaderId::Te,
    HeaderId::TransferEncoding,   HeaderId::Upgrade,
    HeaderId::Http2Settings,      HeaderId::ProxyAuthenticate,
    HeaderId::ProxyAuthorization,
};

constexpr HeaderIdSet kProtected = {
    HeaderId::Authorization,
    HeaderId::CacheControl,
    HeaderId::ContentEncoding,
    HeaderId::ContentLength,
    HeaderId::ContentLocation,
    HeaderId::ContentRange,
    HeaderId::ContentType,
    HeaderId::Cookie,
    HeaderId::Date,
    HeaderId::ETag,
    HeaderId::Expires,
    HeaderId::Forwarded,
    HeaderId::Host,
    HeaderId::LastModified,
    HeaderId::Location,
    HeaderId::Origin,
    HeaderId::Range,
    HeaderId::SetCookie,
    HeaderId::Trailer,
    HeaderId::Vary,
    HeaderId::Via,
    HeaderId::WwwAuthenticate,
    HeaderId::XForwardedFor,
    HeaderId::XForwardedHost,
    HeaderId::XForwardedPort,
    HeaderId::XForwardedProto,
    HeaderId::XRealIp,
    HeaderId::StrictTransportSecurity,
    HeaderId::ContentSecurityPolicy,
};

constexpr HeaderIdSet kForbiddenInTrailers = kHopByHop | HeaderIdSet{
                                                             HeaderId::Age,
                                                             HeaderId::Authorization,
                                                             HeaderId::CacheControl,
                                                             HeaderId::ContentEncoding,
                                                             HeaderId::ContentLength,
                                                             HeaderId::ContentRange,
                                                             HeaderId::ContentType,
                                                             HeaderId::Cookie,
                                                             HeaderId::Date,
                                                             HeaderId::Expect,
                                                             HeaderId::Expires,
                                                             HeaderId::Forwarded,
                                                             HeaderId::Host,
                                                             HeaderId::IfMatch,
                                                             HeaderId::IfModifiedSince,
                                                             HeaderId::IfNoneMatch,
                                                             HeaderId::IfRange,
                                                             HeaderId::IfUnmodifiedSince,
                                                             HeaderId::Location,
                                                             HeaderId::MaxForwards,
                                                             HeaderId::Pragma,
                                                             HeaderId::Range,
                                                             HeaderId::RetryAfter,
                                                             HeaderId::SetCookie,
                                                             HeaderId::Trailer,
                                                             HeaderId::Vary,
                                                             HeaderId::Via,
                                                             HeaderId::Warning,
                                                             HeaderId::WwwAuthenticate,
                                                             HeaderId::XForwardedFor,
                                                             HeaderId::XForwardedHost,
                                                             HeaderId::XForwardedPort,
                                                             HeaderId::XForwardedProto,
                                                             HeaderId::XRealIp,
                                                             HeaderId::Origin,
                                                             HeaderId::ContentLocation,
                                                             HeaderId::SecWebSocketAccept,
                                                             HeaderId::SecWebSocketKey,
                                                         };

// Names without an id that share a protected prefix.
bool is_protected_text(std::string_view name) {
  constexpr std::string_view kPrefix = "x-forwarded-";
  return name.size() >= kPrefix.size() &&
         equals_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

}  // namespace

bool is_hop_by_hop(HeaderId id) noexcept { return kHopByHop.contains(id); }
bool is_protected_from_nomination(HeaderId id) noexcept { return kProtected.contains(id); }
bool is_forbidden_in_trailers(HeaderId id) noexcept { return kForbiddenInTrailers.contains(id); }

HopByHopFields::HopByHopFields(const HeaderMap& headers) noexcept
    : headers_(&headers), known_(kHopByHop) {
  if (!headers.present().contains(HeaderId::Connection)) return;
  for (const HeaderMap::Entry& entry : headers.entries()) {
    if (entry.id != HeaderId::Connection) continue;
    std::string_view value = entry.value_view();
    // What nearly every one says.
    if (internal::is_exactly(value, "keep-alive") || internal::is_exactly(value, "close")) continue;
    while (auto name = next_list_element(value)) {
      HeaderId id = header_id(*name);
      if (id == HeaderId::Other) {
        has_unknown_ = has_unknown_ || !is_protected_text(*name);
      } else if (!is_protected_from_nomination(id)) {
        known_.insert(id);
      }
    }
  }
}

bool HopByHopFields::nominates(std::string_view name) const noexcept {
  return !is_protected_text(name) && headers_->has_token(HeaderId::Connection, name);
}

void remove_hop_by_hop(HeaderMap& headers) {
  HopByHopFields fields(headers);
  // The Connection fields go last: until then they say what else goes.
  headers.remove_if([&](const HeaderField& field) {
    return field.id != HeaderId::Connection && fields.contains(field.id, field.name);
  });
  headers.remove(HeaderId::Connection);
}

}  // namespace pingora
