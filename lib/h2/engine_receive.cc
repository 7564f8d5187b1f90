// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "h2/engine_impl.h"
#include "pingora/http/field_syntax.h"

namespace pingora::h2 {
namespace {

// What arrived is shared from here on, and copied below: a slice keeps its whole block alive, so a
// peer that sends little at a time would make us hold many times as much.
constexpr std::size_t kSharedBytesMin = 8 * 1024;
// What a piece of data takes beyond its bytes: here, in the block, and in the hands of the program.
constexpr std::size_t kPieceOverhead = 128;
// What honest peers send beside a request.
constexpr std::uint32_t kCreditForRequest = 4;
// Of the text in a GOAWAY, which is for a log.
constexpr std::size_t kGoawayTextMax = 256;

constexpr int kStopStream = NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
constexpr int kStopConnection = NGHTTP2_ERR_CALLBACK_FAILURE;

}  // namespace

// Frames.

int Engine::Impl::take_budget(BudgetLeft& budget, std::uint64_t EngineCounters::* counter,
                              std::string_view reason) {
  if (budget.take(now_)) return 0;
  fail(ErrorCode::EnhanceYourCalm, counter, reason);
  return kStopConnection;
}

int Engine::Impl::break_off(ErrorCode code, std::string_view reason) {
  fail(code, &EngineCounters::protocol_errors, reason);
  return kStopConnection;
}

int Engine::Impl::on_frame_begin(const nghttp2_frame_hd& head) {
  bool is_ack = (head.flags & NGHTTP2_FLAG_ACK) != 0;
  if (role_ == Role::Server && head.type == NGHTTP2_HEADERS) {
    auto id = static_cast<std::uint32_t>(head.stream_id);
    if (int status = check_not_ended(id, NGHTTP2_HEADERS); status != 0) return status;
  }
  if (head.type == NGHTTP2_HEADERS || head.type == NGHTTP2_CONTINUATION) {
    if (head.type == NGHTTP2_HEADERS) {
      block_bytes_ = 0;
      head_begun_ = now_;
    }
    block_bytes_ += head.length;
    if (block_bytes_ <= options_.header_block_bytes_max) return 0;
    fail(ErrorCode::EnhanceYourCalm, &EngineCounters::header_block_floods,
         "a header block too large");
    return kStopConnection;
  }
  head_begun_ = kNever;
  switch (head.type) {
    case NGHTTP2_DATA: frame_data_ = 0; return 0;
    case NGHTTP2_RST_STREAM:
    case NGHTTP2_PUSH_PROMISE: return 0;
    case NGHTTP2_PING:
      if (is_ack) return 0;
      return take_budget(pings_, &EngineCounters::ping_floods, "too many PING frames");
    case NGHTTP2_SETTINGS:
      if (is_ack) return 0;
      return take_budget(settings_, &EngineCounters::settings_floods, "too many SETTINGS frames");
    case NGHTTP2_WINDOW_UPDATE:
      return take_budget(window_updates_, &EngineCounters::window_update_floods,
                         "too many WINDOW_UPDATE frames");
    case NGHTTP2_PRIORITY:
      if (head.stream_id == 0) return break_off(ErrorCode::ProtocolError, "PRIORITY of no stream");
      [[fallthrough]];
    case NGHTTP2_PRIORITY_UPDATE:
      return take_budget(priorities_, &EngineCounters::priority_floods,
                         "too many PRIORITY or PRIORITY_UPDATE frames");
    default:
      // GOAWAY too: one or two are all that an honest peer sends.
      return take_budget(unknown_frames_, &EngineCounters::unknown_frame_floods,
                         "too many frames of unknown types");
  }
}

int Engine::Impl::on_frame(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS: {
      head_begun_ = kNever;
      StreamState* stream = std::exchange(decoding_, nullptr);
      if (stream == nullptr) return 0;
      bool is_end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
      return on_head_end(*stream, is_end ? EndOfStream::Yes : EndOfStream::No);
    }
    case NGHTTP2_DATA: return on_data_end(frame);
    case NGHTTP2_RST_STREAM: return on_reset(frame);
    case NGHTTP2_SETTINGS:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) on_settings(frame);
      return 0;
    case NGHTTP2_PING: return (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0 ? on_ping_ack(frame) : 0;
    case NGHTTP2_GOAWAY: on_goaway(frame); return 0;
    case NGHTTP2_PRIORITY_UPDATE: on_priority_update(frame); return 0;
    default: return 0;
  }
}

