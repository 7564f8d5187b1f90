// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h2/engine.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/pool.h"
#include "h2/engine_impl.h"

namespace pingora::h2 {
namespace {

// A body of memory that nghttp2 may use beyond the ceiling, which the engine looks at only between
// calls of it: a few frames.
constexpr std::size_t kMemorySlack = 1024 * 1024;

// nghttp2's own limits, far above ours: what strikes is to be ours, with its counter.
constexpr std::uint64_t kNeverStrikes = std::uint64_t{1} << 40;
// What RFC 9113 §6.5.2 says where nothing is announced.
constexpr std::uint32_t kFrameBytesDefault = 16 * 1024;
constexpr std::uint32_t kTableBytesDefault = 4096;
constexpr std::size_t kHeaderBlockSentMax = 1024 * 1024;

nghttp2_option* make_option(const EngineOptions& options) {
  nghttp2_option* option = nullptr;
  if (nghttp2_option_new(&option) != 0) throw std::bad_alloc();
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_http_messaging(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_deflate_dynamic_table_size(option, options.header_table_bytes);
  nghttp2_option_set_max_send_header_block_length(option, kHeaderBlockSentMax);
  nghttp2_option_set_max_continuations(option, options.continuations_max);
  nghttp2_option_set_max_outbound_ack(option, options.acks_queued_max);
  nghttp2_option_set_stream_reset_rate_limit(option, kNeverStrikes, kNeverStrikes);
  // Frames of unknown types are to be ignored, but they are to be counted.
  for (unsigned type = NGHTTP2_CONTINUATION + 1; type <= 0xff; ++type) {
    if (type == NGHTTP2_PRIORITY_UPDATE) continue;
    nghttp2_option_set_user_recv_extension_type(option, static_cast<std::uint8_t>(type));
  }
  nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
  return option;
}

}  // namespace

void* Engine::Impl::operator new(std::size_t size) {
  void* memory = pingora::internal::pool_take(pingora::internal::pooled_size(size));
  return memory != nullptr ? memory : throw std::bad_alloc();
}

void Engine::Impl::operator delete(void* impl, std::size_t size) noexcept {
  pingora::internal::pool_give(impl, pingora::internal::pooled_size(size));
}

Engine::Impl::Impl(Role role, const EngineOptions& options, TimePoint now)
    : role_(role),
      options_(options),
      now_(now),
      memory_(options.memory_bytes_max + kMemorySlack),
      walk_(role == Role::Server ? NGHTTP2_CLIENT_MAGIC_LEN : 0),
      decoder_(options),
      resets_(options.resets, now),
      pings_(options.pings, now),
      settings_(options.settings, now),
      empty_data_(options.empty_data, now),
      window_updates_(options.window_updates, now),
      priorities_(options.priorities, now),
      unknown_frames_(options.unknown_frames, now),
      connection_window_(options.connection_window_bytes),
      next_sample_(now) {
  nghttp2_option* option = make_option(options);
  int status = role == Role::Server
                   ? nghttp2_session_server_new3(session_.place(), callbacks(), this, option,
                                                 memory_.callbacks())
                   : nghttp2_session_client_new3(session_.place(), callbacks(), this, option,
                                                 memory_.callbacks());
  nghttp2_option_del(option);
  memory_.close_home();
  if (status != 0) throw std::bad_alloc();
  announce_settings();
}

Engine::Impl::~Impl() {
  nghttp2_session_del(session_);
  while (StreamState* stream = streams_.pop_front()) delete stream;
}

void Engine::Impl::announce_settings() {
  std::array<nghttp2_settings_entry, 8> entries;
  std::size_t count = 0;
  auto add = [&](std::int32_t id, std::uint32_t value) { entries[count++] = {id, value}; };
  if (role_ == Role::Server) {
    add(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options_.concurrent_streams_max);
    add(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1);
    if (options_.extended_connect == ExtendedConnect::Yes) {
      add(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);
    }
  } else {
    add(NGHTTP2_SETTINGS_ENABLE_PUSH, 0);
  }
  add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options_.stream_window_bytes);
  add(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options_.header_list_bytes_max);
  if (options_.frame_bytes_max != kFrameBytesDefault) {
    add(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, options_.frame_bytes_max);
  }
  if (options_.header_table_bytes != kTableBytesDefault) {
    add(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, options_.header_table_bytes);
  }
  check(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), count));
  check(nghttp2_session_set_local_window_size(
      session_, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(options_.connection_window_bytes)));
}

