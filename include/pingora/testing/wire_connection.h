// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pingora/net/unique_fd.h"

namespace pingora {

/// An HTTP/1 message as a test received it.
struct WireMessage {
  /// Start line and fields, with the empty line behind them; empty if none came.
  std::string head;
  /// Without its framing.
  std::string body;
  /// The field lines behind a chunked body.
  std::string trailers;
  /// Whether it came to its end.
  bool is_complete = false;

  /// Of a response; 0 if there is none.
  int status() const;
  /// Of a request; empty if there is none.
  std::string method() const;
  std::string target() const;
  /// All values of a field, in order; names are compared without case.
  std::vector<std::string> get_all(std::string_view name) const;
  /// The first of them.
  std::optional<std::string> get(std::string_view name) const;
};

/// What a response answers to, as far as its framing depends on it.
enum class AnswerTo : std::uint8_t { Get, Head };

/// A socket that a test reads and writes as it likes, right or wrong. Blocks the calling thread,
/// for `kPatience` at most: a wait that takes so long ends as if the other side had closed, and
/// `was_too_slow` says so.
class WireConnection {
 public:
  /// Long enough for the slowest of instrumented builds: to strike, it takes a bug.
  static constexpr std::chrono::seconds kPatience{20};

  explicit WireConnection(UniqueFd fd) : fd_(std::move(fd)) {}
  WireConnection(WireConnection&&) noexcept = default;
  WireConnection& operator=(WireConnection&&) noexcept = default;

  /// Whether all of it was sent.
  bool send(std::string_view bytes);
  /// The next `size` bytes, or fewer at the end of the stream.
  std::string receive(std::size_t size);
  /// Everything up to and including `end`, or to the end of the stream.
  std::string receive_until(std::string_view end);
  /// Everything to the end of the stream.
  std::string receive_all();
  WireMessage receive_request();
  WireMessage receive_response(AnswerTo request = AnswerTo::Get);
  /// Waits for the other side: true if it closes without a further byte.
  bool is_closed_by_peer();

  /// Says that no more will be sent.
  void finish_sending() noexcept;
  void close() noexcept;
  /// Closes without a good-bye: the other side gets an error, and what it has not read is lost.
  void reset() noexcept;
  /// Wakes whoever waits in another thread, as if the other side had closed.
  void wake() noexcept;
  bool was_too_slow() const noexcept { return was_too_slow_; }
  int fd() const noexcept { return fd_.get(); }

 private:
  bool wait(short events);
  bool fill();
  std::string take(std::size_t size);
  bool receive_chunked(WireMessage& message);
  WireMessage receive_body(WireMessage message, bool ends_with_stream);

  UniqueFd fd_;
  // Held while the socket is closed, and while `wake` uses it, which may be in another thread.
  std::unique_ptr<std::mutex> closing_ = std::make_unique<std::mutex>();
  std::string received_;
  bool was_too_slow_ = false;
};

}  // namespace pingora
