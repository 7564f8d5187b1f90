// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/stream.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "pingora/base/assert.h"

namespace pingora {

std::optional<Result<std::size_t>> Stream::try_read(Buffer& into) {
  if (!may_read_) return std::nullopt;
  ReadAttempt attempt = attempt_read(into);
  may_read_ = attempt.may_have_more;
  return std::move(attempt.result);
}

void Stream::interrupt_read(Error error) {
  if (reader_ == nullptr) return;
  ReadOp& reader = *reader_;
  Completion& completion = *reader.completion_;
  reader.cancel();
  reader.result_.emplace(std::unexpected(std::move(error)));
  completion.strand().post(completion);
  // The read is over but for the completion in the queue, which a later cancel takes out.
  reader_ = nullptr;
}

Stream::PeerState Stream::peer_state() const noexcept {
  pollfd polled{fd(), POLLRDHUP, 0};  // a negative descriptor is passed over
  if (::poll(&polled, 1, 0) <= 0) return PeerState::Open;
  bool is_gone = (polled.revents & (POLLERR | POLLHUP)) != 0;
  return is_gone ? PeerState::Gone : PeerState::SendsNoMore;
}

void Stream::start_readable_wait(Strand& strand, Job& job) {
  if (may_read_) {
    strand.post(job);
  } else {
    start_wait(Direction::Read, strand, job);
  }
}

void Stream::cancel_readable_wait(Strand& strand, Job& job) {
  cancel_wait(Direction::Read, strand, job);
}

bool Stream::ReadOp::start(Completion& completion) {
  completion_ = &completion;
  if (stream_.turn_bytes_ < kTurnBytesMax) {
    if (auto result = stream_.try_read(into_)) {
      if (*result) stream_.turn_bytes_ += **result;
      result_ = std::move(result);
      return true;
    }
    stream_.turn_bytes_ = 0;
    stream_.reader_ = this;
    wait();
  } else {
    stream_.turn_bytes_ = 0;
    stream_.reader_ = this;
    is_yielding_ = true;
    completion.strand().post(*this);
  }
  set_deadline();
  return false;
}

void Stream::ReadOp::set_deadline() {
  TimePoint first = deadline_;
  if (!stream_.tells_failure_) {
    first = std::min(first, coarse_now() + kLookAgainAfter);
    will_look_ = first < deadline_;
  }
  set(completion_->strand(), first);
}

void Stream::ReadOp::on_expired(Deadline& deadline) {
  auto& self = static_cast<ReadOp&>(deadline);
  if (std::exchange(self.will_look_, false)) {
    self.set(self.completion_->strand(), self.deadline_);
    if (self.is_yielding_) return;
    self.stop_waiting();
    on_ready(self);
    return;
  }
  self.stop_waiting();
  self.complete(fail(ErrorType::ReadTimedout, ""));
}

void Stream::ReadOp::wait() {
  is_yielding_ = false;
  stream_.start_wait(Direction::Read, completion_->strand(), *this);
}

void Stream::ReadOp::on_ready(Job& job) {
  auto& self = static_cast<ReadOp&>(job);
  if (!self.is_yielding_) self.stream_.may_read_ = true;
  auto result = self.stream_.try_read(self.into_);
  if (!result) {
    self.wait();
    return;
  }
  if (*result) self.stream_.turn_bytes_ += **result;
  self.complete(std::move(*result));
}

void Stream::ReadOp::complete(Result<std::size_t> result) {
  stream_.reader_ = nullptr;
  lift();
  result_.emplace(std::move(result));
  completion_->run();
}

void Stream::ReadOp::cancel() {
  Strand& strand = completion_->strand();
  if (stream_.reader_ != this) {  // done or interrupted, and the completion is on its way
    strand.remove(*completion_);
    return;
  }
  stream_.reader_ = nullptr;
  stop_waiting();
  lift();
}

void Stream::ReadOp::stop_waiting() {
  Strand& strand = completion_->strand();
  if (is_yielding_) {
    strand.remove(*this);
  } else {
    stream_.cancel_wait(Direction::Read, strand, *this);
  }
}

std::size_t advance_pieces(std::span<iovec> pieces, std::size_t first, std::size_t bytes) noexcept {
  while (first < pieces.size() && bytes >= pieces[first].iov_len) {
    bytes -= pieces[first++].iov_len;
  }
  if (bytes != 0) {
    pieces[first].iov_base = static_cast<char*>(pieces[first].iov_base) + bytes;
    pieces[first].iov_len -= bytes;
  }
  return first;
}

Stream::WriteOp::WriteOp(Stream& stream, std::span<const iovec> pieces, TimePoint deadline) noexcept
    : MovableJob(&on_ready),
      Deadline(&on_expired),
      stream_(stream),
      count_(pieces.size()),
      deadline_(deadline) {
  PINGORA_ASSERT(pieces.size() <= kPiecesMax);
  std::copy(pieces.begin(), pieces.end(), pieces_.begin());
}

Stream::WriteOp::WriteOp(Stream& stream, std::initializer_list<std::string_view> pieces,
                         TimePoint deadline) noexcept
    : MovableJob(&on_ready), Deadline(&on_expired), stream_(stream), deadline_(deadline) {
  PINGORA_ASSERT(pieces.size() <= kPiecesMax);
  for (std::string_view piece : pieces) {
    if (!piece.empty()) pieces_[count_++] = {const_cast<char*>(piece.data()), piece.size()};
  }
}

bool Stream::WriteOp::proceed() {
  while (first_ < count_) {
    auto result = stream_.try_write({pieces_.data() + first_, count_ - first_});
    if (!result) return false;
    if (!*result) {
      result_.emplace(std::unexpected(std::move(result->error())));
      return true;
    }
    first_ = advance_pieces({pieces_.data(), count_}, first_, **result);
  }
  result_.emplace();
  return true;
}

bool Stream::WriteOp::start(Completion& completion) {
  completion_ = &completion;
  if (proceed()) return true;
  stream_.writer_ = this;
  stream_.start_wait(Direction::Write, completion.strand(), *this);
  set(completion.strand(), deadline_);
  return false;
}

void Stream::WriteOp::on_expired(Deadline& deadline) {
  auto& self = static_cast<WriteOp&>(deadline);
  self.stream_.writer_ = nullptr;
  self.stream_.cancel_wait(Direction::Write, self.completion_->strand(), self);
  self.result_.emplace(fail(ErrorType::WriteTimedout, ""));
  self.completion_->run();
}

void Stream::WriteOp::on_ready(Job& job) {
  auto& self = static_cast<WriteOp&>(job);
  if (!self.proceed()) {
    self.stream_.start_wait(Direction::Write, self.completion_->strand(), self);
    return;
  }
  self.stream_.writer_ = nullptr;
  self.lift();
  self.completion_->run();
}

void Stream::WriteOp::cancel() {
  Strand& strand = completion_->strand();
  if (stream_.writer_ != this) {
    strand.remove(*completion_);
    return;
  }
  stream_.writer_ = nullptr;
  stream_.cancel_wait(Direction::Write, strand, *this);
  lift();
}

}  // namespace pingora
