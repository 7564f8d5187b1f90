// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h1/head_parser.h"

#include <algorithm>
#include <cstring>

#include "h1/field_line.h"
#include "h1/start_line.h"

// A head is parsed line by line, in one pass when it is there whole. When bytes run out,
// HeadProgress keeps the offset behind the last complete line, and how far the rest was searched
// for a line end: complete lines are parsed once, and an incomplete one again only when its end has
// come.
//
// Invariants: (1) what `out` holds on NeedMore are slices of the buffer, relocated when its bytes
// have moved; (2) no byte is taken from the buffer before the head is complete and valid, empty
// lines before it apart; (3) NeedMore is never given for a part that already exceeds a limit.

namespace pingora::h1 {
namespace {

constexpr int kEmptyLinesMax = 4;
constexpr std::string_view kStartLineTooLong = "the start line is too long";
constexpr std::string_view kTooMany = "too many fields";
constexpr std::string_view kTooLong = "the head or trailer section is too long";

}  // namespace

/// One call of a parser: the steps that heads and trailer sections share.
class HeadParser {
 public:
  HeadParser(Buffer& buffer, HeadProgress& progress, const ParserOptions& options, MessageRole role,
             HeaderMap& fields) noexcept
      : buffer_(buffer), progress_(progress), options_(options), role_(role), fields_(fields) {}

  ParseStatus request(RequestHeader& out);
  ParseStatus response(ResponseHeader& out);
  ParseStatus trailers();
  /// What the caller of a parser gets.
  ParseResult result(ParseStatus status) const noexcept { return {status, error_}; }

 private:
  // Whether there may be a complete line beyond what was parsed before. Sets `in_` up.
  template <class Header>
  bool resume(Header& out);
  LineKind skip_empty_lines();
  ParseStatus start_line_done(LineKind kind, const ParseError& error);
  ParseStatus fields(const LinePolicy& policy, std::size_t bytes_max);
  bool add_field(const HeaderMap::Entry& entry);
  void plain_fields();
  bool is_host(const HeaderMap::Entry& entry) const noexcept;
  ParseStatus check_host(RequestHeader& out);
  ParseStatus need_more() noexcept;
  ParseStatus refuse(std::uint16_t status, std::string_view reason) noexcept;
  ParseStatus done();
  ParseStatus still_incomplete(std::size_t bytes_max) noexcept;
  std::size_t size() const noexcept { return static_cast<std::size_t>(in_.end - in_.begin); }

