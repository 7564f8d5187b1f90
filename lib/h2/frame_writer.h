// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "h2/frame.h"
#include "pingora/h2/error_code.h"
#include "pingora/h2/output.h"

namespace pingora::h2 {

// Whole frames, at the end of `out`. DATA and HEADERS are made where their payload is.

struct Setting {
  SettingId id;
  std::uint32_t value;
};

enum class IsAck : std::uint8_t { No, Yes };

void write_settings(Output& out, std::span<const Setting> settings);
void write_settings_ack(Output& out);
void write_ping(Output& out, std::uint64_t opaque, IsAck is_ack);
void write_rst_stream(Output& out, std::uint32_t stream_id, ErrorCode code);
void write_window_update(Output& out, std::uint32_t stream_id, std::uint32_t increment);
void write_goaway(Output& out, std::uint32_t last_stream_id, ErrorCode code);

}  // namespace pingora::h2
