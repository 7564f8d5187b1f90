// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Frames of the connection as they arrive: SETTINGS, PING, GOAWAY; and priorities.
#include <algorithm>

#include "h2/engine_impl.h"
#include "h2/frame_writer.h"
#include "pingora/http/field_syntax.h"

namespace pingora::h2 {
namespace {

// RFC 9218 §4.1.
constexpr std::uint8_t kUrgencyDefault = 3;

}  // namespace

void Engine::Impl::on_settings(std::string_view payload) {
  std::uint32_t stream_window = peer_settings_.stream_window_bytes;
  // There is no limit where none is announced; until we know, we do not go far.
  if (!peer_settings_.are_known) peer_settings_.concurrent_streams_max = UINT32_MAX;
  for (; !payload.empty(); payload.remove_prefix(kSettingSize)) {
    auto id = static_cast<SettingId>(read_number<2>(payload));
    std::uint32_t value = read_number<4>(payload.substr(2));
    if (id == SettingId::InitialWindowSize && value <= kWindowMax) {
      stream_window = value;
    } else if (!apply_setting(id, value)) {
      return;
    }
  }
  // Once, whatever is in between.
  if (stream_window != peer_settings_.stream_window_bytes && !apply_stream_window(stream_window)) {
    return;
  }
  peer_settings_.are_known = true;
  if (!count_ack()) return;
  write_settings_ack(queue_);
  push_event(Event::Kind::Settings);
}

// RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1. False: the connection has failed.
bool Engine::Impl::apply_setting(SettingId id, std::uint32_t value) {
  bool is_good = true;
  switch (id) {
    case SettingId::HeaderTableSize: hpack_encoder_.set_table_size(value); break;
    case SettingId::EnablePush:
      is_good = value == 0 || (value == 1 && role_ == Role::Server);
      break;
    case SettingId::MaxConcurrentStreams: peer_settings_.concurrent_streams_max = value; break;
    case SettingId::InitialWindowSize:
      break_off(ErrorCode::FlowControlError, "a window too large");
      return false;
    case SettingId::MaxFrameSize:
      is_good = value >= kFrameBytesDefault && value <= kFrameBytesLimit;
      peer_settings_.frame_bytes_max = value;
      break;
    case SettingId::MaxHeaderListSize: peer_settings_.header_list_bytes_max = value; break;
    case SettingId::EnableConnectProtocol:
      // It can not be taken back.
      is_good = value == 1 || (value == 0 && !peer_settings_.extended_connect);
      peer_settings_.extended_connect = value == 1;
      break;
    case SettingId::NoRfc7540Priorities: is_good = value <= 1; break;
  }
  if (!is_good) break_off(ErrorCode::ProtocolError, "a setting of a value that it can not have");
  return is_good;
}

// Ours hold from now on, where they allow less than what holds without them; and where they allow
// more, the peer may make use of it.
void Engine::Impl::on_settings_ack() {
  if (are_settings_acknowledged_) {
    return break_off(ErrorCode::ProtocolError, "an acknowledgement of no SETTINGS");
  }
  are_settings_acknowledged_ = true;
  frame_bytes_max_ = options_.frame_bytes_max;
  if (!hpack_decoder_.set_table_size(options_.header_table_bytes)) return run_out_of_memory();
  std::int64_t change = std::int64_t{options_.stream_window_bytes} - kWindowDefault;
  table_.for_each([&](std::uint32_t, StreamState& stream) {
    stream.window.resize(
        static_cast<std::uint32_t>(std::max<std::int64_t>(stream.window.size() + change, 0)));
    consume_for_stream(stream, 0);
  });
}

// Acknowledgements that the peer does not read are not kept without end. False: the connection has
// failed.
bool Engine::Impl::count_ack() {
  if (++acks_queued_ <= options_.acks_queued_max) return true;
  fail(ErrorCode::EnhanceYourCalm, &EngineCounters::ack_floods,
       "acknowledgements that are not read");
  return false;
}

void Engine::Impl::on_ping(const FrameHead& head, std::string_view payload) {
  std::uint64_t opaque =
      std::uint64_t{read_number<4>(payload)} << 32 | read_number<4>(payload.substr(4));
  if (head.has(frame_flag::kAck)) return on_ping_ack(opaque);
  if (count_ack()) write_ping(queue_, opaque, IsAck::Yes);
}

void Engine::Impl::on_ping_ack(std::uint64_t opaque) {
  if (pings_sent_ == 0) {
    take_budget(pings_, &EngineCounters::ping_floods, "answers to no PING");
    return;
  }
  --pings_sent_;
  if (opaque == kShutdownPing) return finish_shutdown();
  if (opaque == kSamplePing) {
    if (is_sampling_) end_sample();
    return;
  }
  push_event(Event::Kind::PingAck).ping = opaque;
}

void Engine::Impl::on_goaway(std::string_view payload) {
  has_goaway_ = true;
  std::uint32_t last_id = read_number31(payload);
  std::string_view text = payload.substr(8);
  Event& event = push_event(Event::Kind::GoAway);
  event.code = static_cast<ErrorCode>(read_number<4>(payload.substr(4)));
  event.last_stream_id = last_id;
  if (!text.empty()) event.data = Bytes::copy_of(text);
  // Of a client it is about streams that a server would open.
  if (role_ == Role::Server) return;
  table_.for_each([&](std::uint32_t id, StreamState& stream) {
    if (id > last_id) reset_by_peer(stream, ErrorCode::RefusedStream);
  });
}

void Engine::Impl::on_priority_update(std::string_view payload) {
  std::uint32_t id = read_number31(payload);
  if (id == 0) return break_off(ErrorCode::ProtocolError, "a PRIORITY_UPDATE of no stream");
  if (StreamState* stream = table_.find(id)) apply_priority(*stream, payload.substr(4));
}

// RFC 9218 §4: a dictionary of which two members mean something; others are ignored, and so is what
// is malformed.
void Engine::Impl::apply_priority(StreamState& stream, std::string_view field) {
  stream.urgency_ = kUrgencyDefault;
  stream.is_incremental_ = false;
  while (auto member = next_list_element(field)) {
    std::string_view text = trim_blanks(member->substr(0, member->find(';')));
    if (text.size() == 3 && text.starts_with("u=") && text[2] >= '0' && text[2] <= '7') {
      stream.urgency_ = static_cast<std::uint8_t>(text[2] - '0');
    }
    if (text == "i" || text == "i=?1") stream.is_incremental_ = true;
    if (text == "i=?0") stream.is_incremental_ = false;
  }
  if (!stream.turn.is_linked()) return;
  Schedule::remove(stream.turn);
  schedule(stream);
}

}  // namespace pingora::h2
