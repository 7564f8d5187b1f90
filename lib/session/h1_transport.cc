// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/session/h1_transport.h"

#include <algorithm>
#include <array>

#include "session/session_metrics.h"

namespace pingora::internal {
namespace {

// Up to here, copying costs less than another piece in a system call does.
constexpr std::size_t kGatherBytesMax = 4 * 1024;
// How much of a write has the write timeout to itself: a slow reader is not a stalled one.
constexpr std::size_t kStallBytes = 64 * 1024;

class Pieces {
 public:
  void add(std::string_view bytes) noexcept {
    if (bytes.empty()) return;
    pieces_[count_++] = {const_cast<char*>(bytes.data()), bytes.size()};
    size_ += bytes.size();
  }
  std::span<const iovec> view() const noexcept { return {pieces_.data(), count_}; }
  std::size_t size() const noexcept { return size_; }

 private:
  std::array<iovec, 4> pieces_;  // not zeroed
  std::size_t count_ = 0;
  std::size_t size_ = 0;
};

// Takes up to `size` bytes off the front of `text`, and says how many are left to take.
std::size_t drop(std::string_view& text, std::size_t size) noexcept {
  std::size_t dropped = std::min(size, text.size());
  text.remove_prefix(dropped);
  return size - dropped;
}

}  // namespace

Error H1Transport::write_failed(Error error) {
  state_ = State::Broken;
  output_.reset();
  error.set_source(source_);
  if (error.type() == ErrorType::WriteTimedout) {
    SessionMetrics& metrics = SessionMetrics::get();
    (source_ == ErrorSource::Upstream ? metrics.upstream.write_timeout
                                      : metrics.downstream.write_timeout)
        .add();
  }
  return error;
}

Task<> H1Transport::write(const H1Frame& frame, Bytes data, Send send) {
  if (!is_writable()) return Error::internal("a write behind one that failed or was cancelled");
  std::string_view head = frame.head();
  if (output_.size() + head.size() + data.size() + frame.tail.size() <= kGatherBytesMax) {
    output_.append(head);
    output_.append(data.view());
    output_.append(frame.tail);
    return send == Send::Gather ? Task<>() : this->send(send);
  }
  Pieces pieces;
  pieces.add(output_.view());
  pieces.add(head);
  pieces.add(data.view());
  pieces.add(frame.tail);
  std::size_t written = 0;
  if (auto result = try_write(pieces.view(), send)) {
    if (!*result) return write_failed(std::move(result->error()));
    written = **result;
  }
  if (written == pieces.size()) {
    output_.reset();
    return {};
  }
  // What is left, with a chunk's head moved behind what was gathered.
  std::size_t gathered = std::min(written, output_.size());
  output_.consume(gathered);
  written = drop(head, written - gathered);
  output_.append(head);
  std::size_t of_data = std::min(written, data.size());
  data.remove_prefix(of_data);
  std::string_view tail = frame.tail;
  drop(tail, written - of_data);
  state_ = State::Writing;
  return send_slowly(std::move(data), tail);
}

Task<> H1Transport::send(Send how) {
  if (output_.empty()) return {};
  if (!is_writable()) return Error::internal("a write behind one that failed or was cancelled");
  iovec piece{const_cast<char*>(output_.view().data()), output_.size()};
  if (auto result = try_write({&piece, 1}, how)) {
    if (!*result) return write_failed(std::move(result->error()));
    output_.consume(**result);
    if (output_.empty()) return {};
  }
  state_ = State::Writing;
  return send_slowly({}, {});
}

// Cancelled, it leaves the state at Writing.
Task<> H1Transport::send_slowly(Bytes data, std::string_view tail) {
  do {
    std::string_view piece = data.view().substr(0, kStallBytes);
    bool is_last = piece.size() == data.size();
    Result<void> result = co_await as_result(stream_->write(
        {output_.view(), piece, is_last ? tail : std::string_view()}, deadline_in(write_timeout_)));
    if (!result) {
      co_await write_failed(std::move(result.error()));
    }
    output_.reset();
    data.remove_prefix(piece.size());
  } while (!data.empty());
  state_ = State::Open;
}

}  // namespace pingora::internal
