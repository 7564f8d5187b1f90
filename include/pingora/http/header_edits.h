// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "pingora/http/header_id.h"

namespace pingora {

/// A field to write behind those of a header.
struct ExtraField {
  HeaderName name;
  std::string_view value;
};

/// Changes made to the fields of a head while it is written, so that forwarding needs no copy.
struct HeaderEdits {
  /// Fields with these ids are left out.
  HeaderIdSet skip;
  /// Fields to add at the end; the memory stays until the head is written.
  std::span<const ExtraField> add;
};

}  // namespace pingora
