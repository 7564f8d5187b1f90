// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Heads as they arrive: those that begin a message, trailers, and those that are refused.
#include <utility>

#include "h2/engine_impl.h"
#include "h2/frame_writer.h"

namespace pingora::h2 {
namespace {

// What honest peers send beside a request.
constexpr std::uint32_t kCreditForRequest = 4;

}  // namespace

void Engine::Impl::begin_headers(const FrameHead& head) {
  if (head.type == FrameType::Headers) {
    StreamState* stream = table_.find(head.stream_id);
    if (stream == nullptr && !may_begin_head(head.stream_id)) return;
    if (stream != nullptr && stream->receive_phase == StreamState::ReceivePhase::Done) {
      return break_off(ErrorCode::StreamClosed, "a head behind the end of a message");
    }
    block_bytes_ = 0;
    continuations_ = 0;
    head_begun_ = now_;
  } else if (++continuations_ > options_.continuations_max) {
    return fail(ErrorCode::EnhanceYourCalm, &EngineCounters::header_block_floods,
                "too many CONTINUATION frames");
  }
  block_bytes_ += head.size;
  if (block_bytes_ > options_.header_block_bytes_max) {
    fail(ErrorCode::EnhanceYourCalm, &EngineCounters::header_block_floods,
         "a header block too large");
  }
}

// Of a stream that is not open. False: the connection has failed.
bool Engine::Impl::may_begin_head(std::uint32_t id) {
  bool is_new_request = role_ == Role::Server && id % 2 == 1 && id > last_peer_id_;
  if (is_new_request) return true;
  if (!is_idle_id(id)) return check_not_ended(id, FrameType::Headers);
  break_off(ErrorCode::ProtocolError, "a head on a stream that the peer can not open");
  return false;
}

// HEADERS, and what stands in it before the block.
void Engine::Impl::begin_block(const FrameHead& head, std::string_view fixed) {
  std::uint32_t padding = 0;
  std::string_view rest = fixed;
  if (head.has(frame_flag::kPadded)) {
    padding = read_number<1>(rest);
    rest.remove_prefix(1);
  }
  if (head.has(frame_flag::kPriority) && read_number31(rest) == head.stream_id) {
    return break_off(ErrorCode::ProtocolError, "a stream that depends on itself");
  }
  if (!begin_fragment(head, padding, fixed.size())) return;
  block_of_ = head.stream_id;
  block_end_ = head.has(frame_flag::kEndStream) ? EndOfStream::Yes : EndOfStream::No;
  verdict_ = Verdict::Ok;
  decoding_ = nullptr;
  StreamState* stream = table_.find(head.stream_id);
  if (stream == nullptr && role_ == Role::Server && head.stream_id > last_peer_id_) {
    return begin_request(head.stream_id);
  }
  // Of a stream that nobody wants any more, the block is decoded only.
  if (stream == nullptr || !stream->is_visible) return;
  decoding_ = stream;
  decoder_.begin(stream->receive_phase == StreamState::ReceivePhase::Head ? HeadKind::Response
                                                                          : HeadKind::Trailers);
}

bool Engine::Impl::begin_fragment(const FrameHead& head, std::uint32_t padding,
                                  std::size_t fixed_size) {
  std::size_t size = head.size - fixed_size;
  if (padding > size) {
    break_off(ErrorCode::ProtocolError, "more padding than the frame has bytes");
    return false;
  }
  data_left_ = static_cast<std::uint32_t>(size) - padding;
  return true;
}

void Engine::Impl::begin_request(std::uint32_t id) {
  last_peer_id_ = id;
  if (counted_ < options_.concurrent_streams_max && !is_last_stream_named_) {
    decoding_ = &create_stream(id);
    return decoder_.begin(HeadKind::Request);
  }
  note_ended(id, false);
  // The peer knows, or will, that we have not looked at those behind the last.
  if (is_last_stream_named_) return;
  ++counters_.streams_refused;
  push_refused(id, ErrorCode::RefusedStream, "one stream too many");
  write_rst_stream(queue_, id, ErrorCode::RefusedStream);
  charge_reset();
}

void Engine::Impl::decode(std::string_view fragment) {
  judge(hpack_decoder_.decode(fragment, [this](std::string_view name, std::string_view value) {
    return on_field(name, value);
  }));
}

// False: the connection has failed.
bool Engine::Impl::judge(HpackDecoder::Status status) {
  switch (status) {
    case HpackDecoder::Status::Ok: return true;
    case HpackDecoder::Status::Stopped: break;
    case HpackDecoder::Status::OutOfMemory: run_out_of_memory(); break;
    case HpackDecoder::Status::Malformed:
      break_off(ErrorCode::CompressionError, "a header block that can not be decoded");
      break;
  }
  return false;
}

// Whether to go on.
bool Engine::Impl::on_field(std::string_view name, std::string_view value) {
  if (decoding_ == nullptr) return true;
  verdict_ = decoder_.add(name, value);
  switch (verdict_) {
    case Verdict::Ok:
    case Verdict::TooLarge: return true;
    case Verdict::Malformed: {
      StreamState& stream = *std::exchange(decoding_, nullptr);
      bool is_request =
          role_ == Role::Server && stream.receive_phase == StreamState::ReceivePhase::Head;
      if (is_request) {
        refuse_malformed(stream, decoder_.reason());
      } else {
        malformed(stream, decoder_.reason());
      }
      return !has_failed_;
    }
    case Verdict::Flood: break;
  }
  fail(ErrorCode::EnhanceYourCalm, &EngineCounters::header_block_floods, decoder_.reason());
  return false;
}

void Engine::Impl::end_block() {
  std::uint32_t id = std::exchange(block_of_, 0);
  head_begun_ = kNever;
  if (!judge(hpack_decoder_.finish())) return;
  StreamState* decoded = std::exchange(decoding_, nullptr);
  if (decoded != nullptr) on_head_end(*decoded, block_end_);
  StreamState* stream = table_.find(id);
  if (stream == nullptr) return;
  if (decoded == nullptr && block_end_ == EndOfStream::Yes) {
    stream->receive_phase = StreamState::ReceivePhase::Done;
  }
  end_if_complete(*stream);
  destroy_if_done(*stream);
}

void Engine::Impl::on_head_end(StreamState& stream, EndOfStream end) {
  if (stream.receive_phase == StreamState::ReceivePhase::Body) return on_trailers_end(stream, end);
  return role_ == Role::Server ? on_request_end(stream, end) : on_response_end(stream, end);
}

void Engine::Impl::on_request_end(StreamState& stream, EndOfStream end) {
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
}

void Engine::Impl::on_response_end(StreamState& stream, EndOfStream end) {
  if (verdict_ == Verdict::TooLarge) {
    ++counters_.heads_refused;
    return stream_error(stream, ErrorCode::EnhanceYourCalm, decoder_.reason());
  }
  auto response = std::make_unique<ResponseHeader>();
  HeadFacts facts;
  if (decoder_.finish(*response, facts) != Verdict::Ok) {
    return malformed(stream, decoder_.reason());
  }
  StatusCode status = response->status();
  bool is_final = !status.is_informational();
  if (!is_final && end == EndOfStream::Yes) {
    return malformed(stream, "a 1xx response that ends the stream");
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
      return malformed(stream, "a Content-Length without a body");
    }
    note_head(stream, facts, end);
  }
  Event& event =
      push_stream_event(stream, is_final ? Event::Kind::ResponseHead : Event::Kind::Informational);
  event.end = end;
  if (is_final) event.body = body_length(stream, end);
  event.response = std::move(response);
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

void Engine::Impl::on_trailers_end(StreamState& stream, EndOfStream end) {
  if (verdict_ == Verdict::TooLarge) {
    ++counters_.heads_refused;
    return stream_error(stream, ErrorCode::EnhanceYourCalm, decoder_.reason());
  }
  if (end == EndOfStream::No) {
    return malformed(stream, "trailers that do not end the stream");
  }
  auto trailers = std::make_unique<HeaderMap>();
  HeadFacts facts;
  if (decoder_.finish(*trailers, facts) != Verdict::Ok) {
    return malformed(stream, decoder_.reason());
  }
  stream.head_memory += facts.memory;
  head_memory_ += facts.memory;
  if (!end_message(stream)) {
    return malformed(stream, "a body shorter than Content-Length");
  }
  Event& event = push_stream_event(stream, Event::Kind::Trailers);
  event.end = EndOfStream::Yes;
  event.trailers = std::move(trailers);
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
void Engine::Impl::refuse_head(StreamState& stream, EndOfStream end) {
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
  charge_reset();
}

// The stream has gone after this. `request` is what is known of it, if that is not in the decoder
// any more.
void Engine::Impl::refuse_malformed(StreamState& stream, std::string_view reason,
                                    std::unique_ptr<RequestHeader> request) {
  ++counters_.malformed_messages;
  if (request == nullptr) request = understood(stream);
  push_refused(stream.id_, ErrorCode::ProtocolError, reason).request = std::move(request);
  stream.is_released = true;
  reset(stream, ErrorCode::ProtocolError);
  destroy_if_done(stream);
  charge_reset();
}

Event& Engine::Impl::push_refused(std::uint32_t id, ErrorCode code, std::string_view reason) {
  Event& event = push_event(Event::Kind::Refused);
  event.origin = Event::Origin::Engine;
  event.stream_id = id;
  event.code = code;
  event.reason = reason;
  return event;
}

}  // namespace pingora::h2
