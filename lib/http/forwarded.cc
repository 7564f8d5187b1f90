// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/forwarded.h"

#include <algorithm>

#include "pingora/http/field_syntax.h"

namespace pingora {
namespace {

void append_parameter(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (!out.empty() && out.back() != ' ') out.push_back(';');
  out.append(name).push_back('=');
  if (is_token(value)) {
    out.append(value);
    return;
  }
  out.push_back('"');
  for (char c : value) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

// RFC 7239 §6: an IPv6 address stands in brackets.
std::string node(std::string_view address) {
  bool is_bare_ipv6 = !address.starts_with('[') && std::ranges::count(address, ':') > 1;
  std::string result;
  if (is_bare_ipv6) result.push_back('[');
  result.append(address);
  if (is_bare_ipv6) result.push_back(']');
  return result;
}

std::string list_before(std::string_view received) {
  std::string result(trim_blanks(received));
  if (!result.empty()) result.append(", ");
  return result;
}

}  // namespace

std::string x_forwarded_for(std::string_view received, std::string_view address) {
  return list_before(received).append(address);
}

std::string forwarded(std::string_view received, const ForwardedElement& element) {
  std::string result = list_before(received);
  append_parameter(result, "for", node(element.for_node));
  append_parameter(result, "by", node(element.by_node));
  append_parameter(result, "host", element.host);
  append_parameter(result, "proto", element.proto);
  return result;
}

}  // namespace pingora
