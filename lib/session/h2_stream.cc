// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Waiting follows the protocol of docs/CONCURRENCY.md: a completion is posted to the session's
// strand under the connection's mutex, and whoever cancels takes it away under the same mutex
// before it takes it out of the strand's queue.
#include "session/h2_stream.h"

#include <mutex>
#include <utility>

#include "pingora/base/assert.h"
#include "session/h2_connection.h"

namespace pingora::internal {
namespace {

// A head, a short body and trailers come at once, and are all of most messages.
constexpr std::size_t kInboxMin = 3;

}  // namespace

H2Stream::H2Stream(H2Connection& connection, h2::EngineStream& engine_stream)
    : connection_(connection), engine_stream_(engine_stream), id_(engine_stream.id()) {
  engine_stream.set_user_data(this);
  connection.streams_.push_back(*this);
}

std::optional<h2::Event> H2Stream::next_event() {
  std::lock_guard lock(connection_.mutex());
  if (inbox_first_ == inbox_.size()) return std::nullopt;
  std::optional<h2::Event> event(std::move(inbox_[inbox_first_++]));
  if (inbox_first_ == inbox_.size()) {
    inbox_.clear();
    inbox_first_ = 0;
  }
  if (!event->data.empty()) {
    h2::Engine& engine = connection_.engine();
    engine.consume(engine_stream_, event->data.size());
    if (engine.has_output()) connection_.request_flush();
  }
  return event;
}

bool H2Stream::has_event() const {
  std::lock_guard lock(connection_.mutex());
  return inbox_first_ != inbox_.size();
}

H2StreamEnd H2Stream::end() const {
  std::lock_guard lock(connection_.mutex());
  return end_;
}

bool H2Stream::is_writable() const {
  std::lock_guard lock(connection_.mutex());
  return engine_stream_.is_writable();
}

bool H2Stream::is_ready(Want want) const {
  if (end_.kind != H2StreamEnd::Kind::Open) return true;
  return want == Want::Event ? inbox_first_ != inbox_.size() : engine_stream_.is_writable();
}

void H2Stream::wake(Want want) {
  WaitOp* op = std::exchange(waiting(want), nullptr);
  if (op != nullptr) op->completion_->strand().post(*op->completion_);
}

void H2Stream::interrupt_wait(Want want) {
  std::lock_guard lock(connection_.mutex());
  wake(want);
}

void H2Stream::on_event(h2::Event&& event) {
  switch (event.kind) {
    case h2::Event::Kind::Informational:
    case h2::Event::Kind::ResponseHead:
    case h2::Event::Kind::Data:
    case h2::Event::Kind::Trailers:
      if (inbox_.capacity() == 0) inbox_.reserve(kInboxMin);
      inbox_.push_back(std::move(event));
      wake(Want::Event);
      return;
    case h2::Event::Kind::Writable: wake(Want::Room); return;
    case h2::Event::Kind::Reset:
      on_end({H2StreamEnd::Kind::Reset, event.origin, event.code});
      return;
    case h2::Event::Kind::Closed:
    case h2::Event::Kind::RequestHead:
    case h2::Event::Kind::Refused:
    case h2::Event::Kind::GoAway:
    case h2::Event::Kind::Settings:
    case h2::Event::Kind::PingAck: return;
  }
}

void H2Stream::on_end(H2StreamEnd end) {
  if (end_.kind != H2StreamEnd::Kind::Open) return;
  // What is complete in both directions has ended well.
  if (engine_stream_.is_closed() && end.kind == H2StreamEnd::Kind::ConnectionLost) return;
  end_ = end;
  wake(Want::Event);
  wake(Want::Room);
  if (H2EndJob* job = std::exchange(end_job_, nullptr)) job->strand_->post(*job);
}

void H2Stream::start_end_watch(Strand& strand, H2EndJob& job) {
  std::lock_guard lock(connection_.mutex());
  job.strand_ = &strand;
  if (end_.kind == H2StreamEnd::Kind::Open) {
    end_job_ = &job;
  } else {
    strand.post(job);
  }
}

void H2Stream::stop_end_watch(H2EndJob& job) {
  {
    std::lock_guard lock(connection_.mutex());
    if (end_job_ == &job) end_job_ = nullptr;
  }
  if (Strand* strand = std::exchange(job.strand_, nullptr)) strand->remove(job);
}

bool H2Stream::WaitOp::start(Completion& completion) {
  completion_ = &completion;
  {
    std::lock_guard lock(stream_.connection_.mutex());
    if (stream_.is_ready(want_)) return true;
    PINGORA_ASSERT(stream_.waiting(want_) == nullptr);
    stream_.waiting(want_) = this;
  }
  set(completion.strand(), deadline_);
  return false;
}

void H2Stream::WaitOp::cancel() {
  {
    std::lock_guard lock(stream_.connection_.mutex());
    if (stream_.waiting(want_) == this) stream_.waiting(want_) = nullptr;
  }
  completion_->strand().remove(*completion_);
  lift();
}

Result<void> H2Stream::WaitOp::take_result() {
  lift();
  if (!is_late_) return {};
  return fail(want_ == Want::Event ? ErrorType::ReadTimedout : ErrorType::WriteTimedout, "");
}

void H2Stream::WaitOp::on_expired(Deadline& deadline) {
  auto& self = static_cast<WaitOp&>(deadline);
  {
    std::lock_guard lock(self.stream_.connection_.mutex());
    if (self.stream_.waiting(self.want_) != &self) return;  // woken: the completion is on its way
    self.stream_.waiting(self.want_) = nullptr;
  }
  self.is_late_ = true;
  self.completion_->run();
}

H2StreamRef::H2StreamRef(std::shared_ptr<H2Connection> connection,
                         std::unique_ptr<H2Stream> stream) noexcept
    : connection_(std::move(connection)), stream_(std::move(stream)) {}

H2StreamRef& H2StreamRef::operator=(H2StreamRef&& other) noexcept {
  reset();
  connection_ = std::move(other.connection_);
  stream_ = std::move(other.stream_);
  return *this;
}

void H2StreamRef::reset(TimePoint linger_until) {
  if (stream_ != nullptr) connection_->leave(std::move(stream_), linger_until);
}

void H2StreamRef::cut_off(TimePoint linger_until, h2::ErrorCode code) {
  stream_->cut_off_ = code;
  reset(linger_until);
}

}  // namespace pingora::internal
