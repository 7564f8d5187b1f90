// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Frames of the connection as they arrive: SETTINGS, answers to PING, GOAWAY; and priorities.
#include "h2/engine_impl.h"
#include "pingora/http/field_syntax.h"

namespace pingora::h2 {
namespace {

// Of the text in a GOAWAY, which is for a log.
constexpr std::size_t kGoawayTextMax = 256;

}  // namespace

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
