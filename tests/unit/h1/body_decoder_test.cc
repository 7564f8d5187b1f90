// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h1/body_decoder.h"

#include <catch2/catch.hpp>
#include <string>

namespace pingora::h1 {
namespace {

using Kind = BodyEvent::Kind;

const ParserOptions kOptions;

BodyDecoder decoder_of(const Framing& framing) {
  return BodyDecoder(framing, MessageRole::Response, kOptions);
}

}  // namespace

TEST_CASE("H1 body decoder: data shares the memory of the buffer", "[h1]") {
  Buffer in;
  in.append("hello and more");
  const char* memory = in.view().data();
  BodyDecoder decoder = decoder_of(Framing::sized(5));
  CHECK(decoder.remaining() == 5);
  BodyEvent event = decoder.decode(in);
  CHECK(event.kind == Kind::Data);
  CHECK(event.is_last);
  CHECK(event.data == "hello");
  CHECK(event.data.data() == memory);
  CHECK(decoder.remaining() == 0);
  CHECK(decoder.decode(in).kind == Kind::End);
  CHECK(in.view() == " and more");
}

TEST_CASE("H1 body decoder: an empty body is over before it begins", "[h1]") {
  Buffer in;
  in.append("next");
  for (const Framing& framing : {Framing::none(), Framing::sized(0)}) {
    BodyDecoder decoder = decoder_of(framing);
    CHECK(decoder.is_done());
    CHECK(decoder.decode(in).kind == Kind::End);
    CHECK(decoder.decode_eof().kind == Kind::End);
  }
  CHECK(BodyDecoder().is_done());
  CHECK(in.size() == 4);
}

TEST_CASE("H1 body decoder: says with the last data that it is the last", "[h1]") {
  Buffer in;
  in.append("5\r\nhello\r\n0\r\n\r\nnext");
  BodyDecoder decoder = decoder_of(Framing::chunked());
  CHECK_FALSE(decoder.remaining().has_value());
  BodyEvent event = decoder.decode(in);
  CHECK(event.data == "hello");
  CHECK(event.is_last);
  CHECK(decoder.is_done());
  CHECK(in.view() == "next");
}

TEST_CASE("H1 body decoder: the end of the connection", "[h1]") {
  Buffer in;
  BodyDecoder until_close = decoder_of(Framing::until_close());
  in.append("ab");
  BodyEvent event = until_close.decode(in);
  CHECK(event.data == "ab");
  CHECK_FALSE(event.is_last);
  CHECK(until_close.decode(in).kind == Kind::NeedMore);
  CHECK(until_close.decode_eof().kind == Kind::End);
  CHECK(until_close.is_done());

  BodyDecoder sized = decoder_of(Framing::sized(3));
  in.append("ab");
  CHECK(sized.decode(in).data == "ab");
  BodyEvent cut = sized.decode_eof();
  CHECK(cut.kind == Kind::Error);
  CHECK(cut.error.status == 502);

  BodyDecoder chunked = decoder_of(Framing::chunked());
  in.append("2\r\nab\r\n0\r\n");
  while (chunked.decode(in).kind == Kind::Data) {
  }
  CHECK(chunked.decode_eof().kind == Kind::Error);
}

TEST_CASE("H1 body decoder: an error is for good", "[h1]") {
  Buffer in;
  in.append("x\r\n");
  BodyDecoder decoder = decoder_of(Framing::chunked());
  CHECK(decoder.decode(in).kind == Kind::Error);
  in.append("1\r\na\r\n0\r\n\r\n");
  CHECK(decoder.decode(in).kind == Kind::Error);
  CHECK(decoder.decode_eof().kind == Kind::Error);
  CHECK_FALSE(decoder.is_done());
}

TEST_CASE("H1 body decoder: chunks of the largest size", "[h1]") {
  Buffer in;
  in.append("ffffffffffffffff\r\nab");
  BodyDecoder decoder = decoder_of(Framing::chunked());
  CHECK(decoder.decode(in).data == "ab");
  CHECK(decoder.decode(in).kind == Kind::NeedMore);
}

TEST_CASE("H1 body decoder: hands the trailers over once", "[h1]") {
  Buffer in;
  in.append("0\r\nA: b\r\nCookie: c\r\n\r\nnext");
  BodyDecoder decoder = decoder_of(Framing::chunked());
  CHECK(decoder.decode(in).kind == Kind::Trailers);
  CHECK(in.view() == "next");
  in.reset();
  HeaderMap trailers = decoder.take_trailers();
  CHECK(trailers.size() == 1);
  CHECK(trailers.get("a") == "b");
  CHECK(decoder.take_trailers().empty());
  CHECK(decoder.decode(in).kind == Kind::End);
}

}  // namespace pingora::h1
