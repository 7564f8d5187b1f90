// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <forward_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "h2/hpack_field.h"
#include "pingora/base/error.h"
#include "pingora/h2/engine.h"
#include "pingora/http/header_edits.h"
#include "pingora/http/header_map.h"
#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora::h2 {

/// The fields of one head as the compression wants them: pseudo-header fields, names in lower case,
/// without what HTTP/2 has no place for. Refers to the header, which must stay as long. Lives on
/// the stack.
class HeadEncoder {
 public:
  /// InvalidHttpHeader if an added field is no valid field, or the target can not be sent.
  Result<void> add_request(const RequestHeader& request, const RequestParts& parts);
  Result<void> add_response(const ResponseHeader& response, const HeaderEdits& edits);
  void add_trailers(const HeaderMap& trailers);

  std::span<const HpackField> fields() const noexcept {
    return many_.empty() ? std::span(few_).first(count_) : std::span(many_);
  }
  bool empty() const noexcept { return count_ == 0; }

 private:
  static constexpr std::size_t kFew = 48;

  void add(std::string_view name, std::string_view value, StaticName static_name,
           HpackIndexing indexing = HpackIndexing::Yes);
  void add_field(HeaderId id, std::string_view name, std::string_view value);
  /// Without `in_pseudo_field`, which is no field here; Other for none.
  Result<void> add_fields(const HeaderMap& headers, const HeaderEdits& edits,
                          HeaderId in_pseudo_field);

  std::array<HpackField, kFew> few_;  // not zeroed
  std::size_t count_ = 0;
  std::vector<HpackField> many_;                // all of them, once there are more than `kFew`
  std::forward_list<std::string> lower_names_;  // of those that were not in lower case
};

}  // namespace pingora::h2
