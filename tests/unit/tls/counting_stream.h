// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "pingora/net/stream_layer.h"

namespace pingora {

/// Counts what a layer above asks of the stream below.
class CountingStream final : public StreamLayer {
 public:
  struct Counts {
    int reads = 0;
    int empty_reads = 0;  // of these, found nothing
    int writes = 0;
    std::size_t bytes_read = 0;
    std::size_t bytes_written = 0;
  };
  CountingStream(std::unique_ptr<Stream> inner, Counts& counts)
      : StreamLayer(std::move(inner)), counts_(counts) {}

  std::optional<Result<std::size_t>> try_write(std::span<const iovec> pieces) override {
    ++counts_.writes;
    auto result = inner().try_write(pieces);
    if (result && *result) counts_.bytes_written += **result;
    return result;
  }

 protected:
  ReadAttempt attempt_read(Buffer& into) override {
    if (!inner_may_read()) note_inner_readable();
    ++counts_.reads;
    auto result = inner().try_read(into);
    if (!result) ++counts_.empty_reads;
    if (result && *result) counts_.bytes_read += **result;
    return {std::move(result), inner_may_read()};
  }

 private:
  Counts& counts_;
};

}  // namespace pingora
