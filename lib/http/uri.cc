// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/uri.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "pingora/http/field_syntax.h"

namespace pingora {
namespace {

constexpr auto kHostChars = [] {
  std::array<bool, 256> table{};
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = table[c - 32] = true;
  // RFC 3986 §3.2.2: unreserved and sub-delims, but for the comma, which here means a list.
  for (unsigned char c : std::string_view("-._~!$&'()*+;=")) table[c] = true;
  return table;
}();

enum TargetChar : unsigned char { kBad = 0, kGood = 1, kRaw = 2 };

constexpr auto kTargetChars = [] {
  std::array<unsigned char, 256> table{};
  for (int c = 0x21; c < 0x7f; ++c) table[static_cast<std::size_t>(c)] = kGood;
  table['#'] = kBad;
  for (int c = 0x80; c < 0x100; ++c) table[static_cast<std::size_t>(c)] = kRaw;
  return table;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex_digit(char c) {
  char lower = internal::to_lower(c);
  return is_digit(c) || (lower >= 'a' && lower <= 'f');
}

bool is_alpha(char c) {
  char lower = internal::to_lower(c);
  return lower >= 'a' && lower <= 'z';
}

// The size of the registered name or IPv4 address that `text` begins with.
std::size_t reg_name_size(std::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    if (kHostChars[static_cast<unsigned char>(*at)]) {
      ++at;
    } else if (*at == '%' && end - at > 2 && is_hex_digit(at[1]) && is_hex_digit(at[2])) {
      at += 3;
    } else {
      break;
    }
  }
  return static_cast<std::size_t>(at - text.data());
}

// The size of the bracketed IPv6 address that `text` begins with, or 0.
std::size_t ipv6_size(std::string_view text) {
  std::size_t close = text.find(']');
  char address[INET6_ADDRSTRLEN];
  if (close == std::string_view::npos || close - 1 >= sizeof address) return 0;
  std::memcpy(address, text.data() + 1, close - 1);
  address[close - 1] = '\0';
  if (std::strlen(address) != close - 1) return 0;
  in6_addr parsed;
  return ::inet_pton(AF_INET6, address, &parsed) == 1 ? close + 1 : 0;
}

std::optional<std::uint16_t> read_port(std::string_view digits) {
  unsigned port = 0;
  for (char c : digits) {
    auto digit = static_cast<unsigned char>(c - '0');
    port = port * 10 + digit;
    if (digit > 9 || port > 65535) return std::nullopt;
  }
  return static_cast<std::uint16_t>(port);
}

std::size_t scheme_size(std::string_view text) {
  if (text.empty() || !is_alpha(text[0])) return 0;
  std::size_t i = 1;
  while (i < text.size() && (is_alpha(text[i]) || is_digit(text[i]) || text[i] == '+' ||
                             text[i] == '-' || text[i] == '.')) {
    ++i;
  }
  return i;
}

}  // namespace

std::optional<HostPort> HostPort::parse(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  std::size_t size = text[0] == '[' ? ipv6_size(text) : reg_name_size(text);
  if (size == 0) return std::nullopt;
  HostPort result{text.substr(0, size), std::nullopt};
  std::string_view rest = text.substr(size);
  if (rest.empty()) return result;
  if (rest[0] != ':') return std::nullopt;
  rest.remove_prefix(1);
  if (rest.empty()) return result;
  std::optional<std::uint16_t> port = read_port(rest);
  if (!port) return std::nullopt;
  result.port = port;
  return result;
}

bool is_target_text(std::string_view text, RawBytes raw_bytes) noexcept {
  unsigned char seen_raw = 0;
  for (char c : text) {
    unsigned char kind = kTargetChars[static_cast<unsigned char>(c)];
    if (kind == kBad) return false;
    seen_raw |= kind;
  }
  return raw_bytes == RawBytes::Allow || (seen_raw & kRaw) == 0;
}

std::string_view path_of(std::string_view path_and_query) noexcept {
  return path_and_query.substr(0, path_and_query.find('?'));
}

std::optional<std::string_view> query_of(std::string_view path_and_query) noexcept {
  std::size_t mark = path_and_query.find('?');
  if (mark == std::string_view::npos) return std::nullopt;
  return path_and_query.substr(mark + 1);
}

std::optional<Uri> Uri::parse_target(Method method, std::string_view target,
                                     RawBytes raw_bytes) noexcept {
  Uri uri;
  if (target.empty() || !is_target_text(target, raw_bytes)) return std::nullopt;
  if (method == Method::Connect) {
    std::optional<HostPort> host = HostPort::parse(target);
    if (!host || host->port.value_or(0) == 0) return std::nullopt;
    uri.form_ = TargetForm::Authority;
    uri.authority_ = target;
    uri.host_ = *host;
    return uri;
  }
  if (target[0] == '/') {
    uri.path_and_query_ = target;
    return uri;
  }
  if (target == "*") {
    if (method != Method::Options) return std::nullopt;
    uri.form_ = TargetForm::Asterisk;
    uri.path_and_query_ = target;
    return uri;
  }
  std::size_t scheme = scheme_size(target);
  if (scheme == 0 || !target.substr(scheme).starts_with("://")) return std::nullopt;
  std::string_view rest = target.substr(scheme + 3);
  std::size_t authority = rest.find_first_of("/?");
  if (authority == std::string_view::npos) authority = rest.size();
  std::optional<HostPort> host = HostPort::parse(rest.substr(0, authority));
  if (!host) return std::nullopt;
  uri.form_ = TargetForm::Absolute;
  uri.scheme_ = target.substr(0, scheme);
  uri.authority_ = rest.substr(0, authority);
  uri.host_ = *host;
  uri.path_and_query_ = rest.substr(authority);
  return uri;
}

bool Uri::is_http() const noexcept {
  return equals_ignoring_case(scheme_, "http") || equals_ignoring_case(scheme_, "https");
}

std::optional<std::uint16_t> Uri::port() const noexcept {
  if (host_.port) return host_.port;
  if (equals_ignoring_case(scheme_, "http")) return 80;
  if (equals_ignoring_case(scheme_, "https")) return 443;
  return std::nullopt;
}

std::string_view Uri::path() const noexcept { return path_of(path_and_query_); }
std::optional<std::string_view> Uri::query() const noexcept { return query_of(path_and_query_); }

}  // namespace pingora
