// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pingora {

/// What went wrong. The names answer to Pingora's `ErrorType`.
enum class ErrorType : std::uint8_t {
  // Connecting to an upstream.
  ConnectTimedout,
  ConnectRefused,
  ConnectNoRoute,
  ConnectError,
  ConnectProxyFailure,
  ResolveError,
  TlsHandshakeFailure,
  TlsHandshakeTimedout,
  InvalidCert,
  HandshakeError,
  // Local sockets.
  BindError,
  AcceptError,
  SocketError,
  // Protocol.
  InvalidHttpHeader,
  H1Error,
  H2Error,
  H2Downgrade,
  InvalidH2,
  // Input and output on an established connection.
  ReadError,
  WriteError,
  ReadTimedout,
  WriteTimedout,
  ConnectionClosed,
  // A status that the proxy should answer with: see `Error::http_status`.
  HttpStatus,
  // Everything else.
  FileOpenError,
  FileReadError,
  ConfigError,
  InternalError,
  Cancelled,
  UnknownError,
  Custom,
};

/// The name of a type as it appears in logs, for example "ConnectRefused".
std::string_view to_string(ErrorType type) noexcept;

/// Which side of the proxy an error comes from.
enum class ErrorSource : std::uint8_t { Unset, Upstream, Downstream, Internal };

std::string_view to_string(ErrorSource source) noexcept;

/// Whether a request may be tried again after an error.
enum class RetryType : std::uint8_t {
  No,
  Yes,
  /// Only if the failed connection was a reused one: `Error::decide_reuse` makes this Yes or No.
  ReusedOnly,
};

/// A failure as a value: one pointer to {type, source, retry, context, cause}.
///
/// Moves and does not copy; `clone` copies on purpose. A moved-from Error may only be destroyed or
/// assigned to. Not thread-safe; may be handed from one thread to another.
class [[nodiscard]] Error {
 public:
  /// An error of `type`; `context` says what was being done and to what, for the log only.
  static Error explain(ErrorType type, std::string_view context = {});
  /// As `explain`, with the error that led to it. Inherits the cause's retry and source.
  static Error because(ErrorType type, std::string_view context, Error cause);
  /// An `InternalError` with source Internal: a fault of the program, not of a peer.
  static Error internal(std::string_view context);
  /// Asks the proxy to answer with `status` (100-999), whatever the source.
  static Error http_status(int status, std::string_view context = {});
  /// A type of the program's own; `name` is copied.
  static Error custom(std::string_view name, std::string_view context = {});
  /// An error with the text of a system error number appended to `context`.
  static Error from_errno(ErrorType type, int error_number, std::string_view context);

  Error(Error&&) noexcept;
  Error& operator=(Error&&) noexcept;
  ~Error();

  ErrorType type() const noexcept;
  ErrorSource source() const noexcept;
  /// The status given to `http_status` or `with_status`, or 0.
  int status() const noexcept;
  /// The name given to `custom`, or the name of the type.
  std::string_view type_name() const noexcept;
  /// The contexts from the outermost inwards, of this error alone, joined with ": ".
  std::string_view context() const noexcept;
  /// The error that led to this one, or null. Lives as long as this error.
  const Error* cause() const noexcept;
  /// The innermost cause, or this error.
  const Error& root_cause() const noexcept;

  /// Says which status (100-999) to answer with, where the type has more to tell than HttpStatus.
  Error&& with_status(int status) &&;

  /// The text that may be shown to a peer; empty unless set. Never derived from the context.
  std::string_view peer_text() const noexcept;
  Error&& with_peer_text(std::string_view text) &&;

  /// Puts `context` in front of what the error already says.
  Error&& more_context(std::string_view context) &&;
  void add_context(std::string_view context);

  /// Sets the source unless it is already set.
  Error&& into_up() &&;
  Error&& into_down() &&;
  Error&& into_in() &&;
  void set_source(ErrorSource source) noexcept;

  RetryType retry_type() const noexcept;
  void set_retry_type(RetryType retry) noexcept;
  void set_retry(bool retry) noexcept;
  /// Turns ReusedOnly into Yes or No; leaves the others as they are.
  void decide_reuse(bool reused) noexcept;
  /// Whether a retry is allowed. An undecided ReusedOnly counts as No.
  bool retry() const noexcept;

  Error clone() const;
  /// The whole chain on one line, control bytes escaped and each context cut to 2 KiB.
  std::string to_string() const;

 private:
  struct Rep;
  explicit Error(std::unique_ptr<Rep> rep) noexcept;
  std::unique_ptr<Rep> rep_;
};

/// A value or an Error.
template <class T>
using Result = std::expected<T, Error>;

/// Makes the error side of a Result: `return fail(ErrorType::ReadError, "reading head");`
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }
inline std::unexpected<Error> fail(ErrorType type, std::string_view context) {
  return std::unexpected<Error>(Error::explain(type, context));
}

/// Appends `bytes` to `out` as text for a log: control bytes and non-ASCII escaped as \xNN, cut at
/// `bytes_max` with "..." behind.
void append_escaped(std::string& out, std::string_view bytes, std::size_t bytes_max = 2048);

}  // namespace pingora