// Heads.

int Engine::Impl::on_head_begin(const nghttp2_frame& frame) {
  verdict_ = Verdict::Ok;
  decoding_ = nullptr;
  if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) return on_request_begin(frame.hd.stream_id);
  auto* stream =
      static_cast<StreamState*>(nghttp2_session_get_stream_user_data(session_, frame.hd.stream_id));
  // Of a stream that nobody wants any more, the block is decoded only.
  if (stream == nullptr || !stream->is_visible) return 0;
  decoding_ = stream;
  decoder_.begin(stream->receive_phase == StreamState::ReceivePhase::Head ? HeadKind::Response
                                                                          : HeadKind::Trailers);
  return 0;
}

int Engine::Impl::on_request_begin(std::int32_t id) {
  if (counted_ < options_.concurrent_streams_max && !is_last_stream_named_) {
    StreamState& stream = create_stream(static_cast<std::uint32_t>(id));
    check(nghttp2_session_set_stream_user_data(session_, id, &stream));
    decoding_ = &stream;
    decoder_.begin(HeadKind::Request);
    return 0;
  }
  ++counters_.streams_refused;
  note_ended(static_cast<std::uint32_t>(id), false);
  push_refused(static_cast<std::uint32_t>(id), ErrorCode::RefusedStream, "one stream too many");
  check(nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM));
  int charged = charge_reset();
  return charged != 0 ? charged : kStopStream;
}

int Engine::Impl::on_field(std::string_view name, std::string_view value) {
  if (decoding_ == nullptr) return 0;
  verdict_ = decoder_.add(name, value);
  switch (verdict_) {
    case Verdict::Ok:
    case Verdict::TooLarge: return 0;
    case Verdict::Malformed: {
      StreamState& stream = *std::exchange(decoding_, nullptr);
      bool is_request =
          role_ == Role::Server && stream.receive_phase == StreamState::ReceivePhase::Head;
      int status = is_request ? refuse_malformed(stream, decoder_.reason())
                              : stream_error(stream, ErrorCode::ProtocolError, decoder_.reason());
      return status != 0 ? status : kStopStream;
    }
    case Verdict::Flood: break;
  }
  fail(ErrorCode::EnhanceYourCalm, &EngineCounters::header_block_floods, decoder_.reason());
  return kStopConnection;
}

int Engine::Impl::on_head_end(StreamState& stream, EndOfStream end) {
  if (stream.receive_phase == StreamState::ReceivePhase::Body) return on_trailers_end(stream, end);
  return role_ == Role::Server ? on_request_end(stream, end) : on_response_end(stream, end);
}

int Engine::Impl::on_request_end(StreamState& stream, EndOfStream end) {
  if (verdict_ == Verdict::TooLarge) return refuse_head(stream, end);
  auto request = std::make_unique<RequestHeader>();
  HeadFacts facts;
  if (decoder_.finish(*request, facts) != Verdict::Ok) {
    return refuse_malformed(stream, decoder_.reason());
  }
  if (end == EndOfStream::Yes && facts.content_length.value_or(0) != 0) {
    return refuse_malformed(stream, "a Content-Length without a body", std::move(request));
  }
  ++counters_.streams_opened;
  window_updates_.give_back(kCreditForRequest);
  priorities_.give_back(kCreditForRequest);
  if (auto priority = request->headers().get(HeaderId::Priority)) {
    apply_priority(stream, *priority);
  }
  note_head(stream, facts, end);
  stream.is_visible = true;
  Event& event = push_stream_event(stream, Event::Kind::RequestHead);
  event.end = end;
  event.scheme = facts.scheme;
  event.protocol = facts.protocol;
  event.body = body_length(stream, end);
  event.request = std::move(request);
  return 0;
}

