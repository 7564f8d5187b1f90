# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Responses that are refused: 502, and the connection to the origin is never used again.

Where the fault shows behind a head that was good, the client has that head already: what it gets
then has no proper end.
"""

import threading
from dataclasses import dataclass

from harness import DEADLINE, ProxyTest, add_cases, answer, main

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
EMPTY = b"0\r\n\r\n"
# The example of RFC 6455 §1.3.
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: test.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\n"


@dataclass
class Row:
    name: str
    raw: bytes
    request: bytes = b"GET /first HTTP/1.1\r\nHost: test.example\r\n\r\n"


def field(name: str, raw: bytes) -> Row:
    return Row(name, OK + b"Server: x\r\n" + raw + b"\r\nContent-Length: 2\r\n\r\nhi")


HEADS = [
    Row(
        "Content-Length beside Transfer-Encoding",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + EMPTY,
    ),
    Row(
        "Transfer-Encoding beside Content-Length: 0",
        OK + b"transfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n" + EMPTY,
    ),
    Row(
        "Transfer-Encoding in HTTP/1.0",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + EMPTY,
    ),
    Row(
        "Transfer-Encoding twice",
        OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + EMPTY,
    ),
    Row(
        "Transfer-Encoding: chunked, chunked",
        OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + EMPTY,
    ),
    Row(
        "Transfer-Encoding: chunked, identity",
        OK + b"Transfer-Encoding: chunked, identity\r\n\r\n" + EMPTY,
    ),
    Row(
        "Transfer-Encoding: gzip, chunked", OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + EMPTY
    ),
    Row("Transfer-Encoding: xchunked", OK + b"Transfer-Encoding: xchunked\r\n\r\n" + EMPTY),
    Row("Transfer-Encoding: identity", OK + b"Transfer-Encoding: identity\r\n\r\nbody"),
    Row(
        "Transfer-Encoding: chunked with 0x85",
        OK + b"Transfer-Encoding: chunked\x85\r\n\r\n" + EMPTY,
    ),
    Row("Transfer-Encoding: nothing", OK + b"Transfer-Encoding:\r\n\r\n" + EMPTY),
    Row("Content-Length twice, equal", OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na"),
    Row("Content-Length twice, different", OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\na"),
    Row("Content-Length: 1,1", OK + b"Content-Length: 1,1\r\n\r\na"),
    Row("Content-Length: -1", OK + b"Content-Length: -1\r\n\r\na"),
    Row("Content-Length: +1", OK + b"Content-Length: +1\r\n\r\na"),
    Row("Content-Length: 0x1", OK + b"Content-Length: 0x1\r\n\r\na"),
    Row("Content-Length: empty", OK + b"Content-Length:\r\n\r\n"),
    Row("Content-Length: a word", OK + b"Content-Length: many\r\n\r\na"),
    Row("Content-Length: 65 bits", OK + b"Content-Length: 18446744073709551616\r\n\r\na"),
    Row(
        "Content-Length: malformed, on a 304",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: x\r\n\r\n",
    ),
    Row("HTTP/0.9", b"hello\r\n\r\n"),
    Row("an empty line before the status line", b"\r\n" + OK + b"Content-Length: 0\r\n\r\n"),
    Row("status line: version 2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: version 1.10", b"HTTP/1.10 200 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: another protocol", b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: lower case", b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: no status", b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: two digits", b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: four digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: 000", b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: 099", b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: letters in the status", b"HTTP/1.1 2O0 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: two spaces", b"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: a tab", b"HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: NUL in the reason", b"HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: CR in the reason", b"HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n"),
    Row("status line: of 9 KiB", b"HTTP/1.1 200 " + b"K" * 9216 + b"\r\nContent-Length: 0\r\n\r\n"),
    Row("bare LF behind the status line", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
    Row("bare LF as the empty line", OK + b"Content-Length: 0\r\n\n"),
    Row("a request", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    field("NUL in a value", b"X: a\0b"),
    field("a bare CR in a value", b"X: a\rb"),
    field("a bare CR before a field that would frame", b"X: a\rTransfer-Encoding: chunked"),
    field("a bare LF behind a value", b"X: a\nY: b"),
    field("a control byte in a value", b"X: \x02"),
    field("a space before the colon", b"X : a"),
    field("a space before the colon of Transfer-Encoding", b"Transfer-Encoding : chunked"),
    field("0xA0 before the colon", b"Transfer-Encoding\xa0: chunked"),
    field("an empty name", b": a"),
    field("a bracket in a name", b"X[: a"),
    field("a line without a colon", b"X"),
    field("a folded value", b"X: a\r\n b"),
    Row("a space before the first field", OK + b" X: a\r\nContent-Length: 0\r\n\r\n"),
    Row("a head of more than 64 KiB", OK + b"X: " + b"v" * 70000 + b"\r\n\r\n"),
    Row("129 fields", OK + b"X: v\r\n" * 128 + b"Content-Length: 0\r\n\r\n"),
    Row(
        "a bad head behind a good 103",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
    ),
    Row(
        "a 103 with a bad field",
        b"HTTP/1.1 103 Early Hints\r\nX : a\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    ),
    Row(
        "17 informational responses",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 17 + OK + b"Content-Length: 2\r\n\r\nhi",
    ),
    Row(
        "101 that nobody asked for",
        SWITCHING + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ),
    Row(
        "101 with a wrong Sec-WebSocket-Accept",
        SWITCHING + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
        UPGRADE,
    ),
    Row(
        "101 without Sec-WebSocket-Accept",
        SWITCHING + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        UPGRADE,
    ),
    Row(
        "101 with Sec-WebSocket-Accept twice",
        SWITCHING + b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + ACCEPT + ACCEPT + b"\r\n",
        UPGRADE,
    ),
    Row(
        "101 to another protocol",
        SWITCHING + b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + ACCEPT + b"\r\n",
        UPGRADE,
    ),
    Row("101 without Upgrade", SWITCHING + b"Connection: Upgrade\r\n" + ACCEPT + b"\r\n", UPGRADE),
    Row(
        "101 behind a request with Upgrade but without Connection",
        SWITCHING + b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + ACCEPT + b"\r\n",
        UPGRADE.replace(b"Connection: Upgrade\r\n", b""),
    ),
]


class RefusedResponses(ProxyTest):
    def play(self, raw: bytes, then_close: bool = False):
        """The next connection answers its first request with `raw`; gives an event of its end,
        which the proxy makes unless `then_close`."""
        ended = threading.Event()

        def script(connection):
            connection.read_request()
            connection.send(raw)
            if not then_close:
                connection.read_to_end()
                ended.set()

        self.origin.next_connections(script)
        return ended

    def assert_never_reused(self, ended: threading.Event, requests: int = 1) -> None:
        """The proxy has closed the first connection, which carried no more than its request."""
        self.ask_fence()
        self.assertTrue(ended.wait(DEADLINE), "the proxy keeps the connection to the origin")
        self.assertEqual(len(self.origin.connections), 2)
        self.assertEqual(len(self.origin.connections[0].requests), requests)
        self.assertEqual(self.origin.connections[1].requests[0].target, "/fence")


class Heads(RefusedResponses):
    """Heads that become a 502."""


def becomes_502(test: RefusedResponses, row: Row) -> None:
    ended = test.play(row.raw)
    client = test.connect()
    response = client.exchange(row.request)
    test.assertEqual(response.status, 502)
    test.assertTrue(response.is_complete)
    test.assertNotIn(b"hi", response.body)
    test.assert_never_reused(ended)


add_cases(Heads, HEADS, becomes_502)


class CutHeads(RefusedResponses):
    """Heads that the origin does not finish: 502, once, and no second try of the request."""


def cut_becomes_502(test: RefusedResponses, row: Row) -> None:
    test.play(row.raw, then_close=True)
    client = test.connect()
    response = client.exchange(
        b"POST /first HTTP/1.1\r\nHost: test.example\r\nContent-Length: 0\r\n\r\n"
    )
    test.assertEqual(response.status, 502)
    test.assertEqual(test.origin.targets, ["/first"])


add_cases(
    CutHeads,
    [
        Row("nothing at all", b""),
        Row("half a status line", b"HTTP/1.1 20"),
        Row("a status line", OK),
        Row("half a field", OK + b"Content-Len"),
        Row("all but the last LF", OK + b"Content-Length: 0\r\n\r"),
        Row("a 100 and nothing else", b"HTTP/1.1 100 Continue\r\n\r\n"),
        Row("a 103 and half a head", b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK),
    ],
    cut_becomes_502,
)


class Bodies(RefusedResponses):
    """Bodies that break: the client has the head and sees that the rest is missing."""


def is_cut_short(test: RefusedResponses, row: Row) -> None:
    ended = test.play(row.raw)
    client = test.connect()
    client.send(row.request)
    response = client.read_response()
    if response.status == 502:  # nothing of it had gone out yet
        test.assertTrue(response.is_complete)
    else:
        test.assertEqual(response.status, 200)
        test.assertFalse(response.is_complete, response)
        test.assertEqual(client.wait_for_end(), b"")
    test.assert_never_reused(ended)


CHUNKS = [
    Row("chunk size: 0x1", CHUNKED + b"0x1\r\na\r\n" + EMPTY),
    Row("chunk size: +1", CHUNKED + b"+1\r\na\r\n" + EMPTY),
    Row("chunk size: -1", CHUNKED + b"-1\r\na\r\n" + EMPTY),
    Row("chunk size: none", CHUNKED + b"\r\na\r\n" + EMPTY),
    Row("chunk size: a space before it", CHUNKED + b" 1\r\na\r\n" + EMPTY),
    Row("chunk size: 17 digits", CHUNKED + b"00000000000000001\r\na\r\n" + EMPTY),
    Row("chunk size: LF behind it", CHUNKED + b"1\na\r\n" + EMPTY),
    Row("chunk data: more than announced", CHUNKED + b"1\r\nab\r\n" + EMPTY),
    Row("chunk data: LF behind it", CHUNKED + b"1\r\na\n" + EMPTY),
    Row("chunk extension: a control byte", CHUNKED + b"1;\x01\r\na\r\n" + EMPTY),
    Row("last chunk: LF behind it", CHUNKED + b"1\r\na\r\n0\n\r\n"),
    Row("trailers: no colon", CHUNKED + b"1\r\na\r\n0\r\nX\r\n\r\n"),
    Row("trailers: bare LF", CHUNKED + b"1\r\na\r\n0\r\nX: y\n\r\n"),
    Row("trailers: more than 8 KiB", CHUNKED + b"1\r\na\r\n0\r\nX: " + b"y" * 9000 + b"\r\n\r\n"),
]
add_cases(Bodies, CHUNKS, is_cut_short)


class CutBodies(RefusedResponses):
    """Bodies that the origin does not finish."""


def cut_is_seen(test: RefusedResponses, row: Row) -> None:
    test.play(row.raw, then_close=True)
    client = test.connect()
    client.send(row.request)
    response = client.read_response()
    test.assertEqual(response.status, 200)
    test.assertFalse(response.is_complete, response)
    test.assertEqual(client.wait_for_end(), b"")
    test.ask_fence()


add_cases(
    CutBodies,
    [
        Row("Content-Length: a byte is missing", OK + b"Content-Length: 3\r\n\r\nab"),
        Row("Content-Length: everything is missing", OK + b"Content-Length: 3\r\n\r\n"),
        Row("chunked: no last chunk", CHUNKED + b"1\r\na\r\n"),
        Row("chunked: half a chunk", CHUNKED + b"5\r\nhal"),
        Row("chunked: half a size", CHUNKED + b"1\r\na\r\n1"),
        Row("chunked: half the end", CHUNKED + b"1\r\na\r\n0\r\n"),
        Row("chunked: half a trailer", CHUNKED + b"1\r\na\r\n0\r\nX: y\r\n"),
    ],
    cut_is_seen,
)


class Surplus(RefusedResponses):
    """Bytes that belong to no response: what was asked for is delivered, the rest never is."""


def surplus_is_dropped(test: RefusedResponses, row: Row) -> None:
    ended = test.play(row.raw)
    client = test.connect()
    response = client.exchange(row.request, method=row.request.split(b" ")[0].decode())
    test.assertEqual(response.status // 100 in (2, 3), True)
    test.assertTrue(response.is_complete)
    # The same client goes on; nobody must meet what was left.
    test.assertEqual(client.get("/second").body, b"hello")
    test.assertNotIn(b"evil", bytes(client.received))
    test.assertTrue(ended.wait(DEADLINE), "the proxy keeps the connection to the origin")
    test.assertEqual(test.origin.targets[1:], ["/second"])
    test.assertEqual(len(test.origin.connections), 2)


EVIL = OK + b"Content-Length: 4\r\n\r\nevil"
add_cases(
    Surplus,
    [
        Row("more bytes than Content-Length", OK + b"Content-Length: 2\r\n\r\nhievil"),
        Row("a second response behind the first", OK + b"Content-Length: 2\r\n\r\nhi" + EVIL),
        Row("a second response behind a chunked one", CHUNKED + b"2\r\nhi\r\n" + EMPTY + EVIL),
        Row("a line end behind a chunked one", CHUNKED + b"2\r\nhi\r\n" + EMPTY + b"\r\n"),
        Row("a body on a 204", b"HTTP/1.1 204 No Content\r\n\r\nevil"),
        Row("a body on a 304", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil"),
        Row(
            "a body on the answer to HEAD",
            OK + b"Content-Length: 4\r\n\r\nevil",
            b"HEAD /first HTTP/1.1\r\nHost: test.example\r\n\r\n",
        ),
    ],
    surplus_is_dropped,
)


class IdleConnections(RefusedResponses):
    """What an origin says on a connection that nobody uses."""

    def idle_bytes(self, raw: bytes) -> None:
        speak, ended = threading.Event(), threading.Event()

        def script(connection):
            connection.read_request()
            answer(b"first")(connection, connection.requests[0])
            speak.wait(DEADLINE)
            connection.send(raw)
            connection.read_to_end()
            ended.set()

        self.origin.next_connections(script)
        client = self.connect()
        self.assertEqual(client.get("/first").body, b"first")
        speak.set()
        self.assertTrue(ended.wait(DEADLINE), "the proxy keeps an idle connection that has spoken")
        self.assertEqual(client.get("/second").body, b"hello")
        self.assertEqual([len(each.requests) for each in self.origin.connections], [1, 1])

    def test_a_response(self):
        """a whole response discards the connection"""
        self.idle_bytes(EVIL)

    def test_one_byte(self):
        """one byte discards the connection"""
        self.idle_bytes(b"H")

    def test_408(self):
        """a 408 for the idleness discards the connection"""
        self.idle_bytes(
            b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )

    def test_response_to_the_next_request(self):
        """a response in the segment of the one before is not the next request's"""
        ended = self.play(OK + b"Content-Length: 2\r\n\r\nhi" + EVIL)
        first, second = self.connect(), self.connect()
        self.assertEqual(first.get("/first").body, b"hi")
        self.assertEqual(second.get("/second").body, b"hello")
        self.assertTrue(ended.wait(DEADLINE))


class Limits(RefusedResponses):
    """What is just within a limit passes."""

    def test_informational(self):
        """16 informational responses"""
        self.play(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 16 + EVIL)
        client = self.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: test.example\r\n\r\n")
        self.assertEqual([client.read_response().status for _ in range(17)], [103] * 16 + [200])

    def test_fields(self):
        """128 fields"""
        response = self.ask(
            b"GET / HTTP/1.1\r\nHost: test.example\r\n\r\n", answer(b"x", *["X: y"] * 127)
        )
        self.assertEqual((response.status, response.all("x")), (200, ["y"] * 127))


if __name__ == "__main__":
    main()
