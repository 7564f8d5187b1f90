// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// The life of a stream's state, and the queue of events.
#include <algorithm>
#include <utility>

#include "h2/engine_impl.h"
#include "pingora/base/assert.h"

namespace pingora::h2 {
namespace {

// Events that there is always room for.
constexpr std::size_t kEventsKept = pingora::internal::PooledAllocator<Event>::kPooledMax;

}  // namespace

StreamState& Engine::Impl::create_stream(std::uint32_t id) {
  auto* stream = new StreamState;
  stream->id_ = id;
  stream->window = options_.stream_window_bytes;
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

// nghttp2's stream has gone, or the connection has.
void Engine::Impl::close(StreamState& stream) {
  stream.is_closed_ = true;
  stop_sending(stream);
  if (decoding_ == &stream) decoding_ = nullptr;
  if (sampled_ == &stream) sampled_ = nullptr;
}

void Engine::Impl::stop_sending(StreamState& stream) {
  send_buffered_ -= stream.send_buffered_;
  stream.send_buffered_ = 0;
  stream.queue.clear();
  stream.trailers.reset();
  if (is_send_full_) wake_writers();
}

void Engine::Impl::reset(StreamState& stream, ErrorCode code) {
  if (stream.is_closed_ || stream.was_reset) return;
  stream.was_reset = true;
  stream.is_visible = false;
  if (decoding_ == &stream) decoding_ = nullptr;  // trailers that nobody wants any more
  stop_sending(stream);
  if (!has_failed_) {
    check(nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE,
                                    static_cast<std::int32_t>(stream.id_),
                                    static_cast<std::uint32_t>(code)));
  }
}

void Engine::Impl::release(StreamState& stream) {
  PINGORA_ASSERT(!stream.is_released);
  stream.is_released = true;
  stream.is_visible = false;
  unconsumed_ -= stream.unconsumed_;
  consume_for_connection(std::exchange(stream.unconsumed_, 0));
  piece_memory_ -= std::exchange(stream.piece_memory, 0);
  if (!stream.is_closed_ && !stream.was_reset) {
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
