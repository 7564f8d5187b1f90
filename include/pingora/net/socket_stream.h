// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "pingora/net/stream.h"
#include "pingora/net/unique_fd.h"

namespace pingora {

/// A TCP or Unix connection.
///
/// A read that empties the socket knows so, and the next one waits without asking the kernel; an
/// end of the stream that came along with the last bytes is known too: from the reactor, or, with
/// an Asio whose reactor does not tell, for TCP from the kernel (TCP_INQ). For a Unix socket each
/// series of reads then ends with one that finds nothing.
class SocketStream final : public Stream, public internal::FrameAllocated {
 public:
  /// Takes over `fd`, a connected and non-blocking stream socket with the options that it is to
  /// have (see set_socket_options). It waits in `worker`; where the system does not let it, reading
  /// and writing fail instead of waiting.
  SocketStream(Worker& worker, int fd, SocketAddress peer);
  /// The same for a descriptor that is in a worker already; nobody waits on it.
  SocketStream(Descriptor descriptor, SocketAddress peer);
  /// The same, with an error at once (SocketError, source Internal) if the system refuses.
  static Result<std::unique_ptr<SocketStream>> open(Worker& worker, UniqueFd fd,
                                                    SocketAddress peer);

  std::optional<Result<std::size_t>> try_write(std::span<const iovec> pieces) override;
  std::optional<Result<std::size_t>> try_write_last(std::span<const iovec> pieces) override;
  void push() noexcept override;
  void shutdown_write() noexcept override;
  void abort_on_close() noexcept override;
  bool start_idle_watch(IdleWatch& watch) override;
  bool stop_idle_watch() override;
  Result<void> move_to(Worker& worker) override;
  SocketAddress local_address() const override;
  int fd() const noexcept override { return descriptor_.fd(); }

 protected:
  ReadAttempt attempt_read(Buffer& into) override;
  void start_wait(Direction direction, Strand& strand, Job& job) override;
  void cancel_wait(Direction direction, Strand& strand, Job& job) override;

 private:
  std::optional<Error> failure() const;
  std::optional<Result<std::size_t>> send(std::span<const iovec> pieces, int flags);

  Descriptor descriptor_;
  bool holds_back_ = false;  // the end of what was written
};

}  // namespace pingora
