// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Everything that the two ends share is in a Link, under one mutex. Waiting jobs are put into their
// strands under it, so that a wait that has been cancelled under it is not called any more.
#include "pingora/net/memory_stream.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <string>
#include <string_view>

namespace pingora {
namespace {

constexpr std::size_t index_of(Direction direction) { return static_cast<std::size_t>(direction); }

// How far a fault of one direction has come.
struct FaultState {
  StreamFault fault;
  std::size_t bytes = 0;
  std::size_t operations = 0;

  bool is_struck() const {
    return fault.kind != StreamFault::Kind::None &&
           (bytes >= fault.after_bytes || operations > fault.at_operation);
  }
  bool is_stalled() const { return fault.kind == StreamFault::Kind::Stall && is_struck(); }
  // Bytes that may pass before it strikes.
  std::size_t room() const {
    return fault.kind == StreamFault::Kind::None ? StreamFault::kNowhere
                                                 : fault.after_bytes - bytes;
  }
};

class End {
 public:
  MemoryStreamOptions options;
  std::array<FaultState, 2> faults;
  struct Waiting {
    Strand* strand = nullptr;
    Job* job = nullptr;
  };
  std::array<Waiting, 2> waiting;
  std::array<bool, 2> must_wait{};  // the next attempt finds nothing, for `always_waits`
  IdleWatch* idle_watch = nullptr;
  bool had_idle_event = false;
  bool is_closed = false;    // destroyed
  bool is_finished = false;  // writes no more
  bool is_aborted = false;

  /// What was written and not read by the other end.
  std::string_view unread() const noexcept { return std::string_view(written_).substr(read_); }
  void write(std::string_view bytes) { written_.append(bytes); }
  /// What has been read moves up only when it is the larger part, so that a byte is moved once.
  void drop(std::size_t size) {
    read_ += size;
    if (read_ * 2 < written_.size()) return;
    written_.erase(0, read_);
    read_ = 0;
  }

 private:
  std::string written_;
  std::size_t read_ = 0;  // bytes of it
};

}  // namespace

class MemoryStream::Link {
 public:
  mutable std::mutex mutex;
  std::array<End, 2> ends;

  // All below under the mutex. `side` is the end that reads or writes.

  bool is_readable(std::size_t side) const {
    const End& end = ends[side];
    const End& peer = ends[1 - side];
    const FaultState& fault = end.faults[index_of(Direction::Read)];
    if (fault.is_struck()) return !fault.is_stalled();
    return !peer.unread().empty() || peer.is_finished || peer.is_closed;
  }
  bool is_writable(std::size_t side) const {
    const End& end = ends[side];
    const FaultState& fault = end.faults[index_of(Direction::Write)];
    if (fault.is_struck()) return !fault.is_stalled();
    return end.unread().size() < end.options.capacity || ends[1 - side].is_closed;
  }
  bool is_ready(std::size_t side, Direction direction) const {
    return direction == Direction::Read ? is_readable(side) : is_writable(side);
  }

