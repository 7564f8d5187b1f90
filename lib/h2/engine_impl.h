// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <vector>

#include "base/pooled_allocator.h"
#include "h2/budget_left.h"
#include "h2/frame_walk.h"
#include "h2/head_decoder.h"
#include "h2/memory.h"
#include "h2/stream_state.h"
#include "pingora/base/intrusive_list.h"
#include "pingora/h2/engine.h"

namespace pingora::h2 {

/// nghttp2's session, whose memory is brought back for whoever asks for it.
class Session {
 public:
  explicit Session(Memory& memory) noexcept : memory_(memory) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  // NOLINTNEXTLINE(google-explicit-constructor): it stands for the pointer.
  operator nghttp2_session*() const noexcept {
    memory_.bring_back();
    return session_;
  }
  /// Where nghttp2 is to leave a new one.
  nghttp2_session** place() noexcept { return &session_; }

 private:
  Memory& memory_;
  nghttp2_session* session_ = nullptr;
};

/// The engine behind its face. nghttp2 does framing, HPACK, windows, priorities and the life of
/// streams; checking messages (RFC 9113 §8) is switched off there and done here, once.
///
///   feed (engine_feed.cc) ──▶ nghttp2 ──▶ callbacks.cc, engine_receive.cc ──▶ events_
///                                                                           │ next_event
///   submit (engine_send.cc) ──▶ nghttp2 ──▶ take_output                     ▼
///
/// Invariants:
/// - A StreamState outlives nghttp2's stream, which has a pointer to it: it is destroyed only when
///   `is_closed_`, `is_released` and no `events_queued` hold together.
/// - `unconsumed_` is the sum over streams of what Data events gave and nobody consumed;
///   `send_buffered_` that of their queues; `counted_` the number of those with `is_counted`.
/// - Once `has_failed_`, nghttp2 is not called again.
class Engine::Impl {
 public:
  Impl(Role role, const EngineOptions& options, TimePoint now);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  Result<void> feed(const Bytes& input, TimePoint now);
  std::optional<Event> next_event();
  bool has_output() const noexcept;
  void take_output(Output& out, std::size_t bytes_max);

  void submit_informational(StreamState& stream, const ResponseHeader& response,
                            const HeaderEdits& edits);
  Result<void> submit_response(StreamState& stream, const ResponseHeader& response,
                               const HeaderEdits& edits, EndOfStream end);
  bool can_open_stream() const noexcept;
  bool is_draining() const noexcept;
  Result<EngineStream*> submit_request(const RequestHeader& request, const RequestParts& parts,
                                       EndOfStream end);
  void submit_data(StreamState& stream, Bytes data, EndOfStream end);
  void submit_trailers(StreamState& stream, const HeaderMap& trailers);
  void reset(StreamState& stream, ErrorCode code);
  void consume(StreamState& stream, std::size_t bytes);
  void release(StreamState& stream);

  void submit_ping(std::uint64_t opaque);
  void begin_shutdown();
  void finish_shutdown();
  void terminate(ErrorCode code, TimePoint now);
  bool is_finished() const noexcept;
  bool is_idle() const noexcept;
  TimePoint head_deadline() const noexcept;
  std::size_t memory_used() const noexcept;
  void trim() noexcept;

  nghttp2_session* session() const noexcept { return session_; }

  static void* operator new(std::size_t size);
  static void operator delete(void* impl, std::size_t size) noexcept;

 private:
  friend class Engine;
  struct Callbacks;

  using Events = std::vector<Event, pingora::internal::PooledAllocator<Event>>;
  static constexpr std::size_t kFrameHeadSize = 9;
  // The PING that goes with the first step of a shutdown: its answer says that requests sent before
  // the peer knew are all here.
  static constexpr std::uint64_t kShutdownPing = 0x70696e676f726121;
  // The PING that measures how much arrives in a round trip.
  static constexpr std::uint64_t kSamplePing = 0x70696e676f726122;

  // engine.cc, streams.cc
  void announce_settings();
  void fail(ErrorCode code, std::uint64_t EngineCounters::* counter, std::string_view reason);
  /// What every public call that let nghttp2 run ends with.
  void settle();
  void check(int status);
  StreamState& create_stream(std::uint32_t id);
  void destroy_if_done(StreamState& stream);
  Event& push_event(Event::Kind kind);
  void clear_events() noexcept;
  Event& push_stream_event(StreamState& stream, Event::Kind kind);
  void close(StreamState& stream);
  void uncount(StreamState& stream);
  void push_reset(StreamState& stream, ErrorCode code, Event::Origin origin);
  void stop_sending(StreamState& stream);
  void consume_for_connection(std::size_t bytes);

  // engine_feed.cc
  void deliver(std::string_view bytes);
  StreamState* find_stream(std::uint32_t id) const noexcept;
  bool is_expected(const FrameStart& start) const noexcept;
  static bool is_early(const StreamState& stream) noexcept;
  bool is_old(std::uint32_t id) const noexcept;
  void look_at(const FrameStart& start);
  int check_not_ended(std::uint32_t id, std::uint8_t type);

