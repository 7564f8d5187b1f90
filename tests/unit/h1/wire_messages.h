// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

// The messages that every test of the codec reads: whole, cut at every byte, dribbled, written
// again, and as seeds for the fuzz targets.

namespace pingora::h1::testing {

struct WireMessage {
  /// What is special about it.
  std::string_view name;
  std::string_view bytes;
  /// What it is refused with, or 0.
  int status = 0;
  /// The decoded body.
  std::string_view body = {};
  /// What is left in the buffer.
  std::string_view rest = {};
};

using namespace std::string_view_literals;

#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

inline constexpr WireMessage kRequests[] = {
    // Accepted.
    {"the shortest", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"as wrk sends it",
     "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:6188\r\nUser-Agent: wrk/4.1.0\r\n"
     "Accept: */*\r\nConnection: keep-alive\r\n\r\n"sv},
    {"as a browser sends it",
     "GET /a/b?c=d&e=%20 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux "
     "x86_64) AppleWebKit/537.36\r\nAccept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n"
     "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en;q=0.5\r\nCookie: a=b; c=d\r\n"
     "Upgrade-Insecure-Requests: 1\r\nX-Unknown-Name: with a value\r\n\r\n"sv},
    {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n"sv},
    {"empty lines before it", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"blanks around values", GET "Host:  \t a \t \r\nAccept:x\r\nTE: \t \r\nX:\r\n\r\n"sv},
    {"duplicates and odd case", GET "hOST: a\r\nX-a: 1\r\nx-A: 2\r\nX-A: 3\r\n\r\n"sv},
    {"obs-text and tabs in values", GET "Host: a\r\nX: \x80\xff\tb\r\n\r\n"sv},
    {"all token characters in a name", GET "Host: a\r\n!#$%&'*+-.^_`|~09az: 1\r\n\r\n"sv},
    {"an unknown method", "FROB-1 /x HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"absolute-form", "GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"absolute-form without a path", "GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"absolute-form with another case and TLS", "GET HTTPS://b/x HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"OPTIONS absolute-form", "OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"CONNECT", "CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n"sv},
    {"an IPv6 host", GET "Host: [2001:db8::1]:80\r\n\r\n"sv},
    {"a body by Content-Length", POST "Content-Length: 5\r\n\r\nhello"sv, 0, "hello"sv},
    {"a body on GET", GET "Host: a\r\nContent-Length: 2\r\n\r\nhi"sv, 0, "hi"sv},
    {"a Content-Length with zeros before it",
     POST "Content-Length: 00000000000000000000010\r\n\r\n"
          "0123456789"sv,
     0, "0123456789"sv},
    {"a second request behind Content-Length: 0",
     POST "Content-Length: 0\r\n\r\nGET / HTTP/1.1\r\n"sv,
     0,
     {},
     "GET / HTTP/1.1\r\n"sv},
    {"more bytes than Content-Length", POST "Content-Length: 2\r\n\r\nabc"sv, 0, "ab"sv, "c"sv},
    {"a chunked body", CHUNKED "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"sv, 0, "hello world"sv},
    {"an empty chunked body", CHUNKED "0\r\n\r\n"sv},
    {"chunk sizes in odd spelling",
     CHUNKED "005\r\nhello\r\n00000000000000A\r\n0123456789\r\n"
             "0000\r\n\r\n"sv,
     0, "hello0123456789"sv},
    {"chunked in odd case, with blanks",
     POST "Transfer-Encoding:  cHuNkEd \t\r\n\r\n1\r\na\r\n0\r\n"
          "\r\n"sv,
     0, "a"sv},
    {"a CR in a quoted chunk extension",
     CHUNKED "1;a\r\na\r\n1 ; b = c ;d=\"e;\\\"\r\"\r\nb\r\n0;x=y\r\n\r\n"sv, 400, "a"sv},
    {"chunk extensions", CHUNKED "1;a\r\na\r\n1 ; b = c ;d=\"e;\\\"\"\r\nb\r\n0;x=y\r\n\r\n"sv, 0,
     "ab"sv},
    {"trailers", CHUNKED "1\r\na\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\nrest"sv, 0, "a"sv, "rest"sv},
    {"trailers that are all dropped", CHUNKED "1\r\na\r\n0\r\nContent-Length: 7\r\n\r\n"sv, 0,
     "a"sv},
    {"one byte behind a chunked body", CHUNKED "1\r\na\r\n0\r\n\r\nX"sv, 0, "a"sv, "X"sv},
    {"garbage behind Connection: close",
     GET "Host: a\r\nConnection: close\r\n\r\n\x01\x02"sv,
     0,
     {},
     "\x01\x02"sv},

    // Request lines.
    {"HTTP/0.9", "GET /\r\n\r\n"sv, 400},
    {"version 0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"sv, 400},
    {"version 1.32", "GET / HTTP/1.32\r\nHost: a\r\n\r\n"sv, 400},
    {"version 1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"sv, 400},
    {"version 2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"sv, 505},
    {"version 9.9", "GET / HTTP/9.9\r\nHost: a\r\n\r\n"sv, 505},
    {"version 4294967295.255", "GET / HTTP/4294967295.255\r\nHost: a\r\n\r\n"sv, 400},
    {"version without a dot", "GET / HTTP/11\r\nHost: a\r\n\r\n"sv, 400},
    {"version with letters", "GET / HTTP/x.1\r\nHost: a\r\n\r\n"sv, 400},
    {"version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"another protocol", "GET / ICAP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a blank behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"sv, 400},
    {"several spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"several spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a tab as separator", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a tab before the version", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a blank before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a method that is no token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"no method", "/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a bare CR in the target", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"DEL in the target", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a raw byte in the target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a relative target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"GET *", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"user information in the target", "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"no host in the target", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"CONNECT without a port", "CONNECT b HTTP/1.1\r\nHost: b\r\n\r\n"sv, 400},
    {"CONNECT to port 0", "CONNECT b:0 HTTP/1.1\r\nHost: b\r\n\r\n"sv, 400},
    {"CONNECT with a path", "CONNECT /x HTTP/1.1\r\nHost: b\r\n\r\n"sv, 400},
    {"too many empty lines", "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a bare CR before it", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv, 400},

    // Line ends.
    {"a bare LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"sv, 400},
    {"a bare LF behind a field", GET "Host: a\n\r\n"sv, 400},
    {"a bare LF as the empty line", GET "Host: a\r\n\n"sv, 400},
    {"a bare LF before it", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a bare CR behind a field", GET "Host: a\rX: b\r\n\r\n"sv, 400},
    {"a bare CR as the empty line", GET "Host: a\r\n\rX: b\r\n\r\n"sv, 400},
    {"CR CR LF", GET "Host: a\r\r\n\r\n"sv, 400},

    // Field names.
    {"an empty name", GET "Host: a\r\n: b\r\n\r\n"sv, 400},
    {"a space before the colon", GET "Host : a\r\n\r\n"sv, 400},
    {"a tab before the colon", GET "Host: a\r\nX\t: b\r\n\r\n"sv, 400},
    {"0x85 before the colon", GET "Host: a\r\nTransfer-Encoding\x85: chunked\r\n\r\n"sv, 400},
    {"0xa0 before the colon", GET "Host: a\r\nContent-Length\xa0: 1\r\n\r\n"sv, 400},
    {"no colon", GET "Host: a\r\nX\r\n\r\n"sv, 400},
    {"no colon in the last line", GET "Host: a\r\nX-No-Colon-In-A-Longer-Line\r\n\r\n"sv, 400},
    {"a name that is no token", GET "Host: a\r\nX(Y): b\r\n\r\n"sv, 400},
    {"a known name but for control bytes", GET "Host: a\r\nContent\rLength: 1\r\n\r\n"sv, 400},
    {"NUL in a name", GET "Host: a\r\nX\0Y: b\r\n\r\n"sv, 400},
    {"a blank before the first field", GET " Host: a\r\n\r\n"sv, 400},
    {"a tab before the first field", GET "\tHost: a\r\n\r\n"sv, 400},
    {"an obs-fold", GET "Host: a\r\nX: b\r\n c\r\n\r\n"sv, 400},
    {"an obs-fold with a tab", GET "Host: a\r\nX: b\r\n\tc\r\n\r\n"sv, 400},

    // Field values.
    {"NUL in a value", GET "Host: a\r\nX: a\0b\r\n\r\n"sv, 400},
    {"0x01 in a value", GET "Host: a\r\nX: a\x01\r\n\r\n"sv, 400},
    {"DEL in a value", GET "Host: a\r\nX: a\x7f\r\n\r\n"sv, 400},
    {"ESC late in a long value", GET "Host: a\r\nX: 0123456789012345678901234567890\x1b\r\n\r\n"sv,
     400},

    // Host.
    {"no Host", GET "X: a\r\n\r\n"sv, 400},
    {"a repeated Host", GET "Host: a\r\nHost: a\r\n\r\n"sv, 400},
    {"a repeated Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"sv, 400},
    {"an empty Host", GET "Host:\r\n\r\n"sv, 400},
    {"a list as Host", GET "Host: a, b\r\n\r\n"sv, 400},
    {"a list as Host without blanks", GET "Host: a,b\r\n\r\n"sv, 400},
    {"user information in Host", GET "Host: u@a\r\n\r\n"sv, 400},
    {"a path in Host", GET "Host: a/b\r\n\r\n"sv, 400},
    {"a blank in Host", GET "Host: a b\r\n\r\n"sv, 400},
    {"a bad port in Host", GET "Host: a:65536\r\n\r\n"sv, 400},
    {"a sign in Host's port", GET "Host: a:+80\r\n\r\n"sv, 400},
    {"a bad IPv6 address in Host", GET "Host: [1:2]\r\n\r\n"sv, 400},
    {"an IPv6 zone in Host", GET "Host: [fe80::1%25eth0]\r\n\r\n"sv, 400},
    {"no bracket in Host", GET "Host: [::1\r\n\r\n"sv, 400},
    {"absolute-form with another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"absolute-form with a websocket scheme", "GET ws://a/ HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"absolute-form with the beginning of a scheme", "GET htt://a/ HTTP/1.1\r\nHost: a\r\n\r\n"sv,
     400},
    {"a malformed Host beside absolute-form", "GET http://a/ HTTP/1.1\r\nHost: a@b\r\n\r\n"sv, 400},

    // Framing.
    {"Content-Length and Transfer-Encoding",
     POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, 400},
    {"Transfer-Encoding and Content-Length",
     POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"sv, 400},
    {"Transfer-Encoding in HTTP/1.0",
     "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, 400},
    {"Transfer-Encoding twice",
     POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, 400},
    {"Transfer-Encoding twice, identity",
     POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"sv, 400},
    {"chunked, identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"sv, 400},
    {"chunked twice in a list", POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"sv, 400},
    {",chunked", POST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"sv, 400},
    {"chunked,", POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"sv, 400},
    {"an empty Transfer-Encoding", POST "Transfer-Encoding:\r\n\r\n"sv, 400},
    {"a parameter on chunked", POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"sv, 400},
    {"quotes around chunked", POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"sv, 400},
    {"0x85 behind chunked", POST "Transfer-Encoding: chunked\x85\r\n\r\n0\r\n\r\n"sv, 400},
    {"0xa0 before chunked",
     POST "Transfer-Encoding: \xa0"
          "chunked\r\n\r\n0\r\n\r\n"sv,
     400},
    {"0x0b before chunked",
     POST "Transfer-Encoding: \x0b"
          "chunked\r\n\r\n0\r\n\r\n"sv,
     400},
    {"an inner blank in chunked", POST "Transfer-Encoding: chun ked\r\n\r\n0\r\n\r\n"sv, 400},
    {"xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n"sv, 501},
    {"identity", POST "Transfer-Encoding: identity\r\n\r\n"sv, 501},
    {"gzip", POST "Transfer-Encoding: gzip\r\n\r\n"sv, 501},
    {"gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"sv, 501},
    {"Content-Length twice", POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"sv, 400},
    {"Content-Length twice, equal", POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"sv, 400},
    {"Content-Length 1,1", POST "Content-Length: 1,1\r\n\r\na"sv, 400},
    {"an empty Content-Length", POST "Content-Length:\r\n\r\n"sv, 400},
    {"Content-Length +1", POST "Content-Length: +1\r\n\r\na"sv, 400},
    {"Content-Length -1", POST "Content-Length: -1\r\n\r\na"sv, 400},
    {"Content-Length 0x1", POST "Content-Length: 0x1\r\n\r\na"sv, 400},
    {"Content-Length 1_0", POST "Content-Length: 1_0\r\n\r\n0123456789"sv, 400},
    {"Content-Length 1Z", POST "Content-Length: 1Z\r\n\r\na"sv, 400},
    {"Content-Length 1 0", POST "Content-Length: 1 0\r\n\r\n0123456789"sv, 400},
    {"Content-Length 1.0", POST "Content-Length: 1.0\r\n\r\na"sv, 400},
    {"Content-Length of 65 bits", POST "Content-Length: 18446744073709551616\r\n\r\n"sv, 400},
    {"Content-Length far too large", POST "Content-Length: 99999999999999999999999\r\n\r\n"sv, 400},

    // Chunks.
    {"chunk size 0x1", CHUNKED "0x1\r\na\r\n0\r\n\r\n"sv, 400},
    {"chunk size +1", CHUNKED "+1\r\na\r\n0\r\n\r\n"sv, 400},
    {"chunk size -1", CHUNKED "-1\r\na\r\n0\r\n\r\n"sv, 400},
    {"chunk size 1_0", CHUNKED "1_0\r\n0123456789abcdef\r\n0\r\n\r\n"sv, 400},
    {"an empty chunk size", CHUNKED "\r\na\r\n0\r\n\r\n"sv, 400},
    {"an extension without a size", CHUNKED ";a=b\r\na\r\n0\r\n\r\n"sv, 400},
    {"a blank before the chunk size", CHUNKED " 1\r\na\r\n0\r\n\r\n"sv, 400},
    {"a blank behind the chunk size", CHUNKED "1 \r\na\r\n0\r\n\r\n"sv, 400},
    {"junk behind the chunk size", CHUNKED "1g\r\na\r\n0\r\n\r\n"sv, 400},
    {"17 hexadecimal digits", CHUNKED "00000000000000001\r\na\r\n0\r\n\r\n"sv, 400},
    {"LF behind the chunk size", CHUNKED "1\na\r\n0\r\n\r\n"sv, 400},
    {"CR alone behind the chunk size", CHUNKED "1\ra\r\n0\r\n\r\n"sv, 400},
    {"LF behind chunk data", CHUNKED "1\r\na\n0\r\n\r\n"sv, 400, "a"sv},
    {"more data than the chunk size", CHUNKED "1\r\nab\r\n0\r\n\r\n"sv, 400, "a"sv},
    {"no line end behind chunk data", CHUNKED "1\r\na0\r\n\r\n"sv, 400, "a"sv},
    {"CR and a byte behind chunk data", CHUNKED "1\r\na\rX0\r\n\r\n"sv, 400, "a"sv},
    {"LF behind the last chunk", CHUNKED "0\n\r\n"sv, 400},
    {"LF as the end of the body", CHUNKED "0\r\n\n"sv, 400},
    {"CR and a byte as the end", CHUNKED "0\r\n\rX"sv, 400},
    {"an extension with LF in it", CHUNKED "1;a\nb\r\na\r\n0\r\n\r\n"sv, 400},
    {"an extension with a bare CR in it", CHUNKED "1;a=\rb\r\na\r\n0\r\n\r\n"sv, 400},
    {"an extension without a name", CHUNKED "1;\r\na\r\n0\r\n\r\n"sv, 400},
    {"an extension without a value", CHUNKED "1;a=\r\na\r\n0\r\n\r\n"sv, 400},
    {"an extension that is no token", CHUNKED "1;a(b\r\na\r\n0\r\n\r\n"sv, 400},
    {"an extension with an open quote", CHUNKED "1;a=\"b\r\na\r\n0\r\n\r\n"sv, 400},
    {"two words in an extension", CHUNKED "1;a b\r\na\r\n0\r\n\r\n"sv, 400},
    {"bare LF in trailers", CHUNKED "0\r\nX: a\n\r\n"sv, 400},
    {"a fold in trailers", CHUNKED "0\r\nX: a\r\n b\r\n\r\n"sv, 400},
    {"a trailer without a colon", CHUNKED "0\r\nX\r\n\r\n"sv, 400},
};

#define OK "HTTP/1.1 200 OK\r\n"
#define OK_CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

/// Responses to GET. One that ends with the connection is given all of its bytes.
inline constexpr WireMessage kResponses[] = {
    {"as nginx sends it",
     "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
     "Content-Type: text/plain\r\nContent-Length: 5\r\nConnection: keep-alive\r\n"
     "X-Unknown: yes\r\n\r\nhello"sv,
     0, "hello"sv},
    {"until the connection closes", OK "X: a\r\n\r\nall of this"sv, 0, "all of this"sv},
    {"no field at all", "HTTP/1.1 204 No Content\r\n\r\n"sv},
    {"no reason phrase", "HTTP/1.1 204 \r\n\r\n"sv},
    {"no space before no reason phrase", "HTTP/1.1 204\r\n\r\n"sv},
    {"a reason phrase of its own", "HTTP/1.1 204 All \xe9 well\tso far\r\n\r\n"sv},
    {"a status without a class", "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"sv},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nbody"sv, 0, "body"sv},
    {"304 with a length",
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nnext"sv,
     0,
     {},
     "next"sv},
    {"100 before a response",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"sv,
     0,
     {},
     "HTTP/1.1 200 OK\r\n"sv},
    {"more bytes than Content-Length", OK "Content-Length: 1\r\n\r\nab"sv, 0, "a"sv, "b"sv},
    {"a chunked body with trailers",
     OK_CHUNKED "3\r\nabc\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n"sv, 0, "abc"sv},
    {"an empty line before it", "\r\nHTTP/1.1 200 OK\r\n\r\n"sv, 502},
    {"version 2.0", "HTTP/2.0 200 OK\r\n\r\n"sv, 502},
    {"version 1.10", "HTTP/1.10 200 OK\r\n\r\n"sv, 502},
    {"another protocol", "ICY 200 OK\r\n\r\n"sv, 502},
    {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"sv, 502},
    {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"sv, 502},
    {"status 099", "HTTP/1.1 099 OK\r\n\r\n"sv, 502},
    {"a status with letters", "HTTP/1.1 2x0 OK\r\n\r\n"sv, 502},
    {"two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n"sv, 502},
    {"a tab behind the status", "HTTP/1.1 200\tOK\r\n\r\n"sv, 502},
    {"NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n"sv, 502},
    {"a bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"sv, 502},
    {"a bare LF behind the status line", "HTTP/1.1 200 OK\nX: a\r\n\r\n"sv, 502},
    {"a bare LF behind a field", OK "X: a\n\r\n"sv, 502},
    {"a space before the colon", OK "Content-Length : 1\r\n\r\na"sv, 502},
    {"an obs-fold", OK "X: a\r\n b\r\n\r\n"sv, 502},
    {"a blank before the first field", OK " X: a\r\n\r\n"sv, 502},
    {"no colon", OK "X\r\n\r\n"sv, 502},
    {"NUL in a value", OK "X: a\0\r\n\r\n"sv, 502},
    {"Content-Length and Transfer-Encoding",
     OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, 502},
    {"Transfer-Encoding in HTTP/1.0",
     "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"sv, 502},
    {"gzip, chunked", OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"sv, 502},
    {"chunked, identity", OK "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"sv, 502},
    {"xchunked", OK "Transfer-Encoding: xchunked\r\n\r\n"sv, 502},
    {"Content-Length twice", OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"sv, 502},
    {"Content-Length 1,1", OK "Content-Length: 1,1\r\n\r\na"sv, 502},
    {"Content-Length -1", OK "Content-Length: -1\r\n\r\na"sv, 502},
    {"a bad Content-Length on 304", "HTTP/1.1 304 OK\r\nContent-Length: x\r\n\r\n"sv, 502},
    {"chunk size 0x1", OK_CHUNKED "0x1\r\na\r\n0\r\n\r\n"sv, 502},
    {"LF behind the chunk size", OK_CHUNKED "1\na\r\n0\r\n\r\n"sv, 502},
    {"more data than the chunk size", OK_CHUNKED "1\r\nab\r\n0\r\n\r\n"sv, 502, "a"sv},
    {"a bad trailer", OK_CHUNKED "0\r\nX a\r\n\r\n"sv, 502},
};

#undef GET
#undef POST
#undef CHUNKED
#undef OK
#undef OK_CHUNKED

}  // namespace pingora::h1::testing
