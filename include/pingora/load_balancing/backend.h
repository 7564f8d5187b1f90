// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <cstdint>
#include <memory>
#include <utility>

#include "pingora/net/socket_address.h"

namespace pingora {

/// A server to send requests to. A value; copies are cheap and share their extensions. Two are
/// equal if their addresses and weights are. Answers to Pingora's `Backend`.
class Backend {
 public:
  /// `weight` is its share of the requests, relative to those of the others; 0 is no share.
  explicit Backend(SocketAddress address, std::uint16_t weight = 1)
      : address_(std::move(address)), weight_(weight) {}

  const SocketAddress& address() const noexcept { return address_; }
  std::uint16_t weight() const noexcept { return weight_; }

  /// What a program keeps with it, such as the name that its certificate must have; null if there
  /// is none of this type.
  template <class T>
  const T* extension() const noexcept {
    return std::any_cast<T>(extensions_.get());
  }
  void set_extension(std::any extension) {
    extensions_ = std::make_shared<const std::any>(std::move(extension));
  }

  friend bool operator==(const Backend& a, const Backend& b) noexcept {
    return a.weight_ == b.weight_ && a.address_ == b.address_;
  }

 private:
  SocketAddress address_;
  std::uint16_t weight_;
  std::shared_ptr<const std::any> extensions_;  // constant; shared by copies
};

}  // namespace pingora

template <>
struct std::hash<pingora::Backend> {
  std::size_t operator()(const pingora::Backend& backend) const noexcept {
    return backend.address().hash() * 31 + backend.weight();
  }
};
