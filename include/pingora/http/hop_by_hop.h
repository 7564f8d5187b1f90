// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "pingora/http/header_map.h"

namespace pingora {

/// Whether a field is for the next hop alone and never forwarded: Connection and the fields that
/// RFC 9110 §7.6.1 names with it, HTTP2-Settings, and Proxy-Authenticate and -Authorization.
bool is_hop_by_hop(HeaderId id) noexcept;

/// Whether a Connection field may not nominate this field: Host, Content-Length, Cookie,
/// Authorization, X-Forwarded-* and others whose loss would change what the message means or who
/// sent it. Such a nomination is ignored.
bool is_protected_from_nomination(HeaderId id) noexcept;

/// Whether a trailer section may not carry this field: framing, routing, credentials, and what says
/// how to read the content (RFC 9110 §6.5.1). Trailers that do are dropped.
bool is_forbidden_in_trailers(HeaderId id) noexcept;

/// Which fields of one message are not forwarded: the hop-by-hop ones and those that its Connection
/// fields nominate. Refers to the map, which must outlive it and not be changed meanwhile.
class HopByHopFields {
 public:
  explicit HopByHopFields(const HeaderMap& headers) noexcept;

  bool contains(HeaderId id, std::string_view name) const noexcept {
    if (id != HeaderId::Other) return known_.contains(id);
    return has_unknown_ && nominates(name);
  }
  /// The known ones.
  const HeaderIdSet& known() const noexcept { return known_; }
  /// Whether names that have no id are nominated.
  bool has_unknown() const noexcept { return has_unknown_; }

 private:
  bool nominates(std::string_view name) const noexcept;

  const HeaderMap* headers_;
  HeaderIdSet known_;
  bool has_unknown_ = false;
};

/// Removes the hop-by-hop and nominated fields, `Connection` too.
void remove_hop_by_hop(HeaderMap& headers);

}  // namespace pingora
