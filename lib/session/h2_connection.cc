// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
//                        strand of the connection                  strands of the sessions
//   stream --> read_loop --> engine.feed --> take_events ----------> inbox, wake
//   stream <-- write_loop <-- engine.take_output <--+-- request_flush <-- submit
//                                                   |
//                     Closed, Writable -------------+--------------> released, wake
//
// A connection's life:
//
//   open --begin_shutdown--> draining --last stream ended--> finished --sent--> linger --> closed
//     |                                                         ^
//     +---- the engine refuses what came, a deadline -----------+
//     +---- the stream fails, or ends --> closed
//
// Invariants:
//  [owned]  an H2Stream is in streams_ while a session owns it, and in lingering_, which owns it,
//           from when the session has left it until our message has been sent;
//  [events] events are taken from the engine in the connection's strand only;
//  [flush]  while output waits, is_flush_requested_ is set or the write loop is sending.
#include "session/h2_connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pingora/base/assert.h"
#include "pingora/runtime/combinators.h"
#include "pingora/session/deadline_in.h"

namespace pingora::internal {
namespace {

// The most pieces in one system call.
constexpr std::size_t kPiecesMax = 64;
constexpr std::size_t kKeptPiecesMax = 16;

// The first pieces of `output`; returns how many bytes they hold.
std::size_t first_pieces(const h2::Output& output, std::span<iovec> pieces, std::size_t* count) {
  std::size_t size = 0;
  *count = std::min(pieces.size(), output.pieces().size());
  for (std::size_t i = 0; i < *count; ++i) {
    std::string_view piece = output.pieces()[i].view();
    pieces[i] = {const_cast<char*>(piece.data()), piece.size()};
    size += piece.size();
  }
  return size;
}

}  // namespace

// Waits until a flush is requested.
class H2Connection::FlushOp {
 public:
  using ValueType = void;
  explicit FlushOp(H2Connection& connection) noexcept : connection_(connection) {}
  bool start(Completion& completion) {
    std::lock_guard lock(connection_.mutex_);
    if (connection_.is_flush_requested_) return true;
    completion_ = &completion;
    connection_.flush_waiting_ = this;
    return false;
  }
  void cancel() {
    {
      std::lock_guard lock(connection_.mutex_);
      if (connection_.flush_waiting_ == this) connection_.flush_waiting_ = nullptr;
    }
    completion_->strand().remove(*completion_);
  }
  Result<void> take_result() { return {}; }
  void wake() { completion_->strand().post(*completion_); }

