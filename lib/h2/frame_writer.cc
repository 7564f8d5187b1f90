// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/frame_writer.h"

namespace pingora::h2 {
namespace {

// Begins a frame whose payload is written behind it.
char* begin_frame(Output& out, const FrameHead& head) {
  return write_frame_head(out.prepare(kFrameHeadSize + head.size), head);
}

void end_frame(Output& out, const FrameHead& head) { out.commit(kFrameHeadSize + head.size); }

}  // namespace

void write_settings(Output& out, std::span<const Setting> settings) {
  FrameHead head{.size = static_cast<std::uint32_t>(settings.size() * kSettingSize),
                 .type = FrameType::Settings};
  char* place = begin_frame(out, head);
  for (const Setting& setting : settings) {
    place = write_number<2>(place, static_cast<std::uint32_t>(setting.id));
    place = write_number<4>(place, setting.value);
  }
  end_frame(out, head);
}

void write_settings_ack(Output& out) {
  FrameHead head{.type = FrameType::Settings, .flags = frame_flag::kAck};
  begin_frame(out, head);
  end_frame(out, head);
}

void write_ping(Output& out, std::uint64_t opaque, IsAck is_ack) {
  FrameHead head{.size = 8,
                 .type = FrameType::Ping,
                 .flags = is_ack == IsAck::Yes ? frame_flag::kAck : frame_flag::kNone};
  char* place = begin_frame(out, head);
  place = write_number<4>(place, static_cast<std::uint32_t>(opaque >> 32));
  write_number<4>(place, static_cast<std::uint32_t>(opaque));
  end_frame(out, head);
}

void write_rst_stream(Output& out, std::uint32_t stream_id, ErrorCode code) {
  FrameHead head{.size = 4, .type = FrameType::RstStream, .stream_id = stream_id};
  write_number<4>(begin_frame(out, head), static_cast<std::uint32_t>(code));
  end_frame(out, head);
}

void write_window_update(Output& out, std::uint32_t stream_id, std::uint32_t increment) {
  FrameHead head{.size = 4, .type = FrameType::WindowUpdate, .stream_id = stream_id};
  write_number<4>(begin_frame(out, head), increment);
  end_frame(out, head);
}

void write_goaway(Output& out, std::uint32_t last_stream_id, ErrorCode code) {
  FrameHead head{.size = 8, .type = FrameType::GoAway};
  char* place = write_number<4>(begin_frame(out, head), last_stream_id);
  write_number<4>(place, static_cast<std::uint32_t>(code));
  end_frame(out, head);
}

}  // namespace pingora::h2
