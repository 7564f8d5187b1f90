// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Frames as they arrive: whether one may come here, what it may cost us, and who takes it.
#include "h2/engine_impl.h"

namespace pingora::h2 {

Result<void> Engine::Impl::feed(const Bytes& input, TimePoint now) {
  now_ = now;
  input_ = &input;
  std::string_view rest = has_failed_ ? std::string_view() : read_preface(input.view());
  while (!has_failed_) {
    FrameReader::Step step = reader_.next(rest);
    if (step == FrameReader::Step::NeedsMore) break;
    switch (step) {
      case FrameReader::Step::Head: begin_frame(reader_.head()); break;
      case FrameReader::Step::Fixed: on_fixed(reader_.head(), reader_.bytes()); break;
      case FrameReader::Step::Payload: on_payload(reader_.head(), reader_.bytes()); break;
      case FrameReader::Step::End: end_frame(reader_.head()); break;
      case FrameReader::Step::NeedsMore: break;
    }
  }
  input_ = nullptr;
  settle();
  if (has_failed_) return pingora::fail(ErrorType::H2Error, failure_reason_);
  return {};
}

// What is behind it.
std::string_view Engine::Impl::read_preface(std::string_view input) {
  std::string_view wanted = kClientPreface.substr(kClientPreface.size() - preface_left_);
  std::string_view come = input.substr(0, wanted.size());
  if (!wanted.starts_with(come)) break_off(ErrorCode::ProtocolError, "no HTTP/2 preface");
  preface_left_ -= come.size();
  return input.substr(come.size());
}

void Engine::Impl::begin_frame(const FrameHead& head) {
  data_left_ = 0;
  if (is_in_order(head) && take_budgets(head)) check_frame(head);
}

bool Engine::Impl::is_in_order(const FrameHead& head) {
  bool is_settings = head.type == FrameType::Settings && !head.has(frame_flag::kAck);
  if (is_first_frame_ && !is_settings) {
    break_off(ErrorCode::ProtocolError, "no SETTINGS at the beginning");
    return false;
  }
  is_first_frame_ = false;
  if (head.size > frame_bytes_max_) {
    break_off(ErrorCode::FrameSizeError, "a frame larger than was announced");
    return false;
  }
  bool continues = head.type == FrameType::Continuation;
  if (continues ? block_of_ == 0 || head.stream_id != block_of_ : block_of_ != 0) {
    break_off(ErrorCode::ProtocolError, "a header block that is not continued, or was not begun");
    return false;
  }
  return true;
}

bool Engine::Impl::take_budget(BudgetLeft& budget, std::uint64_t EngineCounters::* counter,
                               std::string_view reason) {
  if (budget.take(now_)) return true;
  fail(ErrorCode::EnhanceYourCalm, counter, reason);
  return false;
}

bool Engine::Impl::take_budgets(const FrameHead& head) {
  bool is_ack = head.has(frame_flag::kAck);
  switch (head.type) {
    case FrameType::Data:
    case FrameType::Headers:
    case FrameType::Continuation:
    case FrameType::RstStream:
    case FrameType::PushPromise: return true;
    case FrameType::Ping:
      return is_ack || take_budget(pings_, &EngineCounters::ping_floods, "too many PING frames");
    case FrameType::Settings:
      return is_ack ||
             take_budget(settings_, &EngineCounters::settings_floods, "too many SETTINGS frames");
    case FrameType::WindowUpdate:
      return take_budget(window_updates_, &EngineCounters::window_update_floods,
                         "too many WINDOW_UPDATE frames");
    case FrameType::Priority:
    case FrameType::PriorityUpdate:
      return take_budget(priorities_, &EngineCounters::priority_floods,
                         "too many PRIORITY or PRIORITY_UPDATE frames");
    // One or two are all that an honest peer sends.
    case FrameType::GoAway: break;
  }
  return take_budget(unknown_frames_, &EngineCounters::unknown_frame_floods,
                     "too many frames of unknown types");
}

namespace {

// How large a frame of that type is, in bytes; and whether that says how large it is at the least.
struct FrameSize {
  std::uint32_t size = 0;
  bool is_least = true;
};

FrameSize size_of(const FrameHead& head) noexcept {
  switch (head.type) {
    case FrameType::Priority: return {kPrioritySize, false};
    case FrameType::RstStream:
    case FrameType::WindowUpdate: return {4, false};
    case FrameType::Ping: return {8, false};
    case FrameType::GoAway: return {8};
    case FrameType::PriorityUpdate: return {4};
    default: return {FrameReader::fixed_size(head)};
  }
}

bool has_good_size(const FrameHead& head) noexcept {
  if (head.type == FrameType::Settings) {
    return head.has(frame_flag::kAck) ? head.size == 0 : head.size % kSettingSize == 0;
  }
  FrameSize wanted = size_of(head);
  return wanted.is_least ? head.size >= wanted.size : head.size == wanted.size;
}

enum class Scope : std::uint8_t { Connection, Stream, Either };

Scope scope_of(FrameType type) noexcept {
  switch (type) {
    case FrameType::Settings:
    case FrameType::Ping:
    case FrameType::GoAway:
    case FrameType::PriorityUpdate: return Scope::Connection;
    case FrameType::Data:
    case FrameType::Headers:
    case FrameType::Priority:
    case FrameType::RstStream:
    case FrameType::Continuation: return Scope::Stream;
    default: return Scope::Either;
  }
}

}  // namespace

void Engine::Impl::check_frame(const FrameHead& head) {
  Scope scope = scope_of(head.type);
  bool is_of_stream = head.stream_id != 0;
  if (scope != Scope::Either && is_of_stream != (scope == Scope::Stream)) {
    return break_off(ErrorCode::ProtocolError,
                     "a frame of the connection on a stream, or the other way round");
  }
  if (!has_good_size(head)) {
    return break_off(ErrorCode::FrameSizeError, "a frame of a size that its type has not");
  }
  switch (head.type) {
    case FrameType::Data: return begin_data(head);
    case FrameType::Headers:
    case FrameType::Continuation: return begin_headers(head);
    case FrameType::PushPromise: return break_off(ErrorCode::ProtocolError, "a PUSH_PROMISE");
    case FrameType::RstStream:
    case FrameType::WindowUpdate:
      if (is_of_stream && is_idle_id(head.stream_id)) {
        break_off(ErrorCode::ProtocolError, "a frame on a stream that was not opened");
      }
      return;
    case FrameType::PriorityUpdate:
      if (role_ == Role::Client) {
        break_off(ErrorCode::ProtocolError, "a PRIORITY_UPDATE of a server");
      }
      return;
    default: return;
  }
}

void Engine::Impl::on_fixed(const FrameHead& head, std::string_view bytes) {
  switch (head.type) {
    case FrameType::Data: return on_data_fixed(head, bytes);
    case FrameType::Headers: return begin_block(head, bytes);
    case FrameType::Continuation: begin_fragment(head, 0, 0); return;
    case FrameType::Priority:
      // An error of the stream, which need not have been opened (RFC 7540 §5.3.1): no honest peer
      // sends this.
      if (read_number31(bytes) == head.stream_id) {
        break_off(ErrorCode::ProtocolError, "a stream that depends on itself");
      }
      return;
    case FrameType::RstStream:
      return on_rst_stream(head, static_cast<ErrorCode>(read_number<4>(bytes)));
    case FrameType::Settings:
      return head.has(frame_flag::kAck) ? on_settings_ack() : on_settings(bytes);
    case FrameType::Ping: return on_ping(head, bytes);
    case FrameType::GoAway: return on_goaway(bytes);
    case FrameType::WindowUpdate: return on_window_update(head, read_number31(bytes));
    case FrameType::PriorityUpdate: return on_priority_update(bytes);
    default: return;
  }
}

void Engine::Impl::on_payload(const FrameHead& head, std::string_view bytes) {
  bytes = bytes.substr(0, data_left_);  // the rest is padding
  if (bytes.empty()) return;
  if (head.type == FrameType::Data) {
    data_left_ -= static_cast<std::uint32_t>(bytes.size());
    on_data(bytes);
  } else if (block_of_ != 0) {
    data_left_ -= static_cast<std::uint32_t>(bytes.size());
    decode(bytes);
  }
}

void Engine::Impl::end_frame(const FrameHead& head) {
  if (head.type == FrameType::Data) return end_data(head);
  if (block_of_ != 0 && head.has(frame_flag::kEndHeaders)) end_block();
}

}  // namespace pingora::h2
