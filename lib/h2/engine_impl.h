// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <vector>

#include "base/pooled_allocator.h"
#include "h2/budget_left.h"
#include "h2/frame.h"
#include "h2/frame_reader.h"
#include "h2/head_decoder.h"
#include "h2/head_encoder.h"
#include "h2/hpack_decoder.h"
#include "h2/hpack_encoder.h"
#include "h2/memory.h"
#include "h2/receive_window.h"
#include "h2/schedule.h"
#include "h2/stream_state.h"
#include "h2/stream_table.h"
#include "pingora/base/intrusive_list.h"
#include "pingora/base/pooled.h"
#include "pingora/h2/engine.h"

namespace pingora::h2 {

/// The engine behind its face.
///
///   feed ──▶ FrameReader ──▶ engine_feed.cc, by type ──▶ engine_heads.cc, engine_data.cc,
///                            engine_connection.cc ──▶ events_ ──▶ next_event
///
///   submit (engine_send.cc) ──▶ queue_, and each stream's queue ──▶ take_output (engine_output.cc)
///
/// Control frames and heads are in `queue_` from the moment they are made, in the order in which
/// the peer gets them: the table of the header compression allows no other. Data waits with its
/// stream for windows and its turn, and goes out behind them.
///
/// Invariants:
/// - `table_` has the streams that have not ended, `streams_` all that exist. One that has ended
///   exists until `is_released` and no `events_queued` hold together.
/// - `unconsumed_` is the sum over streams of what Data events gave and nobody consumed;
///   `send_buffered_` that of their queues; `counted_` the number of those with `is_counted`.
/// - A stream's `turn` is linked exactly while it is in `table_`, its queue is not empty and its
///   `send_window` is above 0.
/// - Once `has_failed_`, behind the GOAWAY that says why, nothing more is read or queued.
/// - `end_stream` destroys nothing: whoever may have ended a stream calls `destroy_if_done` when it
///   has done with it.
class Engine::Impl : public Pooled {
 public:
  Impl(Role role, const EngineOptions& options, TimePoint now);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  Result<void> feed(const Bytes& input, TimePoint now);
  std::optional<Event> next_event();
  bool has_output() noexcept;
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

 private:
  friend class Engine;

  using Events = std::vector<Event, pingora::internal::PooledAllocator<Event>>;
  // The PING that goes with the first step of a shutdown: its answer says that requests sent before
  // the peer knew are all here.
  static constexpr std::uint64_t kShutdownPing = 0x70696e676f726121;
  // The PING that measures how much arrives in a round trip.
  static constexpr std::uint64_t kSamplePing = 0x70696e676f726122;

  // engine.cc, streams.cc
  void announce_settings();
  void fail(ErrorCode code, std::uint64_t EngineCounters::* counter, std::string_view reason);
  void break_off(ErrorCode code, std::string_view reason);
  void run_out_of_memory();
  /// What every public call that may have failed, or taken memory, ends with.
  void settle();
  StreamState& create_stream(std::uint32_t id);
  void destroy_if_done(StreamState& stream);
  Event& push_event(Event::Kind kind);
  void clear_events() noexcept;
  Event& push_stream_event(StreamState& stream, Event::Kind kind);
  void end_stream(StreamState& stream);
  void end_if_complete(StreamState& stream);
  void uncount(StreamState& stream);
  void push_reset(StreamState& stream, ErrorCode code, Event::Origin origin);
  void stop_sending(StreamState& stream);
  bool is_idle_id(std::uint32_t id) const noexcept;
  void note_ended(std::uint32_t id, bool by_peer) noexcept {
    ended_[ended_count_++ % ended_.size()] = {id, by_peer};
  }
  bool check_not_ended(std::uint32_t id, FrameType type);

  // engine_feed.cc: frames by type. What fails sets `has_failed_`; what only may go wrong says
  // whether to go on.
  std::string_view read_preface(std::string_view input);
  void begin_frame(const FrameHead& head);
  bool is_in_order(const FrameHead& head);
  bool take_budget(BudgetLeft& budget, std::uint64_t EngineCounters::* counter,
                   std::string_view reason);
  bool take_budgets(const FrameHead& head);
  void check_frame(const FrameHead& head);
  void on_fixed(const FrameHead& head, std::string_view bytes);
  void on_payload(const FrameHead& head, std::string_view bytes);
  void end_frame(const FrameHead& head);

  // engine_heads.cc
  void begin_headers(const FrameHead& head);
  bool may_begin_head(std::uint32_t id);
  void begin_block(const FrameHead& head, std::string_view fixed);
  void begin_request(std::uint32_t id);
  bool begin_fragment(const FrameHead& head, std::uint32_t padding, std::size_t fixed_size);
  void decode(std::string_view fragment);
  bool judge(HpackDecoder::Status status);
  bool on_field(std::string_view name, std::string_view value);
  void end_block();
  void on_head_end(StreamState& stream, EndOfStream end);
  void on_request_end(StreamState& stream, EndOfStream end);
  void on_response_end(StreamState& stream, EndOfStream end);
  void on_trailers_end(StreamState& stream, EndOfStream end);
  void refuse_head(StreamState& stream, EndOfStream end);
  std::unique_ptr<RequestHeader> understood(StreamState& stream);
  void refuse_malformed(StreamState& stream, std::string_view reason,
                        std::unique_ptr<RequestHeader> request = nullptr);
  Event& push_refused(std::uint32_t id, ErrorCode code, std::string_view reason);
  void note_head(StreamState& stream, const HeadFacts& facts, EndOfStream end);
  static BodyLength body_length(const StreamState& stream, EndOfStream end) noexcept;

