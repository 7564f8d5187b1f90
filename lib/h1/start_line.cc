// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h1/start_line.h"

#include <cstring>
#include <iterator>
#include <optional>

#include "http/byte_scan.h"

namespace pingora::h1 {
namespace {

constexpr std::size_t kVersionSize = 8;  // "HTTP/1.1"

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view text_between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

LineKind refuse(ParseError& error, std::uint16_t status, std::string_view reason) {
  error = {status, reason};
  return LineKind::Bad;
}

// The version that `text` names, if it is one that we speak; else `error` is set.
std::optional<Version> read_version(std::string_view text, ParseError& error) {
  if (internal::is_exactly(text, "HTTP/1.1")) return Version::Http11;
  if (internal::is_exactly(text, "HTTP/1.0")) return Version::Http10;
  error = {400, "a malformed or unknown HTTP version"};
  if (text.size() == kVersionSize && text.starts_with("HTTP/") && is_digit(text[5]) &&
      text[6] == '.' && is_digit(text[7]) && text[5] > '1') {
    error = {505, "an HTTP version with another major number"};
  }
  return std::nullopt;
}

// Reads the version at `at` and the line end behind it.
LineKind read_version_and_line_end(Input& in, const char* at, const LinePolicy& policy,
                                   Version& version, ParseError& error) {
  if (in.end - at >= 10 && std::memcmp(at, "HTTP/1.1\r\n", 10) == 0) {
    version = Version::Http11;
    in.at = at + 10;
    return LineKind::Field;
  }
  const void* found = std::memchr(at, '\n', static_cast<std::size_t>(in.end - at));
  if (found == nullptr) return LineKind::NeedMore;
  const char* line_feed = static_cast<const char*>(found);
  const char* line_end = line_feed;
  if (line_end != at && line_end[-1] == '\r') {
    --line_end;
  } else if (!policy.bare_lf) {
    return refuse(error, 400, "a bare LF as a line end");
  }
  std::optional<Version> read = read_version(text_between(at, line_end), error);
  if (!read) return LineKind::Bad;
  version = *read;
  in.at = line_feed + 1;
  return LineKind::Field;
}

// Reads the line if it is what nearly all are: GET, a path, HTTP/1.1, CRLF. Else nothing changes.
bool read_usual_request_line(Input& in, RequestHeader& out) {
  constexpr std::string_view kBegin = "GET /";
  constexpr std::string_view kEnd = " HTTP/1.1\r\n";
  if (in.end - in.at < std::ssize(kBegin)) return false;
  if (std::memcmp(in.at, kBegin.data(), kBegin.size()) != 0) return false;
  const char* target = in.at + kBegin.size() - 1;
  const char* stop = internal::find_target_stop(target, in.end, in.begin);
  if (in.end - stop < std::ssize(kEnd)) return false;
  if (std::memcmp(stop, kEnd.data(), kEnd.size()) != 0) return false;
  std::string_view text = text_between(target, stop);
  out.set_received(Method::Get, text, TargetForm::Origin, text, Version::Http11);
  in.at = stop + kEnd.size();
  return true;
}

}  // namespace

LineKind read_request_line(Input& in, const ParserOptions& options, RequestHeader& out,
                           ParseError& error) {
  if (read_usual_request_line(in, out)) return LineKind::Field;
  const char* at = in.at;
  while (at != in.end && is_token_char(*at)) ++at;
  if (at == in.end) return LineKind::NeedMore;
  if (*at != ' ' || at == in.at) return refuse(error, 400, "a malformed method");
  Method method = Method::from(text_between(in.at, at));

  const char* target_begin = ++at;
  RawBytes raw_bytes =
      options.allow_raw_bytes_in_target == Leniency::Allow ? RawBytes::Allow : RawBytes::Reject;
  at = internal::find_target_stop(at, in.end, in.begin);
  while (at != in.end && static_cast<unsigned char>(*at) >= 0x80 && raw_bytes == RawBytes::Allow) {
    at = internal::find_target_stop(at + 1, in.end, in.begin);
  }
  if (at == in.end) return LineKind::NeedMore;
  if (*at != ' ' || at == target_begin) {
    return refuse(error, 400, "a malformed request target or request line");
  }
  std::string_view target = text_between(target_begin, at);

  TargetForm form = TargetForm::Origin;
  std::string_view path_and_query = target;
  if (*target_begin != '/' || method == Method::Connect) {
    std::optional<Uri> uri = Uri::parse_target(method, target, raw_bytes);
    if (!uri) return refuse(error, 400, "a request target that does not fit the method");
    // What another scheme would mean, neither we nor an origin behind us could say (RFC 9110 §7.4).
    if (uri->form() == TargetForm::Absolute && !uri->is_http()) {
      return refuse(error, 400, "a request target with a scheme other than http and https");
    }
    form = uri->form();
    path_and_query = uri->path_and_query();
  }
  Version version = Version::Http11;
  LineKind kind = read_version_and_line_end(in, at + 1, LinePolicy(options, MessageRole::Request),
                                            version, error);
  if (kind == LineKind::Field) out.set_received(method, target, form, path_and_query, version);
  return kind;
}

LineKind read_status_line(Input& in, const ParserOptions& options, ResponseHeader& out,
                          ParseError& error) {
  constexpr std::ptrdiff_t kReasonAt = 12;  // behind "HTTP/1.1 200"
  constexpr std::string_view kUsual = "HTTP/1.1 200 OK\r\n";
  const char* at = in.at;
  if (in.end - at >= std::ssize(kUsual) && std::memcmp(at, kUsual.data(), kUsual.size()) == 0) {
    out.set_received(200, {at + kReasonAt + 1, 2}, Version::Http11);
    in.at = at + kUsual.size();
    return LineKind::Field;
  }
  if (in.end - at <= kReasonAt) {
    bool is_whole = std::memchr(at, '\n', static_cast<std::size_t>(in.end - at)) != nullptr;
    return is_whole ? refuse(error, 502, "a malformed status line") : LineKind::NeedMore;
  }
  std::optional<Version> version = read_version({at, kVersionSize}, error);
  if (!version || at[8] != ' ') return refuse(error, 502, "a malformed HTTP version");
  if (!is_digit(at[9]) || !is_digit(at[10]) || !is_digit(at[11])) {
    return refuse(error, 502, "a malformed status code");
  }
  std::optional<StatusCode> status =
      StatusCode::from((at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0'));
  if (!status) return refuse(error, 502, "a status code below 100");

  const char* reason = at + kReasonAt;
  if (*reason == ' ') {
    ++reason;
  } else if (*reason != '\r' && *reason != '\n') {
    return refuse(error, 502, "a malformed status code");
  }
  const char* stop = internal::find_forbidden_in_value(reason, in.end, in.begin);
  LineKind kind =
      step_over_line_end(in, stop, LinePolicy(options, MessageRole::Response), LineKind::Field);
  if (kind == LineKind::Bad) {
    return refuse(error, 502, "a control byte in a reason phrase, or a bare CR or LF");
  }
  if (kind == LineKind::Field) out.set_received(*status, text_between(reason, stop), *version);
  return kind;
}

}  // namespace pingora::h1
