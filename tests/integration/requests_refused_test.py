# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Requests that are refused: each with its status, a closed connection, and nothing upstream.

A good request follows each of them in the same segment. It must not be answered, nor reach the
origin: what follows a request that was not understood has no meaning.
"""

import threading
from dataclasses import dataclass

from harness import Client, ProxyTest, add_cases, main

FOLLOWING = b"GET /following HTTP/1.1\r\nHost: test.example\r\n\r\n"
GET = b"GET / HTTP/1.1\r\n"
HOST = b"Host: test.example\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
EMPTY = b"0\r\n\r\n"


@dataclass
class Row:
    name: str
    raw: bytes
    status: int = 400


def line(name: str, request_line: bytes, status: int = 400) -> Row:
    return Row("request line: " + name, request_line + b"\r\n" + HOST + b"\r\n", status)


def field(name: str, raw: bytes, status: int = 400) -> Row:
    """One line among good ones."""
    return Row(name, GET + HOST + raw + b"\r\nAccept: */*\r\n\r\n", status)


def length(value: bytes) -> Row:
    return Row(f"Content-Length: {value!r}", POST + b"Content-Length: " + value + b"\r\n\r\na")


def coding(value: bytes, status: int = 400) -> Row:
    raw = POST + b"Transfer-Encoding:" + value + b"\r\n\r\n" + EMPTY
    return Row(f"Transfer-Encoding: {value!r}", raw, status)


def host(name: str, lines: bytes) -> Row:
    return Row("Host: " + name, GET + lines + b"\r\n", 400)


HEADS = [
    # Two lengths in one request.
    Row(
        "Content-Length beside Transfer-Encoding",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + EMPTY,
    ),
    Row(
        "Transfer-Encoding beside Content-Length",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + EMPTY,
    ),
    Row(
        "Content-Length: 0 beside Transfer-Encoding, other case",
        POST + b"content-length: 0\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\n" + EMPTY,
    ),
    Row(
        "Content-Length beside an unknown coding is refused, whatever the coding",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\nhello",
        400,
    ),
    Row(
        "Transfer-Encoding twice",
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + EMPTY,
    ),
    Row(
        "Transfer-Encoding twice, one of them identity",
        POST + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" + EMPTY,
    ),
    Row(
        "Transfer-Encoding in HTTP/1.0",
        b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + EMPTY,
    ),
    Row(
        "Transfer-Encoding in HTTP/1.0 with keep-alive",
        b"POST / HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + EMPTY,
    ),
    Row(
        "Content-Length twice, different",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ),
    Row("Content-Length twice, equal", POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na"),
    Row(
        "Content-Length twice, in another case and place",
        POST + b"Content-Length: 1\r\nAccept: */*\r\ncontent-length: 5\r\n\r\na",
    ),
    coding(b" chunked, identity"),
    coding(b" chunked, chunked"),
    coding(b" ,chunked"),
    coding(b" chunked,"),
    coding(b""),
    coding(b" chunked;q=1"),
    coding(b' "chunked"'),
    coding(b" chunked\x85"),
    coding(b" \xa0chunked"),
    coding(b" \x0bchunked"),
    coding(b" chunked\x0c"),
    coding(b" chun ked"),
    coding(b" chunked\x00"),
    coding(b" chunk\xe9d"),
    coding(b" xchunked", 501),
    coding(b" identity", 501),
    coding(b" gzip", 501),
    coding(b" gzip, chunked", 501),
    coding(b" deflate", 501),
    coding(b" cow", 501),
    length(b"1,1"),
    length(b"1, 1"),
    length(b""),
    length(b"+1"),
    length(b"-1"),
    length(b"0x1"),
    length(b"1_0"),
    length(b"1Z"),
    length(b"1 0"),
    length(b"1.0"),
    length(b"1e1"),
    length(b"\x0b1"),
    length(b"18446744073709551616"),
    length(b"18446744073709551617"),
    length(b"99999999999999999999999999"),
    length(b"\xd9\xa1"),
    length(b"'1'"),
    length(b"1;"),
    # Field lines.
    field("an empty field name", b": x"),
    field("a space before the colon", b"X-Y : x"),
    field("a space before the colon of Content-Length", b"Content-Length : 5"),
    field("a space before the colon of Transfer-Encoding", b"Transfer-Encoding : chunked"),
    field("a tab before the colon", b"Transfer-Encoding\t: chunked"),
    field("0x85 before the colon", b"Transfer-Encoding\x85: chunked"),
    field("0xA0 before the colon", b"Transfer-Encoding\xa0: chunked"),
    field("a line without a colon", b"Content-Length"),
    field("a bracket in a name", b"X(Y): x"),
    field("a quote in a name", b'"X": x'),
    field("a slash in a name", b"X/Y: x"),
    field("NUL in a name", b"X\0Y: x"),
    field("UTF-8 in a name", "Ünicode: x".encode()),
    field("a folded value", b"X: a\r\n b"),
    field("a value folded with a tab", b"X: a\r\n\tb"),
    field("a folded Transfer-Encoding", b"Transfer-Encoding:\r\n chunked"),
    Row("a space before the first field", GET + b" " + HOST + b"\r\n"),
    Row("a tab before the first field", GET + b"\t" + HOST + b"\r\n"),
    field("NUL in a value", b"X: a\0b"),
    field("a bare CR in a value", b"X: a\rb"),
    field("a bare CR before a field that would frame", b"X: a\rTransfer-Encoding: chunked"),
    field("a bare LF in a value", b"X: a\nContent-Length: 5"),
    field("0x01 in a value", b"X: a\x01b"),
    field("ESC in a value", b"X: \x1b[2J"),
    field("DEL in a value", b"X: \x7f"),
    field("CR CR LF", b"X: a\r"),
    # Line ends.
    Row("bare LF behind the request line", b"GET / HTTP/1.1\n" + HOST + b"\r\n"),
    Row("bare LF everywhere", b"GET / HTTP/1.1\nHost: test.example\n\n"),
    Row("bare LF as the empty line", GET + HOST + b"\n"),
    Row("bare CR behind the request line", b"GET / HTTP/1.1\r" + HOST + b"\r\n"),
    Row("bare CR as the empty line", GET + HOST + b"\r" + b"X: y\r\n\r\n"),
    Row("bare LF before the request", b"\n" + GET + HOST + b"\r\n"),
    # The request line.
    Row("HTTP/0.9", b"GET /\r\n"),
    line("version 0.9", b"GET / HTTP/0.9"),
    line("version 1.2", b"GET / HTTP/1.2"),
    line("version 1.32", b"GET / HTTP/1.32"),
    line("version 01.1", b"GET / HTTP/01.1"),
    line("version 4294967295.255", b"GET / HTTP/4294967295.255"),
    line("version 2.0", b"GET / HTTP/2.0", 505),
    line("version 3.0", b"GET / HTTP/3.0", 505),
    line("version without a number", b"GET / HTTP/"),
    line("version in lower case", b"GET / http/1.1"),
    line("another protocol", b"GET / RTSP/1.0"),
    line("a blank behind the version", b"GET / HTTP/1.1 "),
    line("more behind the version", b"GET / HTTP/1.1 HTTP/1.1"),
    line("two spaces behind the method", b"GET  / HTTP/1.1"),
    line("two spaces before the version", b"GET /  HTTP/1.1"),
    line("a tab as separator", b"GET\t/ HTTP/1.1"),
    line("a vertical tab as separator", b"GET /\x0bHTTP/1.1"),
    line("a space before the method", b" GET / HTTP/1.1"),
    line("a method with a bracket", b"GE(T / HTTP/1.1"),
    line("a method with a colon", b"GET: / HTTP/1.1"),
    line("no method", b"/ HTTP/1.1"),
    line("no target", b"GET HTTP/1.1"),
    line("a space in the target", b"GET /a b HTTP/1.1"),
    line("NUL in the target", b"GET /\0 HTTP/1.1"),
    line("a bare CR in the target", b"GET /\rx HTTP/1.1"),
    line("DEL in the target", b"GET /\x7f HTTP/1.1"),
    line("raw UTF-8 in the target", "GET /é HTTP/1.1".encode()),
    line("a relative target", b"GET index.html HTTP/1.1"),
    line("an asterisk for GET", b"GET * HTTP/1.1"),
    line("user information in the target", b"GET http://user@test.example/ HTTP/1.1"),
    line("no host in the target", b"GET http:///x HTTP/1.1"),
    line("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    line("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM"),
    host("missing", b"Accept: */*\r\n"),
    host("twice", b"Host: a.example\r\nHost: b.example\r\n"),
    host("twice, equal", b"Host: a.example\r\nhost: a.example\r\n"),
    host("empty", b"Host:\r\n"),
    host("a list", b"Host: a.example, b.example\r\n"),
    host("a list without blanks", b"Host: a.example,b.example\r\n"),
    host("user information", b"Host: user@a.example\r\n"),
    host("a path", b"Host: a.example/x\r\n"),
    host("a blank", b"Host: a.example b.example\r\n"),
    host("a port that is too large", b"Host: a.example:65536\r\n"),
    host("a port that is no number", b"Host: a.example:http\r\n"),
    host("a broken IPv6 address", b"Host: [::1\r\n"),
    Row(
        "Host: malformed, beside a good absolute-form target",
        b"GET http://a.example/ HTTP/1.1\r\nHost: b@c\r\n\r\n",
    ),
    # What is not offered, and what is too much.
    Row(
        "CONNECT where it is not offered",
        b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
        405,
    ),
    Row(
        "a request line of 8 KiB and a byte",
        b"GET /"
        + b"a" * (8 * 1024 + 1 - len(b"GET / HTTP/1.1"))
        + b" HTTP/1.1\r\n"
        + HOST
        + b"\r\n",
        414,
    ),
    Row("a request line without an end", b"GET /" + b"a" * 20000, 414),
    Row(
        "a head of more than 64 KiB",
        GET + HOST + b"".join(b"X-%d: %s\r\n" % (i, b"v" * 2000) for i in range(40)) + b"\r\n",
        431,
    ),
    Row("one field of more than 64 KiB", GET + HOST + b"X: " + b"v" * 70000 + b"\r\n\r\n", 431),
    Row("129 fields", GET + HOST + b"X: y\r\n" * 128 + b"\r\n", 431),
]


class Heads(ProxyTest):
    """Heads that are refused before anything goes upstream."""


def refuses(test: ProxyTest, row: Row) -> None:
    client = test.connect()
    client.send(row.raw + FOLLOWING)
    response = client.read_response()
    test.assertEqual(response.status, row.status)
    test.assertEqual(client.wait_for_end(), b"")
    test.ask_fence()
    test.assertEqual(test.origin.targets, ["/fence"])
    test.assertNotIn(b"/following", test.origin.received)


add_cases(Heads, HEADS, refuses)


class Slowly(ProxyTest):
    """The same, where each byte comes in a segment of its own."""


add_cases(
    Slowly,
    [row for row in HEADS if len(row.raw) < 80],
    lambda test, row: refuses_dribbled(test, row),
)


def refuses_dribbled(test: ProxyTest, row: Row) -> None:
    client = test.connect()
    try:
        client.send_slowly(row.raw)
    except OSError:
        pass  # refused before its end
    test.assertEqual(client.read_response().status, row.status)
    client.wait_for_end()
    test.ask_fence()
    test.assertEqual(test.origin.targets, ["/fence"])


# Bodies: the head was good.
BODIES = [
    Row("chunk size: 0x1", b"0x1\r\na\r\n" + EMPTY),
    Row("chunk size: +1", b"+1\r\na\r\n" + EMPTY),
    Row("chunk size: -1", b"-1\r\na\r\n" + EMPTY),
    Row("chunk size: 1_0", b"1_0\r\n" + b"a" * 16 + b"\r\n" + EMPTY),
    Row("chunk size: none", b"\r\na\r\n" + EMPTY),
    Row("chunk size: an extension without one", b";a=b\r\na\r\n" + EMPTY),
    Row("chunk size: a space before it", b" 1\r\na\r\n" + EMPTY),
    Row("chunk size: junk behind it", b"1x\r\na\r\n" + EMPTY),
    Row("chunk size: 17 digits", b"00000000000000001\r\na\r\n" + EMPTY),
    Row("chunk size: more than 64 bits", b"10000000000000001\r\na\r\n" + EMPTY),
    Row("chunk size: quotes", b'"1"\r\na\r\n' + EMPTY),
    Row("chunk size: LF behind it", b"1\na\r\n" + EMPTY),
    Row("chunk size: CR without LF behind it", b"1\ra\r\n" + EMPTY),
    Row("chunk data: LF behind it", b"1\r\na\n" + EMPTY),
    Row("chunk data: nothing behind it", b"1\r\na" + EMPTY),
    Row("chunk data: more than announced", b"1\r\nab\r\n" + EMPTY),
    Row("chunk data: CR and a byte behind it", b"1\r\na\rx" + EMPTY),
    Row("last chunk: LF behind it", b"0\n\r\n"),
    Row("last chunk: ends with LF", b"0\r\n\n"),
    Row("chunk extension: LF in it", b"1;a\nb\r\na\r\n" + EMPTY),
    Row("chunk extension: CR in it", b"1;a\rb\r\na\r\n" + EMPTY),
    Row("chunk extension: no token", b"1;a(b\r\na\r\n" + EMPTY),
    Row("chunk extension: NUL in it", b"1;a\0\r\na\r\n" + EMPTY),
    Row("chunk extension: of 20 KiB", b"1;" + b"a" * 20480 + b"\r\na\r\n" + EMPTY),
    Row("chunk extensions: of 20 KiB together", (b"1;" + b"a" * 1000 + b"\r\na\r\n") * 20 + EMPTY),
    Row("trailers: bare LF", b"0\r\nX: y\n\r\n"),
    Row("trailers: a folded one", b"0\r\nX: y\r\n z\r\n\r\n"),
    Row("trailers: no colon", b"0\r\nX\r\n\r\n"),
    Row("trailers: a space before the colon", b"0\r\nX : y\r\n\r\n"),
    Row("trailers: more than 8 KiB", b"0\r\nX: " + b"y" * 9000 + b"\r\n\r\n", 431),
]


class Bodies(ProxyTest):
    """Chunked bodies that are refused: the origin may have seen their beginning, never an end."""

    def assert_nothing_completed(self) -> None:
        self.ask_fence()
        whole = [request for request in self.origin.requests if request.is_complete]
        self.assertEqual([request.target for request in whole], ["/fence"])
        self.assertNotIn("/following", self.origin.targets)


def refuses_body(test: Bodies, row: Row) -> None:
    client = test.connect()
    client.send(CHUNKED + row.raw + FOLLOWING)
    test.assertEqual(client.read_response().status, row.status)
    test.assertEqual(client.wait_for_end(), b"")
    test.assert_nothing_completed()


add_cases(Bodies, BODIES, refuses_body)


class BodiesUnderWay(Bodies):
    """The same, when the origin has the head and the first chunk already."""


def refuses_body_under_way(test: Bodies, row: Row) -> None:
    has_beginning = threading.Event()

    def watch(connection) -> None:
        connection.read_request_head()
        connection.read_until(b"begin")
        has_beginning.set()
        connection.read_to_end()

    test.origin.next_connections(watch)
    with Client(test.port) as client:
        client.send(CHUNKED + b"5\r\nbegin\r\n")
        test.assertTrue(has_beginning.wait(15), "the beginning of the body did not arrive")
        client.send(row.raw + FOLLOWING)
        answer = client.wait_for_end()
    # An answer is possible, as nothing was answered yet; silence is allowed.
    test.assertIn(answer.split(b" ")[1:2], ([], [b"%d" % row.status]))
    test.assertEqual(answer.count(b"HTTP/1.1 "), 1 if answer else 0)
    upstream = test.origin.connections[0].received
    test.assertNotIn(b"\r\n0\r\n", upstream)
    test.assertNotIn(b"/following", upstream)
    test.assert_nothing_completed()


add_cases(BodiesUnderWay, BODIES, refuses_body_under_way)


class Limits(ProxyTest):
    """What is just within a limit passes."""

    def test_request_line(self):
        """a request line of 8 KiB"""
        target = b"/" + b"a" * (8 * 1024 - len(b"GET / HTTP/1.1"))
        response = self.ask(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        self.assertEqual(response.status, 200)
        self.assertEqual(self.origin.targets, [target.decode()])

    def test_fields(self):
        """128 fields"""
        self.assertEqual(self.ask(GET + HOST + b"X: y\r\n" * 127 + b"\r\n").status, 200)
        self.assertEqual(self.origin.requests[0].all("x"), ["y"] * 127)

    def test_head(self):
        """a head of 64 KiB"""
        fill = 64 * 1024 - len(GET + HOST + b"X: \r\n\r\n")
        self.assertEqual(self.ask(GET + HOST + b"X: " + b"v" * fill + b"\r\n\r\n").status, 200)
        self.assertEqual(len(self.origin.requests[0].first("x")), fill)

    def test_content_length_with_zeros(self):
        """a Content-Length with leading zeros is decimal, and written without them"""
        self.assertEqual(self.ask(POST + b"Content-Length: 0010\r\n\r\n0123456789").status, 200)
        self.assertEqual(self.origin.requests[0].body, b"0123456789")
        self.assertIn(self.origin.requests[0].first("content-length"), ("10", "0010"))


if __name__ == "__main__":
    main()
