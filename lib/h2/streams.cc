// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// The life of a stream's state, and the queue of events.
#include <algorithm>
#include <utility>

#include "h2/engine_impl.h"
#include "h2/frame_writer.h"
#include "pingora/base/assert.h"

namespace pingora::h2 {
namespace {

// Events that there is always room for.
constexpr std::size_t kEventsKept = pingora::internal::PooledAllocator<Event>::kPooledMax;

}  // namespace

StreamState& Engine::Impl::create_stream(std::uint32_t id) {
  // What we announce is known to the peer once it has said so.
  auto* stream = new StreamState(
      id, are_settings_acknowledged_ ? options_.stream_window_bytes : kWindowDefault,
      peer_settings_.stream_window_bytes);
  table_.add(id, *stream);
  stream->is_counted = true;
  stream->is_writable_ = is_send_room();
  streams_.push_back(*stream);
  ++stream_count_;
  ++counted_;
  return *stream;
}

void Engine::Impl::destroy_if_done(StreamState& stream) {
  if (!stream.is_closed_ || !stream.is_released || stream.events_queued != 0) return;
  uncount(stream);
  head_memory_ -= stream.head_memory;
  --stream_count_;
  stream.unlink();
  delete &stream;
}

void Engine::Impl::uncount(StreamState& stream) {
  if (std::exchange(stream.is_counted, false)) --counted_;
}

// Complete, reset, or with the connection.
void Engine::Impl::end_stream(StreamState& stream) {
  stream.is_closed_ = true;
  table_.remove(stream.id_);
  note_ended(stream.id_, stream.is_ended_by_peer);
  stop_sending(stream);
  if (decoding_ == &stream) decoding_ = nullptr;
  if (sampled_ == &stream) sampled_ = nullptr;
  if (data_of_ == &stream) {
    data_of_ = nullptr;
    consume_for_connection(data_left_);
  }
  // Work may still be going on for a request that was reset. For one of ours there is none at the
  // peer's.
  if (role_ == Role::Client) uncount(stream);
}

void Engine::Impl::end_if_complete(StreamState& stream) {
  if (stream.receive_phase != StreamState::ReceivePhase::Done || !stream.is_end_sent) return;
  stream.is_ended_by_peer = true;
  end_stream(stream);
  uncount(stream);
  if (!stream.is_refused) {
    ++counters_.streams_completed;
    resets_.give_back(1);
  }
  if (std::exchange(stream.is_visible, false)) push_stream_event(stream, Event::Kind::Closed);
}

void Engine::Impl::stop_sending(StreamState& stream) {
  send_buffered_ -= stream.send_buffered_;
  stream.send_buffered_ = 0;
  stream.queue.clear();
  Schedule::remove(stream.turn);
  stream.trailers.reset();
  if (is_send_full_) wake_writers();
}

void Engine::Impl::reset(StreamState& stream, ErrorCode code) {
  if (stream.is_closed_) return;
  stream.is_visible = false;
  if (!has_failed_) write_rst_stream(queue_, stream.id_, code);
  end_stream(stream);
}

void Engine::Impl::release(StreamState& stream) {
  PINGORA_ASSERT(!stream.is_released);
  stream.is_released = true;
  stream.is_visible = false;
  unconsumed_ -= stream.unconsumed_;
  consume_for_connection(std::exchange(stream.unconsumed_, 0));
  piece_memory_ -= std::exchange(stream.piece_memory, 0);
  if (!stream.is_closed_) {
    if (!stream.is_send_done_) {
      reset(stream, ErrorCode::Cancel);
    } else if (stream.receive_phase != StreamState::ReceivePhase::Done) {
      // RFC 9113 §8.1: a server that needs no more of the request says so behind its response.
      if (role_ == Role::Client || stream.is_end_sent) {
        reset(stream, role_ == Role::Client ? ErrorCode::Cancel : ErrorCode::NoError);
      } else {
        stream.resets_when_sent = true;
      }
    }
  }
  destroy_if_done(stream);
  settle();
}

// Whether neither side has opened the stream yet, or never will.
bool Engine::Impl::is_idle_id(std::uint32_t id) const noexcept {
  bool is_of_a_client = id % 2 == 1;
  return !is_of_a_client || (role_ == Role::Server ? id > last_peer_id_ : id >= next_id_);
}

// Frames on streams that are not open are passed over, because some are still on their way when we
// reset a stream. Here are those that can not be (RFC 9113 §5.1, §5.1.1): of streams that the peer
// has ended itself, and of ones that were passed over. As far as we remember.
bool Engine::Impl::check_not_ended(std::uint32_t id, FrameType type) {
  if (role_ == Role::Client) return true;
  const auto* ended =
      std::find_if(ended_.begin(), ended_.end(), [id](const Ended& each) { return each.id == id; });
  if (ended != ended_.end()) {
    if (ended->by_peer) break_off(ErrorCode::StreamClosed, "a frame behind the end of a stream");
    return !ended->by_peer;
  }
  bool remembers_all = ended_count_ <= ended_.size();
  if (type != FrameType::Headers || !remembers_all) return true;
  break_off(ErrorCode::ProtocolError, "a stream below the last");
  return false;
}

// Events.

Event& Engine::Impl::push_event(Event::Kind kind) {
  if (events_.capacity() == 0) events_.reserve(kEventsKept);
  Event& event = events_.emplace_back();
  event.kind = kind;
  return event;
}

Event& Engine::Impl::push_stream_event(StreamState& stream, Event::Kind kind) {
  ++stream.events_queued;
  Event& event = push_event(kind);
  event.stream = &stream;
  event.stream_id = stream.id_;
  return event;
}

void Engine::Impl::push_reset(StreamState& stream, ErrorCode code, Event::Origin origin) {
  if (!std::exchange(stream.is_visible, false)) return;
  Event& event = push_stream_event(stream, Event::Kind::Reset);
  event.code = code;
  event.origin = origin;
}

// Room for many is kept while many come at a time.
void Engine::Impl::clear_events() noexcept {
  bool is_too_large = events_.capacity() > std::max(kEventsKept, 4 * events_.size());
  next_event_ = 0;
  if (is_too_large) {
    Events().swap(events_);
  } else {
    events_.clear();
  }
}

std::optional<Event> Engine::Impl::next_event() {
  while (next_event_ != events_.size()) {
    std::optional<Event> event(std::move(events_[next_event_++]));
    if (next_event_ == events_.size()) {
      clear_events();
    }
    if (event->stream == nullptr) return event;
    StreamState& stream = state(*event->stream);
    --stream.events_queued;
    if (!stream.is_released && !stream.is_muted) return event;
    destroy_if_done(stream);
  }
  return std::nullopt;
}

}  // namespace pingora::h2