 private:
  H2Connection& connection_;
  Completion* completion_ = nullptr;
};

// Ends the connection when `run` does, however that comes.
class H2Connection::Running {
 public:
  Running(H2Connection& connection, Strand& strand) : connection_(connection) {
    connection.strand_ = &strand;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { connection_.end(); }

 private:
  H2Connection& connection_;
};

H2Connection::H2Connection(std::unique_ptr<Stream> stream, h2::Role role, const H2Options& options)
    : stream_(std::move(stream)),
      options_(options),
      role_(role),
      engine_(role, options.engine, coarse_now()),
      idle_since_(coarse_now()),
      trim_after_(kTrimAfterMin),
      last_received_(coarse_now()) {
  trim_later(idle_since_);
}

// All streams are released by now: whatever a peer and our sessions did, nothing is left to account
// for.
H2Connection::~H2Connection() { PINGORA_DEBUG_ASSERT(engine_.unconsumed() == 0); }

Task<> H2Connection::run(Buffer received) {
  Running running(*this, co_await current_strand());
  settings_deadline_ = deadline_in(options_.settings_timeout);
  auto first = co_await when_any(read_loop(std::move(received)), write_loop());
  end();
  if (!is_failed_ && is_last_word_ours()) co_await linger();
  if (auto* read = std::get_if<0>(&first)) {
    co_await std::move(*read);
  } else {
    co_await std::move(std::get<1>(first));
  }
}

// A server's GOAWAY is to be read in any case, a client's if it says what was wrong.
bool H2Connection::is_last_word_ours() const {
  if (role_ == h2::Role::Server) return true;
  std::lock_guard lock(mutex_);
  return engine_.has_failed();
}

// Drops what comes until the peer has closed, so that the kernel does not answer it with a reset,
// which would take the last frames away from the peer.
Task<> H2Connection::linger() {
  stream_->shutdown_write();
  TimePoint deadline = deadline_in(options_.linger_timeout);
  Buffer input;
  for (;;) {
    auto read = co_await as_result(stream_->read(input, deadline));
    input.reset();
    if (!read || *read == 0) co_return;
  }
}

// ---- Reading.

// What comes behind the end is dropped by the engine.
Task<> H2Connection::read_loop(Buffer received) {
  Buffer input = std::move(received);
  for (;;) {
    if (!input.empty()) receive(input.take(input.size()));
    Result<std::size_t> read = co_await as_result(stream_->read(input));
    if (read && *read != 0) continue;
    is_failed_ = true;
    if (!read) co_await std::move(read.error());
    co_return;
  }
}

void H2Connection::receive(const Bytes& input) {
  TimePoint now = coarse_now();
  {
    std::lock_guard lock(mutex_);
    last_received_ = now;
    // An error has its GOAWAY in the output, and finishes the engine.
    [[maybe_unused]] Result<void> fed = engine_.feed(input, now);
    if (idle_since_ != kNever) trim_later(now);
    take_events();
    if (engine_.has_output() || engine_.is_finished()) request_flush();
  }
  after_events();
  set_deadline();
}

void H2Connection::take_events() {
  while (std::optional<h2::Event> event = engine_.next_event()) {
    if (event->kind == h2::Event::Kind::PingAck) {
      ping_sent_ = kNever;
      continue;
    }
    if (event->kind == h2::Event::Kind::RequestHead) end_idle();
    auto* stream =
        event->stream == nullptr ? nullptr : static_cast<H2Stream*>(event->stream->user_data());
    if (stream == nullptr) {
      has_news_ = true;
      on_event(std::move(*event));
    } else if (!stream->is_left_) {
      stream->on_event(std::move(*event));
    } else if (event->kind == h2::Event::Kind::Data) {
      engine_.consume(stream->engine_stream_, event->data.size());
    } else if (event->kind == h2::Event::Kind::Closed || event->kind == h2::Event::Kind::Reset) {
      release(*stream);
    }
  }
}

// ---- Writing.

void H2Connection::request_flush() {
  if (std::exchange(is_flush_requested_, true)) return;
  if (FlushOp* waiting = std::exchange(flush_waiting_, nullptr)) waiting->wake();
}

Task<> H2Connection::write_loop() {
  std::optional<h2::Output> output(std::in_place);
  std::size_t pieces_max = 0;
  while (fill(*output)) {
    if (!output->empty()) {
      pieces_max = std::max(pieces_max, output->pieces().size());
      co_await send(*output);
      continue;
    }
    // Idle connections do not keep room for many pieces.
    if (std::exchange(pieces_max, 0) > kKeptPiecesMax) output.emplace();
    set_deadline();
    co_await FlushOp(*this);
  }
}

// Takes what is to be sent next; false once nothing will be any more.
bool H2Connection::fill(h2::Output& output) {
  std::optional<h2::EngineCounters> news;
  bool is_over = false;
  {
    std::lock_guard lock(mutex_);
    is_flush_requested_ = false;
    engine_.take_output(output, turn_bytes_);
    take_events();
    if (!engine_.has_output()) release_sent();
    if (engine_.has_output()) is_flush_requested_ = true;
    is_over = output.empty() && !is_flush_requested_ && engine_.is_finished();
    if (std::exchange(has_news_, false)) news = engine_.take_counters();
  }
  if (news) publish(*news);
  return !is_over;
}

// What is taken from the engine in one turn is not overtaken by what is more urgent. That is little
// where the client takes its time, and much where a write goes at once.
Task<> H2Connection::send(h2::Output& output) {
  std::size_t next_turn = output.size() < turn_bytes_ ? turn_bytes_ : 2 * turn_bytes_;
  while (!output.empty()) {
    std::array<iovec, kPiecesMax> pieces;
    std::size_t count = 0;
    first_pieces(output, pieces, &count);
    if (auto written = stream_->try_write({pieces.data(), count})) {
      if (!*written) {
        is_failed_ = true;
        co_await std::move(written->error());
      }
      output.consume(**written);
      continue;
    }
    next_turn = h2::Engine::kTurnBytesMax;
    co_await send_slowly(output);
  }
  turn_bytes_ = std::min(next_turn, Stream::kTurnBytesMax);
}

Task<> H2Connection::send_slowly(h2::Output& output) {
  std::array<iovec, Stream::kPiecesMax> pieces;
  std::size_t count = 0;
  std::size_t size = first_pieces(output, pieces, &count);
  Result<void> written = co_await as_result(
      stream_->write(std::span<const iovec>(pieces.data(), count), deadline_in(write_timeout_)));
  if (!written) {
    is_failed_ = true;
    if (written.error().type() == ErrorType::WriteTimedout) on_limit("write_timeout");
    co_await std::move(written.error());
  }
  output.consume(size);
}

// ---- The end.

void H2Connection::begin_shutdown() {
  {
    std::lock_guard lock(mutex_);
    announce_shutdown();
  }
  if (strand_ != nullptr) set_deadline();
}

void H2Connection::announce_shutdown() {
  if (engine_.is_shutting_down()) return;
  engine_.begin_shutdown();
  shutdown_deadline_ = deadline_in(options_.goaway_grace);
  request_flush();
}

void H2Connection::end() {
  timer_.lift();
  h2::EngineCounters news;
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(is_lost_, true)) return;
    for (H2Stream* each = streams_.front(); each != nullptr; each = streams_.next(*each)) {
      each->on_end({.kind = H2StreamEnd::Kind::ConnectionLost});
    }
    while (H2Stream* each = lingering_.front()) release(*each);
    news = engine_.take_counters();
  }
  publish(news);
  on_ended();
}

