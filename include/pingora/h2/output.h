// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "pingora/base/bytes.h"

namespace pingora::h2 {

/// Bytes to be sent, in order and in few pieces: frame heads, header blocks and small payloads are
/// gathered in blocks; a payload from `kSharedBytesMin` on is the Bytes that were submitted.
///
/// Keeps the memory of a piece until it is consumed. Belongs to one strand.
class Output {
 public:
  /// From here on a payload is a piece of its own: copying less costs less than another piece in a
  /// gathering write.
  static constexpr std::size_t kSharedBytesMin = 1024;

  Output() noexcept = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { clear(); }

  /// What is to be sent, none of it empty. Valid until the next call that is not const.
  std::span<const Bytes> pieces() const noexcept { return std::span(pieces_).subspan(first_); }
  /// The bytes of all pieces together.
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// Drops the first `bytes`, which were written. When none are left, all memory goes back.
  void consume(std::size_t bytes) noexcept;
  /// Drops everything and gives the memory back.
  void clear() noexcept;

  // What the engine uses.

  /// Appends a copy of `bytes`.
  void append(std::string_view bytes);
  /// Appends `bytes`, of which only few are copied.
  void append(Bytes bytes);
  /// Room for `size` bytes in one piece, at most `kRoomMax`, to be filled and then committed. Valid
  /// until the next call.
  char* prepare(std::size_t size);
  static constexpr std::size_t kRoomMax = Block::kStandardCapacity;
  /// Appends the first `size` of the bytes that `prepare` gave room for.
  void commit(std::size_t size);
  /// Moves the first bytes of `other` here, `bytes_max` at most.
  void take(Output& other, std::size_t bytes_max);

 private:
  // More room for pieces than this is given back with them.
  static constexpr std::size_t kPiecesKept = 16;

  void start_block();

  std::vector<Bytes> pieces_;
  std::size_t first_ = 0;  // pieces before it were written
  std::size_t size_ = 0;
  Block* block_ = nullptr;     // where bytes are gathered; one reference of ours
  std::size_t used_ = 0;       // bytes of it
  bool is_last_open_ = false;  // the last piece is the end of what is gathered: it can grow
};

}  // namespace pingora::h2