  // engine_data.cc
  void begin_data(const FrameHead& head);
  void begin_data_of(StreamState& stream, const FrameHead& head);
  void on_data_fixed(const FrameHead& head, std::string_view bytes);
  void on_data(std::string_view data);
  void end_data(const FrameHead& head);
  static bool end_message(StreamState& stream) noexcept;
  void on_rst_stream(const FrameHead& head, ErrorCode code);
  void reset_by_peer(StreamState& stream, ErrorCode code);
  void charge_reset();
  void stream_error(StreamState& stream, ErrorCode code, std::string_view reason);
  void malformed(StreamState& stream, std::string_view reason);

  // engine_connection.cc
  void on_settings(std::string_view payload);
  bool apply_setting(SettingId id, std::uint32_t value);
  void on_settings_ack();
  void on_ping(const FrameHead& head, std::string_view payload);
  void on_ping_ack(std::uint64_t opaque);
  void on_goaway(std::string_view payload);
  void on_priority_update(std::string_view payload);
  void apply_priority(StreamState& stream, std::string_view field);
  bool count_ack();

  // windows.cc
  void on_window_update(const FrameHead& head, std::uint32_t increment);
  bool apply_stream_window(std::uint32_t size);
  void consume_for_connection(std::uint64_t bytes);
  void consume_for_stream(StreamState& stream, std::uint64_t bytes);
  void sample(StreamState& stream, std::size_t size);
  void end_sample();
  bool grow(ReceiveWindow& window, std::uint32_t max, std::size_t used, std::uint32_t stream_id);

  // engine_send.cc, engine_output.cc
  bool write_headers(std::uint32_t stream_id, const HeadEncoder& encoder, EndOfStream end);
  void write_block(std::uint32_t stream_id, std::string_view block, std::uint8_t flags);
  void write_trailers(StreamState& stream, const HeaderMap& trailers);
  void write_end(StreamState& stream);
  void give_up(StreamState& stream);
  void schedule(StreamState& stream);
  void send_data(StreamState& stream, Output& out);
  void on_end_sent(StreamState& stream);
  void on_queue_taken();
  void wake_writer(StreamState& stream);
  void wake_writers();
  bool is_send_room() const noexcept { return !is_send_full_; }

  static StreamState& state(EngineStream& stream) noexcept {
    return static_cast<StreamState&>(stream);
  }

  const Role role_;
  const EngineOptions& options_;
  TimePoint now_;
  Memory memory_;
  HpackEncoder hpack_encoder_;
  HpackDecoder hpack_decoder_;

  // Streams.
  IntrusiveList<StreamState> streams_;
  StreamTable table_;
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
  std::size_t preface_left_;
  bool is_first_frame_ = true;
  FrameReader reader_;
  std::uint32_t frame_bytes_max_ = kFrameBytesDefault;
  // Of the frame that is being read: what is left of it without its padding.
  std::uint32_t data_left_ = 0;
  bool has_data_ = false;
  StreamState* data_of_ = nullptr;  // null: nobody wants it, and it was given back
  // Of the header block that is being read; `block_of_` is 0 while there is none.
  std::uint32_t block_of_ = 0;
  std::size_t block_bytes_ = 0;
  std::uint32_t continuations_ = 0;
  EndOfStream block_end_ = EndOfStream::No;
  HeadDecoder decoder_;
  StreamState* decoding_ = nullptr;  // whose head it is
  Verdict verdict_ = Verdict::Ok;
  TimePoint head_begun_ = kNever;

  // Sending.
  Output queue_;
  std::vector<std::uint32_t> ends_queued_;  // the streams that end with what is in `queue_`
  std::uint32_t acks_queued_ = 0;           // of PING and SETTINGS, in `queue_`
  Schedule schedule_;
  std::int64_t send_window_ = kWindowDefault;

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
  ReceiveWindow window_{kWindowDefault};
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

  // Identifiers: the highest of the peer's that was seen, the next of ours, the last that a GOAWAY
  // of ours has named.
  std::uint32_t last_peer_id_ = 0;
  std::uint32_t next_id_ = 1;
  std::uint32_t last_named_id_ = kStreamIdMax;

  bool are_settings_acknowledged_ = false;  // ours, by the peer
  bool has_goaway_ = false;                 // received
  bool is_shutting_down_ = false;
  bool is_last_stream_named_ = false;
  bool has_failed_ = false;
  bool are_streams_failed_ = false;
  ErrorCode failure_ = ErrorCode::NoError;
  std::string_view failure_reason_;
};

}  // namespace pingora::h2
