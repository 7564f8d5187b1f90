// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pingora/tls/certificate_store.h"

namespace pingora::internal {

/// Certificates by their names. Built once, then constant.
class CertificateIndex {
 public:
  /// The first of a name and kind of key stays; the first of all is the default.
  void add(const Certificate::Ptr& certificate);

  Certificate::Ptr find(std::string_view server_name, AcceptedKeys accepted) const;
  Certificate::Ptr default_certificate(AcceptedKeys accepted) const;
  /// How many were added.
  std::size_t size() const noexcept { return size_; }

 private:
  // One for each KeyType; null where there is none.
  struct Entry {
    std::array<Certificate::Ptr, 3> by_key;
    Certificate::Ptr best(AcceptedKeys accepted) const;
    void add(const Certificate::Ptr& certificate);
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
  };

  const Entry* entry(std::string_view name) const;

  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_;
  Certificate::Ptr first_;
  std::size_t size_ = 0;
};

}  // namespace pingora::internal