// ---- Streams that their sessions have left.

void H2Connection::leave(std::unique_ptr<H2Stream> stream, TimePoint linger_until) {
  std::lock_guard lock(mutex_);
  stream->unlink();
  stream->is_left_ = true;
  stream->inbox_.clear();
  h2::EngineStream& engine_stream = stream->engine_stream_;
  bool is_to_be_sent =
      !is_lost_ && !engine_stream.is_closed() && (engine_stream.is_send_done() || stream->cut_off_);
  H2Stream& left = *stream.release();
  lingering_.push_back(left);
  if (is_to_be_sent) {
    left.linger_until_ = linger_until;
    linger_deadline_ = std::min(linger_deadline_, linger_until);
  } else {
    release(left);
  }
  request_flush();
}

void H2Connection::release(H2Stream& stream) {
  std::unique_ptr<H2Stream> owned(&stream);
  stream.unlink();
  engine_.release(stream.engine_stream_);
  has_news_ = true;
  if (engine_.streams() == 0) {
    begin_idle();
  }
  on_stream_released();
}

// Of what was left, all that can be sent has been. Where the peer's message is not complete, nobody
// waits for the rest of it (RFC 9113 §8.1): the engine says so with NO_ERROR.
void H2Connection::release_sent() {
  H2Stream* next = lingering_.front();
  while (next != nullptr) {
    H2Stream* each = std::exchange(next, lingering_.next(*next));
    if (each->engine_stream_.send_buffered() != 0) continue;
    if (each->cut_off_) engine_.reset(each->engine_stream_, *each->cut_off_);
    release(*each);
  }
}

}  // namespace pingora::internal
