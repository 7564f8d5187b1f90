// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <string_view>

#include "pingora/base/assert.h"
#include "pingora/http/http_date.h"
#include "pingora/http/uri.h"

// What is accepted is made of the parts that it was taken apart into, and of nothing that could end
// a line or a word. The same bytes are tried as a host and as a date.

using namespace pingora;

namespace {

void check_text(std::string_view text) {
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    PINGORA_ASSERT(byte > 0x20 && byte != 0x7f);
  }
}

void check_host(std::string_view text) {
  std::optional<HostPort> host = HostPort::parse(text);
  if (!host) return;
  check_text(text);
  PINGORA_ASSERT(!host->host.empty() && text.starts_with(host->host));
  PINGORA_ASSERT(text.find_first_of("@/?#,\\") == std::string_view::npos);
  std::string again(host->host);
  if (host->port) again.append(":").append(std::to_string(*host->port));
  std::optional<HostPort> second = HostPort::parse(again);
  PINGORA_ASSERT(second && second->host == host->host && second->port == host->port);
}

void check_target(Method method, std::string_view text) {
  std::optional<Uri> uri = Uri::parse_target(method, text);
  if (!uri) return;
  check_text(text);
  std::string again;
  if (!uri->scheme().empty()) again.append(uri->scheme()).append("://");
  again.append(uri->authority()).append(uri->path_and_query());
  PINGORA_ASSERT(again == text);
  PINGORA_ASSERT(uri->authority().empty() == uri->host().empty());
  std::string path(uri->path());
  if (uri->query()) path.append("?").append(*uri->query());
  PINGORA_ASSERT(path == uri->path_and_query());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  check_host(text);
  check_target(Method::Get, text);
  check_target(Method::Options, text);
  check_target(Method::Connect, text);
  if (auto date = HttpDate::parse(text)) {
    PINGORA_ASSERT(HttpDate::parse(HttpDate(*date).view()) == date);
  }
  return 0;
}