  // engine_receive.cc, engine_heads.cc, engine_connection.cc: what the callbacks do. 0, or one of
  // these.
  static constexpr int kStopStream = NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  static constexpr int kStopConnection = NGHTTP2_ERR_CALLBACK_FAILURE;
  int on_frame_begin(const nghttp2_frame_hd& head);
  void sample(StreamState& stream, std::size_t size);
  void end_sample();
  int take_budget(BudgetLeft& budget, std::uint64_t EngineCounters::* counter,
                  std::string_view reason);
  int on_head_begin(const nghttp2_frame& frame);
  int on_request_begin(std::int32_t id);
  int on_field(std::string_view name, std::string_view value);
  int on_data(std::int32_t id, std::string_view data);
  int on_frame(const nghttp2_frame& frame);
  int on_head_end(StreamState& stream, EndOfStream end);
  int on_request_end(StreamState& stream, EndOfStream end);
  int on_response_end(StreamState& stream, EndOfStream end);
  int on_trailers_end(StreamState& stream, EndOfStream end);
  int on_data_end(const nghttp2_frame& frame);
  static bool end_message(StreamState& stream) noexcept;
  int on_reset(const nghttp2_frame& frame);
  int break_off(ErrorCode code, std::string_view reason);
  void note_ended(std::uint32_t id, bool by_peer) noexcept {
    ended_[ended_count_++ % ended_.size()] = {id, by_peer};
  }
  void on_settings(const nghttp2_frame& frame);
  int on_ping_ack(const nghttp2_frame& frame);
  void on_goaway(const nghttp2_frame& frame);
  void on_priority_update(const nghttp2_frame& frame);
  void apply_priority(StreamState& stream, std::string_view field);
  int on_stream_closed(StreamState& stream, std::uint32_t code);
  int refuse_head(StreamState& stream, EndOfStream end);
  std::unique_ptr<RequestHeader> understood(StreamState& stream);
  int refuse_malformed(StreamState& stream, std::string_view reason,
                       std::unique_ptr<RequestHeader> request = nullptr);
  Event& push_refused(std::uint32_t id, ErrorCode code, std::string_view reason);
  void note_head(StreamState& stream, const HeadFacts& facts, EndOfStream end);
  int stream_error(StreamState& stream, ErrorCode code, std::string_view reason);
  int charge_reset();
  static BodyLength body_length(const StreamState& stream, EndOfStream end) noexcept;

  // engine_send.cc
  std::ptrdiff_t on_read_data(StreamState& stream, std::size_t size_max, std::uint32_t& flags);
  int on_send_data(StreamState& stream, const nghttp2_frame& frame, std::string_view frame_head,
                   std::size_t size);
  void on_end_sent(StreamState& stream);
  void resume(StreamState& stream);
  int on_frame_sent(const nghttp2_frame& frame);
  int on_frame_not_sent(const nghttp2_frame& frame);
  void wake_writer(StreamState& stream);
  void wake_writers();
  bool is_send_room() const noexcept;
  void write_goaway(Output& out);

  static StreamState& state(EngineStream& stream) noexcept {
    return static_cast<StreamState&>(stream);
  }
  static nghttp2_session_callbacks* callbacks();
  static nghttp2_data_provider data_provider(StreamState& stream) noexcept;

  const Role role_;
  const EngineOptions& options_;
  TimePoint now_;
  Memory memory_;
  Session session_{memory_};

  // Streams.
  IntrusiveList<StreamState> streams_;
  std::size_t stream_count_ = 0;
  std::size_t counted_ = 0;
  std::size_t unconsumed_ = 0;
  std::size_t send_buffered_ = 0;
  std::size_t head_memory_ = 0;
  std::size_t piece_memory_ = 0;
  bool is_send_full_ = false;

  // Receiving.
  Events events_;
  std::size_t next_event_ = 0;    // of events_
  const Bytes* input_ = nullptr;  // during `feed`
  FrameWalk walk_;
  HeadDecoder decoder_;
  StreamState* decoding_ = nullptr;  // whose head it is
  Verdict verdict_ = Verdict::Ok;
  std::size_t block_bytes_ = 0;
  std::uint32_t block_frames_ = 0;
  std::size_t frame_data_ = 0;  // data in the DATA frame that is being read
  TimePoint head_begun_ = kNever;

  // Sending.
  Output* output_ = nullptr;  // during `take_output`
  std::size_t output_max_ = 0;

  // The connection.
  PeerSettings peer_settings_;
  EngineCounters counters_;
  BudgetLeft resets_;
  BudgetLeft pings_;
  BudgetLeft settings_;
  BudgetLeft empty_data_;
  BudgetLeft window_updates_;
  BudgetLeft priorities_;
  BudgetLeft unknown_frames_;
  std::uint32_t pings_sent_ = 0;

  // Windows that grow. What arrives from a PING to its answer is what the path holds; where that is
  // most of a window, the window is what limits it.
  std::uint32_t connection_window_;
  std::uint32_t sample_ = 0;  // its number
  bool is_sampling_ = false;
  StreamState* sampled_ = nullptr;  // the stream with the most in it
  std::size_t sample_of_all_ = 0;
  TimePoint next_sample_;

  /// The streams that ended last, of a server.
  struct Ended {
    std::uint32_t id = 0;
    bool by_peer = false;  // so that nothing of it can be on its way
  };
  std::array<Ended, 16> ended_{};
  std::uint64_t ended_count_ = 0;

  bool has_goaway_ = false;  // received
  bool is_shutting_down_ = false;
  bool is_last_stream_named_ = false;
  bool has_failed_ = false;
  bool are_streams_failed_ = false;
  bool owes_goaway_ = false;
  ErrorCode failure_ = ErrorCode::NoError;
  std::string_view failure_reason_;
};

}  // namespace pingora::h2
