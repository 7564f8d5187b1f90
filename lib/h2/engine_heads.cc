// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Heads as they arrive: those that begin a message, trailers, and those that are refused.
#include <utility>

#include "h2/engine_impl.h"

namespace pingora::h2 {
namespace {

// What honest peers send beside a request.
constexpr std::uint32_t kCreditForRequest = 4;

}  // namespace

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

}  // namespace pingora::h2