// A call of nghttp2 that cannot fail but for memory.
void Engine::Impl::check(int status) {
  if (status == NGHTTP2_ERR_NOMEM) {
    fail(ErrorCode::EnhanceYourCalm, &EngineCounters::memory_exhausted, "out of memory");
  }
}

void Engine::Impl::fail(ErrorCode code, std::uint64_t EngineCounters::* counter,
                        std::string_view reason) {
  if (has_failed_) return;
  has_failed_ = owes_goaway_ = true;
  failure_ = code;
  failure_reason_ = reason;
  if (counter != nullptr) ++(counters_.*counter);
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
      if (!stream->is_visible && !stream->was_reset) stream->is_released = true;
      push_reset(*stream, failure_, Event::Origin::Engine);
      close(*stream);
    }
    destroy_if_done(*stream);
  }
}

std::size_t Engine::Impl::memory_used() const noexcept {
  return memory_.used() + stream_count_ * sizeof(StreamState) + head_memory_ + unconsumed_ +
         piece_memory_ + send_buffered_ + events_.capacity() * sizeof(Event);
}

// Nothing but the peer, or a call for something new, will have it do anything.
bool Engine::Impl::is_idle() const noexcept {
  if (memory_.is_away()) return true;
  return stream_count_ == 0 && !has_failed_ && nghttp2_session_want_write(session_) == 0 &&
         nghttp2_session_want_read(session_) != 0 &&
         (role_ == Role::Server || nghttp2_session_check_request_allowed(session_) != 0);
}

void Engine::Impl::trim() noexcept {
  if (!is_idle()) return;
  decoder_.trim();
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
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(opaque >> (8 * (bytes.size() - 1 - i)));
  }
  ++pings_sent_;
  check(nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, bytes.data()));
}

void Engine::Impl::begin_shutdown() {
  if (has_failed_ || std::exchange(is_shutting_down_, true)) return;
  // A client has no streams of the peer's to wait for.
  if (role_ == Role::Client) return finish_shutdown();
  check(nghttp2_submit_shutdown_notice(session_));
  submit_ping(kShutdownPing);
}

void Engine::Impl::finish_shutdown() {
  is_shutting_down_ = true;
  if (has_failed_ || std::exchange(is_last_stream_named_, true)) return;
  check(nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                              nullptr, 0));
}

bool Engine::Impl::is_finished() const noexcept {
  if (has_failed_) return !owes_goaway_;
  if (memory_.is_away()) return false;
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

TimePoint Engine::Impl::head_deadline() const noexcept {
  return head_begun_ == kNever ? kNever : head_begun_ + options_.head_timeout;
}

bool Engine::Impl::is_draining() const noexcept {
  if (has_failed_ || has_goaway_ || is_shutting_down_) return true;
  if (memory_.is_away()) return false;
  return role_ == Role::Client && nghttp2_session_check_request_allowed(session_) == 0;
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
std::int64_t Engine::receive_window() const noexcept {
  return nghttp2_session_get_local_window_size(impl_->session_);
}
std::int64_t Engine::receive_window_used() const noexcept {
  return nghttp2_session_get_effective_recv_data_length(impl_->session_);
}
std::int64_t Engine::send_window() const noexcept {
  return nghttp2_session_get_remote_window_size(impl_->session_);
}
std::size_t Engine::memory_used() const noexcept { return impl_->memory_used(); }
void Engine::trim() noexcept { impl_->trim(); }
const EngineCounters& Engine::counters() const noexcept { return impl_->counters_; }
EngineCounters Engine::take_counters() noexcept { return std::exchange(impl_->counters_, {}); }

}  // namespace pingora::h2
