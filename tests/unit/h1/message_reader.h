// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pingora/base/buffer.h"
#include "pingora/h1/body_decoder.h"
#include "pingora/h1/framing.h"
#include "pingora/h1/head_parser.h"
#include "pingora/h1/parser_options.h"

namespace pingora::h1::testing {

/// All that can be seen of one message. Two ways of reading it must give equal outcomes.
struct Outcome {
  /// 0: accepted; -1: it ended too early; else what it was refused with.
  int status = -1;
  std::string start_line;
  std::vector<std::string> fields;
  std::string body;
  std::vector<std::string> trailers;
  std::string rest;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

inline std::vector<std::string> lines_of(const HeaderMap& headers) {
  std::vector<std::string> lines;
  for (HeaderField field : headers) {
    lines.push_back(std::string(field.name).append(": ").append(field.value));
  }
  return lines;
}

inline std::string start_line_of(const RequestHeader& head) {
  std::string line(head.method().text());
  return line.append("|")
      .append(head.raw_target())
      .append("|")
      .append(head.path_and_query())
      .append("|")
      .append(to_string(head.version()))
      .append("|")
      .append(head.authority());
}

inline std::string start_line_of(const ResponseHeader& head) {
  std::string line(to_string(head.version()));
  return line.append("|")
      .append(std::to_string(int{head.status()}))
      .append("|")
      .append(head.reason_phrase());
}

/// Reads one message that arrives in pieces, as a session would.
template <class Header>
class MessageReader {
 public:
  explicit MessageReader(const ParserOptions& options = {}) : options_(options) {}

  Outcome read(std::span<const std::string_view> pieces) {
    for (std::string_view piece : pieces) {
      move_buffer();
      buffer_.append(piece);
      if (!is_over_) advance();
    }
    if (!is_over_ && has_head_) apply(decoder_.decode_eof());
    outcome_.rest = std::string(buffer_.view());
    if (outcome_.status > 0) outcome_.rest.clear();  // how much is left then is of no interest
    return std::move(outcome_);
  }

  const Header& head() const { return head_; }

 private:
  static constexpr bool kIsRequest = std::is_same_v<Header, RequestHeader>;

  void advance() {
    if (!has_head_ && !read_head()) return;
    while (!is_over_) {
      BodyEvent event = decoder_.decode(buffer_);
      if (event.kind == BodyEvent::Kind::NeedMore) return;
      apply(std::move(event));
    }
  }

  // To other memory, as happens when a head outgrows its block.
  void move_buffer() {
    Buffer moved;
    moved.append(buffer_.view());
    buffer_ = std::move(moved);
  }

  bool read_head() {
    ParseResult result;
    if constexpr (kIsRequest) {
      result = parse_request_head(buffer_, progress_, options_, head_);
    } else {
      result = parse_response_head(buffer_, progress_, options_, head_);
    }
    if (result.status == ParseStatus::NeedMore) return false;
    if (result.status == ParseStatus::Error) return end(result.error.status);
    has_head_ = true;
    outcome_.start_line = start_line_of(head_);
    outcome_.fields = lines_of(head_.headers());
    std::expected<Framing, ParseError> framing;
    if constexpr (kIsRequest) {
      framing = request_framing(head_);
    } else {
      framing = response_framing(head_, Method::Get, options_);
    }
    if (!framing) return end(framing.error().status);
    decoder_ =
        BodyDecoder(*framing, kIsRequest ? MessageRole::Request : MessageRole::Response, options_);
    return true;
  }

  void apply(BodyEvent event) {
    switch (event.kind) {
      case BodyEvent::Kind::Data:
        outcome_.body.append(event.data.view());
        if (event.is_last) end(0);
        break;
      case BodyEvent::Kind::NeedMore: break;
      case BodyEvent::Kind::Trailers:
        outcome_.trailers = lines_of(decoder_.take_trailers());
        end(0);
        break;
      case BodyEvent::Kind::End: end(0); break;
      case BodyEvent::Kind::Error: end(event.error.status); break;
    }
  }

  bool end(int status) {
    is_over_ = true;
    outcome_.status = status;
    return false;
  }

  ParserOptions options_;
  Buffer buffer_;
  HeadProgress progress_;
  Header head_;
  BodyDecoder decoder_;
  bool has_head_ = false;
  bool is_over_ = false;
  Outcome outcome_;
};

template <class Header>
Outcome read_whole(std::string_view bytes, const ParserOptions& options = {}) {
  return MessageReader<Header>(options).read({{bytes}});
}

template <class Header>
Outcome read_cut(std::string_view bytes, std::size_t at, const ParserOptions& options = {}) {
  std::string_view pieces[] = {bytes.substr(0, at), bytes.substr(at)};
  return MessageReader<Header>(options).read(pieces);
}

template <class Header>
Outcome read_dribbled(std::string_view bytes, std::size_t step, const ParserOptions& options = {}) {
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < bytes.size(); at += step) pieces.push_back(bytes.substr(at, step));
  return MessageReader<Header>(options).read(pieces);
}

}  // namespace pingora::h1::testing