int Engine::Impl::on_response_end(StreamState& stream, EndOfStream end) {
  if (verdict_ == Verdict::TooLarge) {
    ++counters_.heads_refused;
    return stream_error(stream, ErrorCode::EnhanceYourCalm, decoder_.reason());
  }
  auto response = std::make_unique<ResponseHeader>();
  HeadFacts facts;
  if (decoder_.finish(*response, facts) != Verdict::Ok) {
    return stream_error(stream, ErrorCode::ProtocolError, decoder_.reason());
  }
  StatusCode status = response->status();
  bool is_final = !status.is_informational();
  if (!is_final && end == EndOfStream::Yes) {
    return stream_error(stream, ErrorCode::ProtocolError, "a 1xx response that ends the stream");
  }
  if (is_final) {
    bool is_tunnel = stream.is_connect && status.is_success();
    bool has_no_body = stream.is_head_request || status == 204 || status == 304;
    if (is_tunnel) {
      facts.content_length.reset();
    } else if (has_no_body) {
      facts.content_length = 0;
    }
    if (end == EndOfStream::Yes && facts.content_length.value_or(0) != 0) {
      return stream_error(stream, ErrorCode::ProtocolError, "a Content-Length without a body");
    }
    note_head(stream, facts, end);
  }
  Event& event =
      push_stream_event(stream, is_final ? Event::Kind::ResponseHead : Event::Kind::Informational);
  event.end = end;
  if (is_final) event.body = body_length(stream, end);
  event.response = std::move(response);
  return 0;
}

// A head that begins a message was good.
void Engine::Impl::note_head(StreamState& stream, const HeadFacts& facts, EndOfStream end) {
  stream.content_length = facts.content_length;
  stream.head_memory += facts.memory;
  head_memory_ += facts.memory;
  stream.receive_phase =
      end == EndOfStream::Yes ? StreamState::ReceivePhase::Done : StreamState::ReceivePhase::Body;
  stream.is_receive_done_ = end == EndOfStream::Yes;
}

BodyLength Engine::Impl::body_length(const StreamState& stream, EndOfStream end) noexcept {
  if (end == EndOfStream::Yes) return BodyLength::none();
  if (stream.content_length) return BodyLength::known(*stream.content_length);
  return BodyLength::unknown();
}

int Engine::Impl::on_trailers_end(StreamState& stream, EndOfStream end) {
  if (verdict_ == Verdict::TooLarge) {
    ++counters_.heads_refused;
    return stream_error(stream, ErrorCode::EnhanceYourCalm, decoder_.reason());
  }
  if (end == EndOfStream::No) {
    return stream_error(stream, ErrorCode::ProtocolError, "trailers that do not end the stream");
  }
  auto trailers = std::make_unique<HeaderMap>();
  HeadFacts facts;
  if (decoder_.finish(*trailers, facts) != Verdict::Ok) {
    return stream_error(stream, ErrorCode::ProtocolError, decoder_.reason());
  }
  stream.head_memory += facts.memory;
  head_memory_ += facts.memory;
  if (!end_message(stream)) {
    return stream_error(stream, ErrorCode::ProtocolError, "a body shorter than Content-Length");
  }
  Event& event = push_stream_event(stream, Event::Kind::Trailers);
  event.end = EndOfStream::Yes;
  event.trailers = std::move(trailers);
  return 0;
}

// What was good of a request's head that is refused.
std::unique_ptr<RequestHeader> Engine::Impl::understood(StreamState& stream) {
  auto request = std::make_unique<RequestHeader>();
  HeadFacts facts;
  decoder_.finish_refused(*request, facts);
  stream.head_memory += facts.memory;
  head_memory_ += facts.memory;
  return request;
}

// A request that is too large for us is answered, so that its sender learns why.
int Engine::Impl::refuse_head(StreamState& stream, EndOfStream end) {
  ++counters_.heads_refused;
  auto status = decoder_.refusal_status();
  auto reason = decoder_.reason();
  stream.is_refused = true;
  stream.is_visible = true;
  stream.is_receive_done_ = end == EndOfStream::Yes;
  stream.receive_phase =
      end == EndOfStream::Yes ? StreamState::ReceivePhase::Done : StreamState::ReceivePhase::Body;
  Event& event = push_stream_event(stream, Event::Kind::RequestHead);
  event.end = end;
  event.request = understood(stream);
  event.status = status;
  event.reason = reason;
  return charge_reset();
}

// `request` is what is known of it, if that is not in the decoder any more.
int Engine::Impl::refuse_malformed(StreamState& stream, std::string_view reason,
                                   std::unique_ptr<RequestHeader> request) {
  ++counters_.malformed_messages;
  if (request == nullptr) request = understood(stream);
  push_refused(stream.id_, ErrorCode::ProtocolError, reason).request = std::move(request);
  stream.is_released = true;
  reset(stream, ErrorCode::ProtocolError);
  return charge_reset();
}

