// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "pingora/base/error.h"
#include "pingora/base/pooled.h"
#include "pingora/http/header_map.h"
#include "pingora/http/version.h"

namespace pingora {

/// What the heads of requests and of responses have in common: the version and the fields.
class MessageHeader : public Pooled {
 public:
  Version version() const noexcept { return version_; }
  void set_version(Version version) noexcept { version_ = version; }

  HeaderMap& headers() noexcept { return headers_; }
  const HeaderMap& headers() const noexcept { return headers_; }
  std::optional<std::string_view> get_header(HeaderName name) const noexcept {
    return headers_.get(name);
  }
  /// As `HeaderMap::insert`, `append` and `remove`.
  Result<void> insert_header(HeaderName name, std::string_view value) {
    return headers_.insert(name, value);
  }
  Result<void> append_header(HeaderName name, std::string_view value) {
    return headers_.append(name, value);
  }
  std::size_t remove_header(HeaderName name) noexcept { return headers_.remove(name); }

 protected:
  MessageHeader() noexcept = default;
  explicit MessageHeader(HeaderMap&& headers) noexcept : headers_(std::move(headers)) {}
  ~MessageHeader() = default;

  Version version_ = Version::Http11;
  HeaderMap headers_;
};

}  // namespace pingora
