// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "pingora/net/stream_layer.h"

namespace pingora {

namespace internal {
class TlsConnection;
}  // namespace internal

/// TLS on another stream: what `tls_accept` and `tls_connect` give once the handshake is complete.
/// Its digest has `ssl` set.
///
/// Ciphertext is in blocks of the pool, and only while there is some; idle, a connection keeps what
/// BoringSSL needs for it, about 4 KiB. A write is sealed in full records (the first one after a
/// pause a smaller one, so that the peer can begin early) and leaves in one write of the inner
/// stream as far as that takes it; it is complete when the inner stream has taken all.
///
/// The end of the stream is the peer's close_notify. A connection that ends without one may have
/// been cut by anybody, and gives ConnectionClosed (RFC 8446 §6.1). Other errors: ReadError and
/// WriteError, with what is wrong in words. Renegotiation is refused.
class TlsStream final : public StreamLayer, public internal::FrameAllocated {
 public:
  /// Sends close_notify, if that goes without waiting and nothing has failed.
  ~TlsStream() override;

  std::optional<Result<std::size_t>> try_write(std::span<const iovec> pieces) override;
  /// close_notify goes in the same write, if all of `pieces` do.
  std::optional<Result<std::size_t>> try_write_last(std::span<const iovec> pieces) override;
  /// close_notify, then the inner stream's. Best effort.
  void shutdown_write() noexcept override;
  void abort_on_close() noexcept override;
  /// False also while anything has arrived that nobody has read.
  bool start_idle_watch(IdleWatch& watch) override;
  bool may_be_replayed() const noexcept override;

  /// For `tls_accept` and `tls_connect`.
  TlsStream(std::unique_ptr<Stream> inner, std::unique_ptr<internal::TlsConnection> connection);

 protected:
  ReadAttempt attempt_read(Buffer& into) override;

 private:
  enum class Decrypted : std::uint8_t { Everything, UntilFull, End, Failed };
  Decrypted decrypt(Buffer& into, std::size_t& size);
  ReadAttempt end_reading(Buffer& into, std::size_t size);
  enum class Behind : bool { More, CloseNotify };
  std::optional<Result<std::size_t>> write_now(std::span<const iovec> pieces, Behind behind);
  Result<void> seal(std::span<const iovec> pieces, std::size_t total, Behind behind);
  Result<void> seal_record(std::string_view text);
  std::size_t first_record_size(std::size_t left) const noexcept;
  Result<void> end_with_close_notify();
  void send_close_notify() noexcept;

  std::unique_ptr<internal::TlsConnection> connection_;
  std::optional<Error> read_error_;  // what every read gives from now on
  std::size_t owed_ = 0;             // bytes that are sealed and not reported as written yet
  bool may_decrypt_ = false;         // something has arrived that is not read, or the end has
  bool is_read_over_ = false;        // the peer's close_notify is there
  bool is_cut_ = false;              // the inner stream has ended without one
  bool is_write_over_ = false;       // nothing can be written any more, or close_notify has been
  bool is_first_record_ = true;      // the next record to be sealed is the first since a read
};

}  // namespace pingora