Event& Engine::Impl::push_refused(std::uint32_t id, ErrorCode code, std::string_view reason) {
  Event& event = push_event(Event::Kind::Refused);
  event.origin = Event::Origin::Engine;
  event.stream_id = id;
  event.code = code;
  event.reason = reason;
  return event;
}

// Bodies.

int Engine::Impl::on_data(std::int32_t id, std::string_view data) {
  frame_data_ += data.size();
  auto* stream = static_cast<StreamState*>(nghttp2_session_get_stream_user_data(session_, id));
  if (stream == nullptr || !stream->is_visible) {
    consume_for_connection(data.size());
    return 0;
  }
  bool is_early = stream->receive_phase == StreamState::ReceivePhase::Head;
  stream->data_received += data.size();
  if (is_early || stream->data_received > stream->content_length.value_or(UINT64_MAX)) {
    consume_for_connection(data.size());
    return stream_error(*stream, ErrorCode::ProtocolError,
                        is_early ? "DATA before a head" : "a body longer than Content-Length");
  }
  stream->unconsumed_ += data.size();
  unconsumed_ += data.size();
  stream->piece_memory += kPieceOverhead;
  piece_memory_ += kPieceOverhead;
  Event& event = push_stream_event(*stream, Event::Kind::Data);
  if (data.size() >= kSharedBytesMin) {
    event.data = input_->slice(static_cast<std::size_t>(data.data() - input_->data()), data.size());
  } else {
    event.data = Bytes::copy_of(data);
  }
  return 0;
}

int Engine::Impl::on_data_end(const nghttp2_frame& frame) {
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
    if (frame_data_ != 0) return 0;
    return take_budget(empty_data_, &EngineCounters::empty_data_floods,
                       "too many empty DATA frames");
  }
  auto* stream =
      static_cast<StreamState*>(nghttp2_session_get_stream_user_data(session_, frame.hd.stream_id));
  if (stream == nullptr) return 0;
  if (stream->receive_phase == StreamState::ReceivePhase::Head && stream->is_visible) {
    return stream_error(*stream, ErrorCode::ProtocolError, "a stream that ends before its head");
  }
  bool is_whole = end_message(*stream);
  if (!stream->is_visible) return 0;
  if (!is_whole) {
    return stream_error(*stream, ErrorCode::ProtocolError, "a body shorter than Content-Length");
  }
  bool is_last_its = next_event_ != events_.size() && events_.back().stream == stream &&
                     events_.back().kind == Event::Kind::Data;
  Event& event = is_last_its ? events_.back() : push_stream_event(*stream, Event::Kind::Data);
  event.end = EndOfStream::Yes;
  return 0;
}

// Whether the message is as long as it said.
bool Engine::Impl::end_message(StreamState& stream) noexcept {
  if (stream.content_length.value_or(stream.data_received) != stream.data_received) return false;
  stream.receive_phase = StreamState::ReceivePhase::Done;
  stream.is_receive_done_ = true;
  return true;
}

// Ends of streams.

int Engine::Impl::charge_reset() {
  ++counters_.provoked_resets;
  if (role_ == Role::Client) return 0;
  return take_budget(resets_, &EngineCounters::reset_floods, "too many resets");
}

int Engine::Impl::stream_error(StreamState& stream, ErrorCode code, std::string_view reason) {
  if (code == ErrorCode::ProtocolError) ++counters_.malformed_messages;
  if (stream.is_visible) {
    push_reset(stream, code, Event::Origin::Engine);
    events_.back().reason = reason;
  }
  reset(stream, code);
  return charge_reset();
}

int Engine::Impl::on_reset(const nghttp2_frame& frame) {
  auto* stream =
      static_cast<StreamState*>(nghttp2_session_get_stream_user_data(session_, frame.hd.stream_id));
  if (stream != nullptr) {
    stream->is_reset_by_peer = true;
    ++counters_.peer_resets;
  }
  if (role_ == Role::Client) return 0;
  return take_budget(resets_, &EngineCounters::reset_floods, "too many resets");
}

