// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "pingora/net/stream.h"

namespace pingora {

/// A stream on top of another one that it owns, such as TLS on TCP: what it does not change passes
/// through. Waits of the layer are waits of the inner stream.
class StreamLayer : public Stream {
 public:
  void push() noexcept override { inner_->push(); }
  void shutdown_write() noexcept override { inner_->shutdown_write(); }
  void abort_on_close() noexcept override { inner_->abort_on_close(); }
  bool start_idle_watch(IdleWatch& watch) override { return inner_->start_idle_watch(watch); }
  bool stop_idle_watch() override { return inner_->stop_idle_watch(); }
  Result<void> move_to(Worker& worker) override { return inner_->move_to(worker); }
  SocketAddress local_address() const override { return inner_->local_address(); }
  int fd() const noexcept override { return inner_->fd(); }

  Stream& inner() noexcept { return *inner_; }
  const Stream& inner() const noexcept { return *inner_; }

 protected:
  /// `inner` is not null, and nobody reads or writes it from now on but this. Its digest is copied.
  explicit StreamLayer(std::unique_ptr<Stream> inner) : inner_(std::move(inner)) {
    mutable_digest() = inner_->digest();
  }

  void start_wait(Direction direction, Strand& strand, Job& job) override {
    inner_->start_wait(direction, strand, job);
  }
  void cancel_wait(Direction direction, Strand& strand, Job& job) override {
    inner_->cancel_wait(direction, strand, job);
  }

  /// Whether the inner stream is known to have something, without asking it.
  bool inner_may_read() const noexcept { return inner_->may_read(); }
  /// For `attempt_read` to call first where the layer itself holds nothing to give: an attempt is
  /// made only if something is left or a wait is over, so that then it is the wait's.
  void note_inner_readable() noexcept { inner_->note_readable(); }

 private:
  std::unique_ptr<Stream> inner_;
};

}  // namespace pingora