  // Tells whoever waits for `direction` on `side`, if there is reason to. What it returns is to be
  // destroyed behind the mutex.
  [[nodiscard]] std::shared_ptr<void> wake(std::size_t side, Direction direction) {
    End& end = ends[side];
    if (!is_ready(side, direction)) return nullptr;
    auto [strand, job] = std::exchange(end.waiting[index_of(direction)], {});
    if (job != nullptr) strand->post(*job);
    if (direction == Direction::Write || end.idle_watch == nullptr) return nullptr;
    end.had_idle_event = true;
    return std::exchange(end.idle_watch, nullptr)->on_idle_event();
  }
};

MemoryStream::Pair MemoryStream::make_pair(MemoryStreamOptions first, MemoryStreamOptions second) {
  auto link = std::make_shared<Link>();
  link->ends[0].options = first;
  link->ends[1].options = second;
  for (End& end : link->ends) {
    end.faults[index_of(Direction::Read)].fault = end.options.read_fault;
    end.faults[index_of(Direction::Write)].fault = end.options.write_fault;
  }
  return {std::unique_ptr<MemoryStream>(new MemoryStream(link, 0)),
          std::unique_ptr<MemoryStream>(new MemoryStream(link, 1))};
}

MemoryStream::~MemoryStream() {
  std::shared_ptr<void> discarded;
  std::lock_guard lock(link_->mutex);
  End& end = link_->ends[side_];
  end.is_closed = end.is_finished = true;
  end.idle_watch = nullptr;
  if (end.is_aborted) end.drop(end.unread().size());
  discarded = link_->wake(1 - side_, Direction::Read);
  [[maybe_unused]] auto nothing = link_->wake(1 - side_, Direction::Write);
}

Stream::ReadAttempt MemoryStream::attempt_read(Buffer& into) {
  std::lock_guard lock(link_->mutex);
  End& end = link_->ends[side_];
  End& peer = link_->ends[1 - side_];
  if (std::exchange(end.must_wait[index_of(Direction::Read)], false)) return {std::nullopt, false};
  FaultState& fault = end.faults[index_of(Direction::Read)];
  ++fault.operations;
  if (fault.is_struck()) {
    switch (fault.fault.kind) {
      case StreamFault::Kind::Stall: return {std::nullopt, false};
      case StreamFault::Kind::EndOfStream: return {std::size_t{0}, true};
      case StreamFault::Kind::Error:
      case StreamFault::Kind::None: return {fail(fault.fault.error, "injected"), true};
    }
  }
  if (peer.is_aborted) return {fail(ErrorType::ConnectionClosed, "reset by the peer"), true};
  if (peer.unread().empty()) {
    if (peer.is_finished) return {std::size_t{0}, true};
    --fault.operations;  // it has to wait: this was none
    return {std::nullopt, false};
  }
  std::span<char> room = into.prepare();
  std::size_t size =
      std::min({peer.unread().size(), room.size(), end.options.read_size_max, fault.room()});
  into.append(peer.unread().substr(0, size));
  peer.drop(size);
  fault.bytes += size;
  [[maybe_unused]] auto nothing = link_->wake(1 - side_, Direction::Write);
  end.must_wait[index_of(Direction::Read)] = end.options.always_waits;
  return {size, link_->is_readable(side_) && !end.options.always_waits};
}

std::optional<Result<std::size_t>> MemoryStream::try_write(std::span<const iovec> pieces) {
  std::shared_ptr<void> discarded;
  std::lock_guard lock(link_->mutex);
  End& end = link_->ends[side_];
  const End& peer = link_->ends[1 - side_];
  if (std::exchange(end.must_wait[index_of(Direction::Write)], false)) return std::nullopt;
  FaultState& fault = end.faults[index_of(Direction::Write)];
  ++fault.operations;
  if (fault.is_struck()) {
    switch (fault.fault.kind) {
      case StreamFault::Kind::Stall: return std::nullopt;
      case StreamFault::Kind::EndOfStream: return fail(ErrorType::ConnectionClosed, "injected");
      case StreamFault::Kind::Error:
      case StreamFault::Kind::None: return fail(fault.fault.error, "injected");
    }
  }
  if (peer.is_closed || end.is_finished) {
    return fail(ErrorType::ConnectionClosed, "the other end is closed");
  }
  std::size_t room =
      std::min({end.options.capacity - std::min(end.options.capacity, end.unread().size()),
                end.options.write_size_max, fault.room()});
  if (room == 0) {
    --fault.operations;
    return std::nullopt;
  }
  std::size_t size = 0;
  for (const iovec& piece : pieces) {
    std::size_t part = std::min(room - size, piece.iov_len);
    end.write({static_cast<const char*>(piece.iov_base), part});
    size += part;
  }
  fault.bytes += size;
  end.must_wait[index_of(Direction::Write)] = end.options.always_waits;
  discarded = link_->wake(1 - side_, Direction::Read);
  return size;
}

void MemoryStream::start_wait(Direction direction, Strand& strand, Job& job) {
  std::lock_guard lock(link_->mutex);
  if (link_->is_ready(side_, direction)) {
    strand.post(job);
  } else {
    link_->ends[side_].waiting[index_of(direction)] = {&strand, &job};
  }
}

void MemoryStream::cancel_wait(Direction direction, Strand& strand, Job& job) {
  std::lock_guard lock(link_->mutex);
  link_->ends[side_].waiting[index_of(direction)] = {};
  strand.remove(job);
}

void MemoryStream::shutdown_write() noexcept {
  std::shared_ptr<void> discarded;
  std::lock_guard lock(link_->mutex);
  link_->ends[side_].is_finished = true;
  discarded = link_->wake(1 - side_, Direction::Read);
}

void MemoryStream::abort_on_close() noexcept {
  std::lock_guard lock(link_->mutex);
  link_->ends[side_].is_aborted = true;
}

bool MemoryStream::start_idle_watch(IdleWatch& watch) {
  std::lock_guard lock(link_->mutex);
  if (link_->is_readable(side_)) return false;
  End& end = link_->ends[side_];
  end.had_idle_event = false;
  end.idle_watch = &watch;
  return true;
}

bool MemoryStream::stop_idle_watch() {
  std::lock_guard lock(link_->mutex);
  End& end = link_->ends[side_];
  end.idle_watch = nullptr;
  return !end.had_idle_event;
}

void MemoryStream::release_stall() {
  std::shared_ptr<void> discarded;
  std::lock_guard lock(link_->mutex);
  for (FaultState& fault : link_->ends[side_].faults) {
    if (fault.fault.kind == StreamFault::Kind::Stall) fault.fault.kind = StreamFault::Kind::None;
  }
  discarded = link_->wake(side_, Direction::Read);
  [[maybe_unused]] auto nothing = link_->wake(side_, Direction::Write);
}

bool MemoryStream::is_peer_finished() const {
  std::lock_guard lock(link_->mutex);
  return link_->ends[1 - side_].is_finished;
}

}  // namespace pingora
