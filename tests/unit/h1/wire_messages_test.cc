// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "unit/h1/wire_messages.h"

#include <catch2/catch.hpp>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "pingora/h1/serializer.h"
#include "unit/h1/message_reader.h"

namespace pingora::h1::testing {
namespace {

template <class Header>
void check_whole(const WireMessage& message) {
  INFO(message.name);
  Outcome outcome = read_whole<Header>(message.bytes);
  CHECK(outcome.status == message.status);
  CHECK(outcome.body == message.body);
  CHECK(outcome.rest == message.rest);
}

template <class Header>
void check_every_cut(const WireMessage& message) {
  Outcome whole = read_whole<Header>(message.bytes);
  for (std::size_t at = 1; at < message.bytes.size(); ++at) {
    INFO(message.name << ", cut at " << at);
    Outcome cut = read_cut<Header>(message.bytes, at);
    REQUIRE(cut.status == whole.status);
    REQUIRE(cut == whole);
  }
}

template <class Header>
void check_dribbled(const WireMessage& message) {
  Outcome whole = read_whole<Header>(message.bytes);
  for (std::size_t step : {1, 2, 3, 7, 16}) {
    INFO(message.name << ", in steps of " << step);
    Outcome dribbled = read_dribbled<Header>(message.bytes, step);
    REQUIRE(dribbled == whole);
  }
}

void write(const RequestHeader& head, Buffer& out) {
  HeadEdits edits;
  edits.version = head.version();
  edits.target = WriteTarget::AsReceived;
  REQUIRE(write_request_head(head, edits, out).has_value());
}

void write(const ResponseHeader& head, Buffer& out) {
  HeadEdits edits;
  edits.version = head.version();
  REQUIRE(write_response_head(head, edits, out).has_value());
}

// The head written and read again is the same head; so is a clone of it, and the header moved.
template <class Header>
void check_round_trip(const WireMessage& message) {
  if (message.status != 0) return;
  INFO(message.name);
  MessageReader<Header> reader;
  Outcome whole = reader.read({{message.bytes}});
  Header clone = reader.head().clone();
  Header moved = std::move(clone);
  for (const Header* head : {&reader.head(), const_cast<const Header*>(&moved)}) {
    Buffer out;
    write(*head, out);
    Buffer again_in;
    again_in.append(out.view());
    HeadProgress progress;
    Header again;
    ParseResult result;
    if constexpr (std::is_same_v<Header, RequestHeader>) {
      result = parse_request_head(again_in, progress, {}, again);
    } else {
      result = parse_response_head(again_in, progress, {}, again);
    }
    REQUIRE(result.status == ParseStatus::Done);
    CHECK(again_in.empty());
    CHECK(start_line_of(again) == whole.start_line);
    CHECK(lines_of(again.headers()) == whole.fields);
  }
}

// A file for each message, named after it: two bytes that the fuzz targets read as cut and options,
// then the message from `from` on, or nothing if that does not occur in it.
void write_seeds(std::span<const WireMessage> messages, const std::string& folder,
                 std::string_view from) {
  std::filesystem::create_directories(folder);
  for (const WireMessage& message : messages) {
    std::size_t at = message.bytes.find(from);
    if (at == std::string_view::npos) continue;
    std::string file = folder + "/";
    for (char c : message.name)
      file.push_back(std::isalnum(c) != 0 || c == '+' || c == '-' || c == ',' ? c : '_');
    std::ofstream(file, std::ios::binary)
        << '\x80' << '\0' << message.bytes.substr(at + from.size());
  }
}

}  // namespace

// Run by hand after a change of the table, from the top of the tree: test_h1 "[write_seeds]"
TEST_CASE("H1 wire messages: written out as seeds of the fuzz targets", "[.write_seeds]") {
  write_seeds(kRequests, "tests/fuzz/corpus/request_head", "");
  write_seeds(kResponses, "tests/fuzz/corpus/response_head", "");
  write_seeds(kRequests, "tests/fuzz/corpus/chunked_body", "Transfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE("H1 wire messages: requests are accepted or refused as they should", "[h1]") {
  for (const WireMessage& message : kRequests) check_whole<RequestHeader>(message);
}

TEST_CASE("H1 wire messages: responses are accepted or refused as they should", "[h1]") {
  for (const WireMessage& message : kResponses) check_whole<ResponseHeader>(message);
}

TEST_CASE("H1 wire messages: it makes no difference where a message is cut", "[h1]") {
  for (const WireMessage& message : kRequests) check_every_cut<RequestHeader>(message);
  for (const WireMessage& message : kResponses) check_every_cut<ResponseHeader>(message);
}

TEST_CASE("H1 wire messages: it makes no difference how small the pieces are", "[h1]") {
  for (const WireMessage& message : kRequests) check_dribbled<RequestHeader>(message);
  for (const WireMessage& message : kResponses) check_dribbled<ResponseHeader>(message);
}

TEST_CASE("H1 wire messages: a head written and read again is the same", "[h1]") {
  for (const WireMessage& message : kRequests) check_round_trip<RequestHeader>(message);
  for (const WireMessage& message : kResponses) check_round_trip<ResponseHeader>(message);
}

TEST_CASE("H1 wire messages: what a trailer may not carry is dropped", "[h1]") {
  Outcome request = read_whole<RequestHeader>(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\nHost: b\r\n"
      "Transfer-Encoding: chunked\r\nAuthorization: c\r\nCookie: d\r\nX-Last: 2\r\n\r\n");
  CHECK(request.status == 0);
  CHECK(request.trailers == std::vector<std::string>{"X-Sum: 1", "X-Last: 2"});
}

}  // namespace pingora::h1::testing
