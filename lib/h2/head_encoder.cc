// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/head_encoder.h"

#include <algorithm>
#include <cstdint>

#include "h2/field_names.h"
#include "pingora/http/field_syntax.h"
#include "pingora/http/hop_by_hop.h"
#include "pingora/http/method.h"

namespace pingora::h2 {
namespace {

// All status codes, three digits each.
constexpr auto kStatusTexts = [] {
  std::array<char, 3 * (StatusCode::kMax + 1)> texts{};
  for (std::size_t i = 0; i <= StatusCode::kMax; ++i) {
    texts[3 * i] = static_cast<char>('0' + i / 100);
    texts[3 * i + 1] = static_cast<char>('0' + i / 10 % 10);
    texts[3 * i + 2] = static_cast<char>('0' + i % 10);
  }
  return texts;
}();

std::string_view status_text(StatusCode status) noexcept {
  return {kStatusTexts.data() + 3 * static_cast<std::size_t>(static_cast<int>(status)), 3};
}

constexpr bool is_upper_case(char c) noexcept { return c >= 'A' && c <= 'Z'; }

bool has_upper_case(std::string_view name) noexcept {
  return std::any_of(name.begin(), name.end(), is_upper_case);
}

std::string to_lower_case(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = pingora::internal::to_lower(c);
  return lower;
}

bool is_valid(const ExtraField& field) noexcept {
  return (field.name.is_static() ? !field.name.text().empty() : is_token(field.name.text())) &&
         is_field_value(field.value);
}

}  // namespace

void HeadEncoder::add(std::string_view name, std::string_view value, StaticName static_name,
                      HpackIndexing indexing) {
  HpackField field{name.data(),
                   value.data(),
                   static_cast<std::uint32_t>(name.size()),
                   static_cast<std::uint32_t>(value.size()),
                   static_name,
                   indexing};
  if (count_ < kFew) {
    few_[count_++] = field;
    return;
  }
  if (many_.empty()) many_.assign(few_.begin(), few_.end());
  many_.push_back(field);
  ++count_;
}

void HeadEncoder::add_field(HeaderId id, std::string_view name, std::string_view value) {
  if (id != HeaderId::Other) {
    name = lower_name(id);
  } else if (has_upper_case(name)) {
    name = lower_names_.emplace_front(to_lower_case(name));
  }
  value = trim_blanks(value);
  add(name, value, static_name_of(id), indexing_of(id, value));
}

Result<void> HeadEncoder::add_fields(const HeaderMap& headers, const HeaderEdits& edits,
                                     HeaderId in_pseudo_field) {
  for (const ExtraField& field : edits.add) {
    if (!is_valid(field)) {
      return fail(ErrorType::InvalidHttpHeader, "an added field is no valid field");
    }
  }
  auto is_in_pseudo_field = [=](HeaderId id) {
    return id == in_pseudo_field && id != HeaderId::Other;
  };
  HopByHopFields hop_by_hop(headers);
  HeaderIdSet skip = edits.skip | hop_by_hop.known() | HeaderIdSet{in_pseudo_field};
  for (const HeaderMap::Entry& entry : headers.entries()) {
    // `Other` in a set means nothing.
    if (skip.contains(entry.id) && entry.id != HeaderId::Other) continue;
    if (hop_by_hop.has_unknown() && hop_by_hop.contains(entry.id, entry.name_view())) continue;
    add_field(entry.id, entry.name_view(), entry.value_view());
  }
  for (const ExtraField& field : edits.add) {
    if (is_hop_by_hop(field.name.id()) || is_in_pseudo_field(field.name.id())) continue;
    add_field(field.name.id(), field.name.text(), field.value);
  }
  return {};
}

Result<void> HeadEncoder::add_request(const RequestHeader& request, const RequestParts& parts) {
  Method method = request.method();
  bool is_connect = method == Method::Connect && parts.protocol.empty();
  add(":method", method.text(), static_name::kMethod);
  if (!is_connect) {
    std::string_view path = request.path_and_query();
    if (path.empty()) return fail(ErrorType::InvalidHttpHeader, "a request without a path");
    add(":scheme", parts.scheme == Scheme::Https ? "https" : "http", static_name::kScheme);
    add(":path", path, static_name::kPath, HpackIndexing::No);
  }
  // An added Host wins over the header's.
  std::string_view authority = request.authority();
  for (const ExtraField& field : parts.edits.add) {
    if (field.name.id() == HeaderId::Host) authority = field.value;
  }
  if (!authority.empty()) add(":authority", authority, static_name::kAuthority);
  if (!parts.protocol.empty()) add(":protocol", parts.protocol, static_name::kNone);
  const HeaderMap& headers = request.headers();
  Result<void> added = add_fields(headers, parts.edits, HeaderId::Host);
  if (!added) return added;
  if (headers.has_token(HeaderId::Te, "trailers") && !parts.edits.skip.contains(HeaderId::Te)) {
    add("te", "trailers", static_name::kNone);
  }
  return {};
}

Result<void> HeadEncoder::add_response(const ResponseHeader& response, const HeaderEdits& edits) {
  add(":status", status_text(response.status()), static_name::kStatus);
  return add_fields(response.headers(), edits, HeaderId::Other);
}

void HeadEncoder::add_trailers(const HeaderMap& trailers) {
  for (const HeaderMap::Entry& entry : trailers.entries()) {
    if (is_forbidden_in_trailers(entry.id)) continue;
    add_field(entry.id, entry.name_view(), entry.value_view());
  }
}

}  // namespace pingora::h2
