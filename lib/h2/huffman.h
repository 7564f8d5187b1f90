// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace pingora::h2 {

// The Huffman code of header compression (RFC 7541 §5.2 and Appendix B), one way.

/// How many bytes `text` takes.
std::size_t huffman_size(std::string_view text) noexcept;
/// Encodes `text` to `place`, which has room for `huffman_size(text)` bytes, and gives where it
/// ends.
char* huffman_encode(std::string_view text, char* place) noexcept;

}  // namespace pingora::h2
