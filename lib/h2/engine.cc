// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h2/engine.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "h2/engine_impl.h"
#include "h2/frame_writer.h"

namespace pingora::h2 {
namespace {

// Memory that header compression may use beyond the ceiling, which the engine looks at only between
// its calls: a few frames.
constexpr std::size_t kMemorySlack = 1024 * 1024;

}  // namespace

Engine::Impl::Impl(Role role, const EngineOptions& options, TimePoint now)
    : role_(role),
      options_(options),
      now_(now),
      memory_(options.memory_bytes_max + kMemorySlack),
      hpack_encoder_(options.header_table_bytes),
      hpack_decoder_(memory_),
      preface_left_(role == Role::Server ? kClientPreface.size() : 0),
      decoder_(options),
      resets_(options.resets, now),
      pings_(options.pings, now),
      settings_(options.settings, now),
      empty_data_(options.empty_data, now),
      window_updates_(options.window_updates, now),
      priorities_(options.priorities, now),
      unknown_frames_(options.unknown_frames, now),
      next_sample_(now) {
  memory_.close_home();
  announce_settings();
}

Engine::Impl::~Impl() {
  while (StreamState* stream = streams_.pop_front()) {
    Schedule::remove(stream->turn);
    delete stream;
  }
}

void Engine::Impl::announce_settings() {
  std::array<Setting, 8> settings;
  std::size_t count = 0;
  auto add = [&](SettingId id, std::uint32_t value) { settings[count++] = {id, value}; };
  if (role_ == Role::Server) {
    add(SettingId::MaxConcurrentStreams, options_.concurrent_streams_max);
    add(SettingId::NoRfc7540Priorities, 1);
    if (options_.extended_connect == ExtendedConnect::Yes) add(SettingId::EnableConnectProtocol, 1);
  } else {
    queue_.append(kClientPreface);
    add(SettingId::EnablePush, 0);
  }
  add(SettingId::InitialWindowSize, options_.stream_window_bytes);
  add(SettingId::MaxHeaderListSize, options_.header_list_bytes_max);
  if (options_.frame_bytes_max != kFrameBytesDefault) {
    add(SettingId::MaxFrameSize, options_.frame_bytes_max);
  }
  if (options_.header_table_bytes != kHeaderTableBytesDefault) {
    add(SettingId::HeaderTableSize, options_.header_table_bytes);
  }
  write_settings(queue_, std::span(settings).first(count));
  // It can only be made larger.
  if (options_.connection_window_bytes > window_.size()) {
    write_window_update(queue_, 0, window_.grow(options_.connection_window_bytes));
  }
}

void Engine::Impl::fail(ErrorCode code, std::uint64_t EngineCounters::* counter,
                        std::string_view reason) {
  if (std::exchange(has_failed_, true)) return;
  failure_ = code;
  failure_reason_ = reason;
  if (counter != nullptr) ++(counters_.*counter);
  write_goaway(queue_, std::min(last_peer_id_, last_named_id_), code);
}

void Engine::Impl::break_off(ErrorCode code, std::string_view reason) {
  fail(code, &EngineCounters::protocol_errors, reason);
}

void Engine::Impl::run_out_of_memory() {
  fail(ErrorCode::EnhanceYourCalm, &EngineCounters::memory_exhausted, "out of memory");
}

void Engine::Impl::settle() {
  if (!has_failed_ && memory_used() > options_.memory_bytes_max) {
    fail(ErrorCode::EnhanceYourCalm, &EngineCounters::memory_exhausted,
         "the memory of a connection is used up");
  }
  if (!has_failed_ || are_streams_failed_) return;
  are_streams_failed_ = true;
  StreamState* next = nullptr;
  for (StreamState* stream = streams_.front(); stream != nullptr; stream = next) {
    next = streams_.next(*stream);
    if (!stream->is_closed_) {
      // Nobody has heard of one whose head is not complete.
      if (!stream->is_visible) stream->is_released = true;
      push_reset(*stream, failure_, Event::Origin::Engine);
      end_stream(*stream);
    }
    destroy_if_done(*stream);
  }
}

std::size_t Engine::Impl::memory_used() const noexcept {
  return memory_.used() + hpack_encoder_.memory() + stream_count_ * sizeof(StreamState) +
         table_.memory() + head_memory_ + unconsumed_ + piece_memory_ + reader_.memory() +
         send_buffered_ + queue_.size() + events_.capacity() * sizeof(Event);
}

// Nothing but the peer, or a call for something new, will have it do anything.
bool Engine::Impl::is_idle() const noexcept {
  return stream_count_ == 0 && queue_.empty() && !is_draining();
}

void Engine::Impl::trim() noexcept {
  if (!is_idle()) return;
  decoder_.trim();
  reader_.trim();
  table_.trim();
  std::vector<std::uint32_t>().swap(ends_queued_);
  if (events_.empty()) Events().swap(events_);
  memory_.put_away();
}

// The connection.

void Engine::Impl::terminate(ErrorCode code, TimePoint now) {
  now_ = now;
  fail(code, nullptr, "ended by the program");
  settle();
}

void Engine::Impl::submit_ping(std::uint64_t opaque) {
  if (has_failed_) return;
  ++pings_sent_;
  write_ping(queue_, opaque, IsAck::No);
}

void Engine::Impl::begin_shutdown() {
  if (has_failed_ || std::exchange(is_shutting_down_, true)) return;
  // A client has no streams of the peer's to wait for.
  if (role_ == Role::Client) return finish_shutdown();
  write_goaway(queue_, kStreamIdMax, ErrorCode::NoError);
  submit_ping(kShutdownPing);
}

void Engine::Impl::finish_shutdown() {
  is_shutting_down_ = true;
  if (has_failed_ || std::exchange(is_last_stream_named_, true)) return;
  last_named_id_ = last_peer_id_;
  write_goaway(queue_, last_named_id_, ErrorCode::NoError);
}

bool Engine::Impl::is_finished() const noexcept {
  if (!queue_.empty()) return false;
  return has_failed_ || ((has_goaway_ || is_last_stream_named_) && table_.empty());
}

TimePoint Engine::Impl::head_deadline() const noexcept {
  return head_begun_ == kNever ? kNever : head_begun_ + options_.head_timeout;
}

bool Engine::Impl::is_draining() const noexcept {
  return has_failed_ || has_goaway_ || is_shutting_down_ || next_id_ > kStreamIdMax;
}

bool Engine::Impl::can_open_stream() const noexcept {
  return role_ == Role::Client && !is_draining() &&
         counted_ < peer_settings_.concurrent_streams_max;
}

// The face.

Engine::Engine(Role role, const EngineOptions& options, TimePoint now)
    : impl_(std::make_unique<Impl>(role, options, now)) {}
Engine::~Engine() = default;

Role Engine::role() const noexcept { return impl_->role_; }
Result<void> Engine::feed(const Bytes& input, TimePoint now) { return impl_->feed(input, now); }
std::optional<Event> Engine::next_event() { return impl_->next_event(); }
bool Engine::has_event() const noexcept { return impl_->next_event_ != impl_->events_.size(); }
bool Engine::has_output() const noexcept { return impl_->has_output(); }
void Engine::take_output(Output& out, std::size_t bytes_max) { impl_->take_output(out, bytes_max); }

void Engine::submit_informational(EngineStream& stream, const ResponseHeader& response,
                                  const HeaderEdits& edits) {
  impl_->submit_informational(Impl::state(stream), response, edits);
}
Result<void> Engine::submit_response(EngineStream& stream, const ResponseHeader& response,
                                     const HeaderEdits& edits, EndOfStream end) {
  return impl_->submit_response(Impl::state(stream), response, edits, end);
}
bool Engine::can_open_stream() const noexcept { return impl_->can_open_stream(); }
bool Engine::is_draining() const noexcept { return impl_->is_draining(); }
Result<EngineStream*> Engine::submit_request(const RequestHeader& request,
                                             const RequestParts& parts, EndOfStream end) {
  return impl_->submit_request(request, parts, end);
}
void Engine::submit_data(EngineStream& stream, Bytes data, EndOfStream end) {
  impl_->submit_data(Impl::state(stream), std::move(data), end);
}
void Engine::submit_trailers(EngineStream& stream, const HeaderMap& trailers) {
  impl_->submit_trailers(Impl::state(stream), trailers);
}
void Engine::reset(EngineStream& stream, ErrorCode code) {
  Impl::state(stream).is_muted = true;
  impl_->reset(Impl::state(stream), code);
  impl_->settle();
}
void Engine::consume(EngineStream& stream, std::size_t bytes) {
  impl_->consume(Impl::state(stream), bytes);
}
void Engine::release(EngineStream& stream) { impl_->release(Impl::state(stream)); }

void Engine::submit_ping(std::uint64_t opaque) { impl_->submit_ping(opaque); }
void Engine::begin_shutdown() { impl_->begin_shutdown(); }
void Engine::finish_shutdown() { impl_->finish_shutdown(); }
bool Engine::is_shutting_down() const noexcept { return impl_->is_shutting_down_; }
void Engine::terminate(ErrorCode code, TimePoint now) { impl_->terminate(code, now); }
bool Engine::is_finished() const noexcept { return impl_->is_finished(); }
bool Engine::has_failed() const noexcept { return impl_->has_failed_; }

const PeerSettings& Engine::peer_settings() const noexcept { return impl_->peer_settings_; }
std::size_t Engine::streams() const noexcept { return impl_->stream_count_; }
TimePoint Engine::head_deadline() const noexcept { return impl_->head_deadline(); }
std::size_t Engine::send_buffered() const noexcept { return impl_->send_buffered_; }
std::size_t Engine::unconsumed() const noexcept { return impl_->unconsumed_; }
std::int64_t Engine::receive_window() const noexcept { return impl_->window_.available(); }
std::int64_t Engine::receive_window_used() const noexcept { return impl_->window_.used(); }
std::int64_t Engine::send_window() const noexcept { return impl_->send_window_; }
std::size_t Engine::memory_used() const noexcept { return impl_->memory_used(); }
void Engine::trim() noexcept { impl_->trim(); }
const EngineCounters& Engine::counters() const noexcept { return impl_->counters_; }
EngineCounters Engine::take_counters() noexcept { return std::exchange(impl_->counters_, {}); }

}  // namespace pingora::h2