int Engine::Impl::on_stream_closed(StreamState& stream, std::uint32_t code) {
  bool is_complete = stream.receive_phase == StreamState::ReceivePhase::Done &&
                     stream.is_end_sent && code == NGHTTP2_NO_ERROR;
  // Neither side has a use for these any more: nghttp2 has not, the program never had.
  bool was_owned = stream.is_visible || stream.was_reset || stream.is_released;
  note_ended(stream.id_, is_complete || stream.is_reset_by_peer);
  close(stream);
  if (is_complete) {
    if (!stream.is_refused) {
      ++counters_.streams_completed;
      resets_.give_back(1);
    }
    if (std::exchange(stream.is_visible, false)) push_stream_event(stream, Event::Kind::Closed);
  } else {
    bool is_from_peer = stream.is_reset_by_peer || code == NGHTTP2_REFUSED_STREAM;
    push_reset(stream, static_cast<ErrorCode>(code),
               is_from_peer ? Event::Origin::Peer : Event::Origin::Engine);
  }
  // Work may still be going on for a request that was reset. For one of ours there is none at the
  // peer's.
  if (is_complete || role_ == Role::Client) uncount(stream);
  if (!was_owned) stream.is_released = true;
  destroy_if_done(stream);
  return 0;
}

// The connection.

void Engine::Impl::on_settings(const nghttp2_frame&) {
  auto value = [this](nghttp2_settings_id id) {
    return nghttp2_session_get_remote_settings(session_, id);
  };
  peer_settings_.are_known = true;
  peer_settings_.concurrent_streams_max = value(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  peer_settings_.stream_window_bytes = value(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
  peer_settings_.frame_bytes_max = value(NGHTTP2_SETTINGS_MAX_FRAME_SIZE);
  peer_settings_.header_list_bytes_max = value(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE);
  peer_settings_.extended_connect = value(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
  push_event(Event::Kind::Settings);
}

int Engine::Impl::on_ping_ack(const nghttp2_frame& frame) {
  if (pings_sent_ == 0) {
    return take_budget(pings_, &EngineCounters::ping_floods, "answers to no PING");
  }
  --pings_sent_;
  std::uint64_t opaque = 0;
  for (std::uint8_t byte : frame.ping.opaque_data) opaque = opaque << 8 | byte;
  if (opaque == kShutdownPing) {
    finish_shutdown();
    return 0;
  }
  if (opaque == kSamplePing) {
    if (is_sampling_) end_sample();
    return 0;
  }
  Event& event = push_event(Event::Kind::PingAck);
  event.ping = opaque;
  return 0;
}

void Engine::Impl::on_goaway(const nghttp2_frame& frame) {
  has_goaway_ = true;
  std::string_view text(reinterpret_cast<const char*>(frame.goaway.opaque_data),
                        frame.goaway.opaque_data_len);
  Event& event = push_event(Event::Kind::GoAway);
  event.code = static_cast<ErrorCode>(frame.goaway.error_code);
  event.last_stream_id = static_cast<std::uint32_t>(frame.goaway.last_stream_id);
  if (!text.empty()) event.data = Bytes::copy_of(text.substr(0, kGoawayTextMax));
}

void Engine::Impl::on_priority_update(const nghttp2_frame& frame) {
  const auto* update = static_cast<const nghttp2_ext_priority_update*>(frame.ext.payload);
  auto* stream =
      static_cast<StreamState*>(nghttp2_session_get_stream_user_data(session_, update->stream_id));
  if (stream == nullptr) return;
  apply_priority(*stream,
                 {reinterpret_cast<const char*>(update->field_value), update->field_value_len});
}

// RFC 9218 §4: a dictionary of which two members mean something; others are ignored, and so is what
// is malformed.
void Engine::Impl::apply_priority(StreamState& stream, std::string_view field) {
  stream.urgency_ = NGHTTP2_EXTPRI_DEFAULT_URGENCY;
  stream.is_incremental_ = false;
  while (auto member = next_list_element(field)) {
    std::string_view text = trim_blanks(member->substr(0, member->find(';')));
    if (text.size() == 3 && text.starts_with("u=") && text[2] >= '0' && text[2] <= '7') {
      stream.urgency_ = static_cast<std::uint8_t>(text[2] - '0');
    }
    if (text == "i" || text == "i=?1") stream.is_incremental_ = true;
    if (text == "i=?0") stream.is_incremental_ = false;
  }
  nghttp2_extpri priority{stream.urgency_, stream.is_incremental_ ? 1 : 0};
  check(nghttp2_session_change_extpri_stream_priority(
      session_, static_cast<std::int32_t>(stream.id_), &priority, 0));
}

}  // namespace pingora::h2