  Buffer& buffer_;
  HeadProgress& progress_;
  const ParserOptions& options_;
  MessageRole role_;
  HeaderMap& fields_;
  Input in_{};
  ParseError error_;  // of the status Error
};

template <class Header>
bool HeadParser::resume(Header& out) {
  std::string_view view = buffer_.view();
  in_ = {view.data(), view.data() + progress_.parsed_, view.data() + view.size()};
  if (!progress_.has_begun()) {
    out.clear();
    return true;
  }
  bool has_moved = progress_.base_ != in_.begin;
  if (has_moved && progress_.has_start_line_) out.relocate_received(progress_.base_, in_.begin);
  std::size_t fresh = view.size() - progress_.scanned_;
  return fresh != 0 && std::memchr(in_.begin + progress_.scanned_, '\n', fresh) != nullptr;
}

ParseStatus HeadParser::need_more() noexcept {
  progress_.base_ = in_.begin;
  progress_.parsed_ = static_cast<std::uint32_t>(in_.at - in_.begin);
  progress_.scanned_ = static_cast<std::uint32_t>(size());
  return ParseStatus::NeedMore;
}

ParseStatus HeadParser::refuse(std::uint16_t status, std::string_view reason) noexcept {
  progress_.reset();
  fields_.retain(buffer_.share(size()));
  if (role_ == MessageRole::Response && status != 431) status = 502;
  error_ = {status, reason};
  return ParseStatus::Error;
}

ParseStatus HeadParser::done() {
  fields_.retain(buffer_.take(static_cast<std::size_t>(in_.at - in_.begin)));
  progress_.reset();
  return ParseStatus::Done;
}

// RFC 9112 §2.2: a server should ignore at least one empty line before a request line.
LineKind HeadParser::skip_empty_lines() {
  LinePolicy policy(options_, role_);
  while (in_.at != in_.end && (*in_.at == '\r' || *in_.at == '\n')) {
    LineKind kind = step_over_line_end(in_, in_.at, policy, LineKind::Empty);
    if (kind != LineKind::Empty) return kind;
    buffer_.consume(static_cast<std::size_t>(in_.at - in_.begin));
    std::string_view view = buffer_.view();
    in_ = {view.data(), view.data(), view.data() + view.size()};
    if (++progress_.empty_lines_ > kEmptyLinesMax) return LineKind::Bad;
  }
  return in_.at == in_.end ? LineKind::NeedMore : LineKind::Empty;
}

// What follows from the start line's `kind`: NeedMore, Error, or Done for "go on with the fields".
ParseStatus HeadParser::start_line_done(LineKind kind, const ParseError& error) {
  if (kind == LineKind::Bad) return refuse(error.status, error.reason);
  if (kind == LineKind::NeedMore) {
    // The line end takes up to two bytes, one of which may be there.
    if (size() - 1 > options_.start_line_bytes_max) return refuse(414, kStartLineTooLong);
    if (size() >= options_.head_bytes_max) return refuse(431, kTooLong);
    return need_more();
  }
  auto line = static_cast<std::size_t>(in_.at - in_.begin) - (in_.at[-2] == '\r' ? 2 : 1);
  if (line > options_.start_line_bytes_max) return refuse(414, kStartLineTooLong);
  progress_.has_start_line_ = true;
  return ParseStatus::Done;
}

// False if there are too many.
bool HeadParser::add_field(const HeaderMap::Entry& entry) {
  bool is_cookie = entry.id == HeaderId::Cookie;
  std::uint32_t& count = is_cookie ? progress_.cookie_fields_ : progress_.fields_;
  if (count >= (is_cookie ? options_.cookie_fields_max : options_.fields_max)) return false;
  ++count;
  fields_.push_received(entry);
  return true;
}

// Reads plain lines, for as long as there are such and room for them. Cookies, which are counted
// apart, are none.
void HeadParser::plain_fields() {
  if (in_.end - in_.begin < 16) return;
  std::span<HeaderMap::Entry> free = fields_.free_entries();
  std::size_t room = std::min(free.size(), options_.fields_max - progress_.fields_);
  HeaderMap::Entry* entry = free.data();
  HeaderIdSet ids;
  const char* at = in_.at;
  const char* end = in_.end;
  for (const HeaderMap::Entry* last = entry + room; entry != last; ++entry) {
    const char* next = read_plain_field_line(at, end, *entry);
    if (next == nullptr) break;
    ids.insert(entry->id);
    at = next;
  }
  in_.at = at;
  auto count = static_cast<std::size_t>(entry - free.data());
  progress_.fields_ += static_cast<std::uint32_t>(count);
  fields_.commit_entries(count, ids);
}

// Reads fields up to and with the empty line. Done leaves the bytes in the buffer.
ParseStatus HeadParser::fields(const LinePolicy& policy, std::size_t bytes_max) {
  HeaderMap::Entry entry;
  while (true) {
    plain_fields();
    std::string_view reason;
    LineKind kind = LineKind::Empty;
    if (in_.end - in_.at >= 2 && in_.at[0] == '\r' && in_.at[1] == '\n') {
      in_.at += 2;
    } else {
      kind = read_field_line(in_, policy, entry, reason);
    }
    // What plain lines take is looked at here too: the last line, the empty one, is none.
    if (static_cast<std::size_t>(in_.at - in_.begin) > bytes_max) return refuse(431, kTooLong);
    switch (kind) {
      case LineKind::Field:
        if (!add_field(entry)) return refuse(431, kTooMany);
        break;
      case LineKind::Fold:
        if (fields_.empty()) return refuse(400, "a blank before the first field");
        // Each fold copies the value so far: their number is limited like that of fields.
        if (++progress_.fields_ > options_.fields_max) return refuse(431, kTooMany);
        fields_.extend_last_value(entry.value_view());
        break;
      case LineKind::Empty: return ParseStatus::Done;
      case LineKind::NeedMore: return still_incomplete(bytes_max);
      case LineKind::Bad: return refuse(400, reason);
    }
  }
}

// Whether the value of a Host field that was just read is a host with or without a port.
bool HeadParser::is_host(const HeaderMap::Entry& entry) const noexcept {
  std::string_view value = entry.value_view();
  bool is_in_buffer = (entry.flags & HeaderMap::kVerbatim) != 0;
  if (is_in_buffer && value.data() + value.size() - in_.begin >= 16 &&
      internal::is_plain_host_port(value)) {
    return true;
  }
  return HostPort::parse(value).has_value();
}

// RFC 9112 §3.2: one valid Host field, which a target that names a host overrides.
ParseStatus HeadParser::check_host(RequestHeader& out) {
  const HeaderMap::Entry* host = nullptr;
  for (const HeaderMap::Entry& entry : out.headers().entries()) {
    if (entry.id != HeaderId::Host) continue;
    if (host != nullptr) return refuse(400, "a repeated Host field");
    host = &entry;
  }
  if (host == nullptr && out.version() != Version::Http10) {
    return refuse(400, "no Host field");
  }
  if (host != nullptr && !is_host(*host)) return refuse(400, "a malformed Host field");
  if (out.target_form() == TargetForm::Absolute || out.target_form() == TargetForm::Authority) {
    Result<void> replaced = out.insert_header(HeaderId::Host, out.uri().authority());
    if (!replaced) return refuse(400, "a malformed target");
  }
  return ParseStatus::Done;
}

ParseStatus HeadParser::request(RequestHeader& out) {
  if (!resume(out)) return still_incomplete(options_.head_bytes_max);
  if (!progress_.has_start_line_) {
    LineKind kind = progress_.has_begun() ? LineKind::Empty : skip_empty_lines();
    if (kind == LineKind::Bad) return refuse(400, "empty lines before the request line");
    if (kind == LineKind::NeedMore) return ParseStatus::NeedMore;
    ParseError error;
    kind = read_request_line(in_, options_, out, error);
    ParseStatus line = start_line_done(kind, error);
    if (line != ParseStatus::Done) return line;
  }
  ParseStatus result = fields(LinePolicy(options_, role_), options_.head_bytes_max);
  if (result == ParseStatus::Done) result = check_host(out);
  return result == ParseStatus::Done ? done() : result;
}

ParseStatus HeadParser::response(ResponseHeader& out) {
  if (!resume(out)) return still_incomplete(options_.head_bytes_max);
  if (!progress_.has_start_line_) {
    if (in_.at == in_.end) return ParseStatus::NeedMore;
    ParseError error;
    LineKind kind = read_status_line(in_, options_, out, error);
    ParseStatus line = start_line_done(kind, error);
    if (line != ParseStatus::Done) return line;
  }
  ParseStatus result = fields(LinePolicy(options_, role_), options_.head_bytes_max);
  return result == ParseStatus::Done ? done() : result;
}

ParseStatus HeadParser::trailers() {
  progress_.has_start_line_ = true;
  if (!resume(fields_)) return still_incomplete(options_.trailer_bytes_max);
  ParseStatus result = fields(LinePolicy(), options_.trailer_bytes_max);
  return result == ParseStatus::Done ? done() : result;
}

// The line at `in_.at` has no end yet: only the limits can be looked at.
ParseStatus HeadParser::still_incomplete(std::size_t bytes_max) noexcept {
  if (!progress_.has_start_line_) return start_line_done(LineKind::NeedMore, {});
  return size() >= bytes_max ? refuse(431, kTooLong) : need_more();
}

ParseResult parse_request_head(Buffer& in, HeadProgress& progress, const ParserOptions& options,
                               RequestHeader& out) {
  HeadParser parser(in, progress, options, MessageRole::Request, out.headers());
  return parser.result(parser.request(out));
}

ParseResult parse_response_head(Buffer& in, HeadProgress& progress, const ParserOptions& options,
                                ResponseHeader& out) {
  HeadParser parser(in, progress, options, MessageRole::Response, out.headers());
  return parser.result(parser.response(out));
}

ParseResult parse_trailers(Buffer& in, HeadProgress& progress, const ParserOptions& options,
                           MessageRole role, HeaderMap& out) {
  HeadParser parser(in, progress, options, role, out);
  return parser.result(parser.trailers());
}

}  // namespace pingora::h1
