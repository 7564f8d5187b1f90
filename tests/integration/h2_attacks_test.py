# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""What HTTP/2 is attacked with: malformed requests that a translation to HTTP/1.1 must not let
through, and floods. The connection ends with the right error, memory stays bounded, another client
is answered all the while, and nothing of what is refused reaches the origin."""

import contextlib
import sys
import threading
import time
import unittest
from collections.abc import Callable
from dataclasses import dataclass

from harness import (
    DEADLINE,
    Client,
    Origin,
    Program,
    add_cases,
    answer,
    is_instrumented,
    main,
    start_proxy,
)
from harness.h2_attacker import (
    CANCEL,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    GET,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    STREAM_CLOSED,
    Attacker,
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Fields,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from harness.program import waits_for_cores

POST = [(":method", "POST"), *GET[1:]]
PATH = (":path", "/refused")
GOOD = [*GET, PATH]
# What a connection may make the proxy hold (EngineOptions::memory_bytes_max), and what else grows
# with the first connections of a process.
MEMORY_KIB_MAX = (16 + 8) * 1024
# Another client has its answer within this, in seconds, not counting what the machine kept the
# proxy, or this test with its origin, from running. What it does not tell is how long the threads
# of this process keep each other from running: for that, one in a hundred may take longer.
ANSWER_SOON, ANSWER_EVER = 0.1, 1.0


class Bystander:
    """Another client, which asks on and on."""

    def __init__(self, proxy: Program, port: int):
        self.proxy = proxy
        self.port = port
        self.slowest = 0.0
        self.slow = 0
        self.answers = 0
        self.failures: list[str] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Bystander":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(DEADLINE)

    def _run(self) -> None:
        try:
            with Client(self.port) as client:
                while not self._is_over.wait(0.005):
                    waited = self._waits_for_cores()
                    began = time.monotonic()
                    response = client.get("/bystander")
                    took = time.monotonic() - began
                    if took > ANSWER_SOON:
                        now = self._waits_for_cores()
                        took -= sum(now[each] - waited[each] for each in now if each in waited)
                    self.slowest = max(self.slowest, took)
                    self.slow += took > ANSWER_SOON
                    self.answers += 1
                    if response.status != 200:
                        self.failures.append(f"status {response.status}")
        except (AssertionError, OSError) as error:
            self.failures.append(repr(error))

    def _waits_for_cores(self) -> dict[str, float]:
        return {**waits_for_cores("self"), **self.proxy.waits_for_cores()}


class AttackTest(unittest.TestCase):
    """A proxy with HTTP/2 in clear text, and its origin."""

    maxDiff = 4000

    @classmethod
    def setUpClass(cls) -> None:
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)
        cls.proxy, cls.port = start_proxy(cls.origin.port, threads=2, arguments=["--h2c"])
        cls.addClassCleanup(cls.proxy.stop_cleanly)
        # The attacker, the origin and the other client take turns in this process.
        usual = sys.getswitchinterval()
        sys.setswitchinterval(0.0005)
        cls.addClassCleanup(sys.setswitchinterval, usual)

    def setUp(self) -> None:
        self.origin.forget()
        self.origin.respond = answer()

    def tearDown(self) -> None:
        if not self.proxy.is_running:
            self.fail(f"the proxy is dead:\n{self.proxy.stderr[-6000:]}")

    def attack(self, settings: dict[int, int] | None = None) -> Attacker:
        attacker = Attacker(self.port, settings)
        self.addCleanup(attacker.sock.close)
        return attacker

    def assert_alive(self, attacker: Attacker) -> None:
        """The connection serves the next request."""
        stream = attacker.request("/good")
        attacker.wait_for(stream)
        answered = (attacker.status.get(stream), attacker.body.get(stream))
        self.assertEqual(answered, ("200", b"hello"))

    def assert_nothing_refused_arrived(self) -> None:
        whole = {request.target for request in self.origin.requests if request.is_complete}
        # Of an attack by resets some may arrive, and late.
        self.assertLessEqual(whole, {"/good", "/bystander", "/reset"})

    @contextlib.contextmanager
    def others_are_served(self):
        """While this is under way, another client is answered in time, and memory is bounded."""
        before = self.proxy.rss_kib()
        with Bystander(self.proxy, self.port) as other:
            yield
            after = self.proxy.rss_kib()
            answers = other.answers
            deadline = time.monotonic() + DEADLINE
            while other.answers < answers + 3 and not other.failures:
                self.assertLess(time.monotonic(), deadline, "the other client is not served")
                time.sleep(0.005)
        self.assertEqual(other.failures, [])
        if is_instrumented():
            return
        self.assertLess(after - before, MEMORY_KIB_MAX)
        self.assertLess(other.slowest, ANSWER_EVER)
        self.assertLessEqual(other.slow, max(1, other.answers // 100))


@dataclass
class Malformed:
    """A head, or one with data behind it, that is no request."""

    name: str
    fields: Fields
    data: bytes | None = None
    trailers: Fields | None = None


def value(what: bytes) -> Fields:
    return [*GOOD, ("x-name", what)]


def field(name: str | bytes, what: str | bytes = "x") -> Fields:
    return [*GOOD, (name, what)]


def without(name: str) -> Fields:
    return [each for each in GOOD if each[0] != name]


MALFORMED = [
    Malformed("an upper-case name", field("X-Name")),
    Malformed("an upper-case letter in a known name", field("accepT")),
    Malformed("an empty name", field("")),
    Malformed("a blank in a name", field("x name")),
    Malformed("a blank behind a name", field("content-length ", "5")),
    Malformed("a colon in a name", field("x:name")),
    Malformed("a colon behind a name", field("host:")),
    Malformed("0x85 in a name", field(b"x\x85name")),
    Malformed("0xa0 behind a name", field(b"transfer-encoding\xa0", "chunked")),
    Malformed("CR LF in a name", field("x: y\r\nz")),
    Malformed("LF in a name", field("x\ny")),
    Malformed("NUL in a name", field(b"x\0y")),
    Malformed("CR LF in a value", value(b"a\r\nx-smuggled: b")),
    Malformed("a request in a value", value(b"a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: b\r\n\r\n")),
    Malformed("CR in a value", value(b"a\rb")),
    Malformed("LF in a value", value(b"a\nb")),
    Malformed("NUL in a value", value(b"a\0b")),
    Malformed("a blank before a value", value(b" a")),
    Malformed("a blank behind a value", value(b"a ")),
    Malformed("a tab before a value", value(b"\ta")),
    Malformed("a tab behind a value", value(b"a\t")),
    Malformed("a pseudo-header field behind a regular one", [*GET, ("x", "y"), PATH]),
    Malformed(":method twice", field(":method", "GET")),
    Malformed(":scheme twice", field(":scheme", "http")),
    Malformed(":path twice", field(":path", "/other")),
    Malformed(":authority twice", field(":authority", "other.example")),
    Malformed("an unknown pseudo-header field", field(":unknown")),
    Malformed("a pseudo-header field of responses", field(":status", "200")),
    Malformed(":protocol without CONNECT", field(":protocol", "websocket")),
    Malformed("no :method", without(":method")),
    Malformed("no :scheme", without(":scheme")),
    Malformed("no :path", without(":path")),
    Malformed("an empty :path", [*GET, (":path", "")]),
    Malformed("a blank in :path", [*GET, (":path", "/refused HTTP/1.1")]),
    Malformed("CR LF in :path", [*GET, (":path", "/refused\r\nx: y")]),
    Malformed("a relative :path", [*GET, (":path", "refused")]),
    Malformed("an empty :method", [(":method", ""), *GET[1:], PATH]),
    Malformed("a blank in :method", [(":method", "GET /x HTTP/1.1"), *GET[1:], PATH]),
    Malformed("CR LF in :authority", [*GET[:2], (":authority", "a\r\nx: y"), PATH]),
    Malformed("userinfo in :authority", [*GET[:2], (":authority", "a@b"), PATH]),
    Malformed("another host than :authority", field("host", "other.example")),
    Malformed("connection", field("connection", "close")),
    Malformed("keep-alive", field("keep-alive", "timeout=5")),
    Malformed("proxy-connection", field("proxy-connection", "keep-alive")),
    Malformed("transfer-encoding", field("transfer-encoding", "chunked")),
    Malformed("upgrade", field("upgrade", "websocket")),
    Malformed("te: gzip", field("te", "gzip")),
    Malformed("a content-length that is no number", field("content-length", "x")),
    Malformed("a content-length with a sign", field("content-length", "+5")),
    Malformed("two lengths", [*GOOD, ("content-length", "5"), ("content-length", "6")]),
    Malformed("a length without a body", field("content-length", "5")),
    Malformed("less data than the length", [*POST, PATH, ("content-length", "5")], b"1234"),
    Malformed("more data than the length", [*POST, PATH, ("content-length", "5")], b"123456"),
    Malformed("a pseudo-header field in trailers", [*POST, PATH], b"12", [(":path", "/x")]),
    Malformed("CR LF in a trailer", [*POST, PATH], b"12", [("x", "a\r\nb: c")]),
]


class MalformedRequests(AttackTest):
    def check(self, case: Malformed) -> None:
        attacker = self.attack()
        frame = attacker.head(case.fields, end=case.data is None)
        stream = frame.stream_id
        attacker.send(frame)
        if case.data is not None:
            last = [] if case.trailers is not None else ["END_STREAM"]
            attacker.send(DataFrame(stream, data=case.data, flags=last))
        if case.trailers is not None:
            attacker.send(attacker.head(case.trailers, stream=stream))
        attacker.wait_for(stream)
        seen = (attacker.status, attacker.goaway)
        self.assertEqual(attacker.resets.get(stream), PROTOCOL_ERROR, seen)
        self.assertNotIn(stream, attacker.body)
        # An error of that stream only.
        self.assert_alive(attacker)
        self.assert_nothing_refused_arrived()
        for smuggled in (b"smuggled", b"x-name", b"X-Name"):
            self.assertNotIn(smuggled, self.origin.received)


add_cases(MalformedRequests, MALFORMED, MalformedRequests.check)


class Floods(AttackTest):
    """Each ends the connection for good."""

    def assert_ended(self, attacker: Attacker, *codes: int) -> None:
        self.assertIn(attacker.wait_for_end(), codes or (ENHANCE_YOUR_CALM,))
        self.assert_nothing_refused_arrived()

    def flood(self, frame, count: int = 20_000, settings=None) -> None:
        with self.others_are_served():
            attacker = self.attack(settings)
            attacker.flood(frame, count)
            self.assert_ended(attacker)

    @staticmethod
    def requests_with(attacker: Attacker, then: Callable[[int], Frame | bytes]) -> bytes:
        """2,000 requests, each with a frame behind it. Made beforehand: here it would be this test
        that keeps the other client waiting."""
        raw = []
        for _ in range(2000):
            head = attacker.head([*GET, (":path", "/reset")])
            behind = then(head.stream_id)
            raw += [head.serialize(), behind if isinstance(behind, bytes) else behind.serialize()]
        return b"".join(raw)

    def test_pings(self):
        """PING that want answers"""
        self.flood(PingFrame(0, opaque_data=b"12345678"))

    def test_settings(self):
        """SETTINGS, each to be acknowledged"""
        self.flood(SettingsFrame(0))

    def test_empty_data(self):
        """DATA without data"""
        with self.others_are_served():
            attacker = self.attack()
            stream = attacker.request("/unfinished", end=False)
            attacker.flood(DataFrame(stream), 20_000)
            self.assert_ended(attacker)

    def test_window_updates(self):
        """WINDOW_UPDATE by one byte"""
        self.flood(WindowUpdateFrame(0, window_increment=1))

    def test_priorities(self):
        """PRIORITY of streams that are not there"""
        self.flood(PriorityFrame(1001, depends_on=0, stream_weight=1))

    def test_unknown_frames(self):
        """frames of a type that nobody knows"""
        self.flood(ExtensionFrame(0xFA, 0, flag_byte=0, body=b""))

    def test_rapid_reset(self):
        """requests that are reset at once (CVE-2023-44487)"""
        may_answer = threading.Event()
        self.addCleanup(may_answer.set)
        self.origin.respond = lambda connection, request: (
            answer()(connection, request)
            if request.target == "/bystander" or may_answer.wait(DEADLINE)
            else None
        )
        attacker = self.attack()
        frames = self.requests_with(
            attacker, lambda stream: RstStreamFrame(stream, error_code=CANCEL)
        )
        with self.others_are_served():
            attacker.send(frames)
            self.assertEqual(attacker.wait_for_end(), ENHANCE_YOUR_CALM)
        # No more than are let through before it is too much, and not 2,000.
        arrived = sum(request.target == "/reset" for request in self.origin.requests)
        self.assertLess(arrived, 600)
        may_answer.set()

    def made_to_reset(self, provocation: Callable[[int], Frame | bytes]) -> None:
        """Requests that the proxy is made to reset (CVE-2025-8671)."""
        self.origin.respond = lambda connection, request: (
            connection.read_to_end()
            if request.target == "/reset"
            else answer()(connection, request)
        )
        attacker = self.attack()
        frames = self.requests_with(attacker, provocation)
        with self.others_are_served():
            attacker.send(frames)
            # Or what the first of them is, where that is an error of the connection.
            codes = (ENHANCE_YOUR_CALM, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED)
            self.assertIn(attacker.wait_for_end(), codes)
        arrived = sum(request.target == "/reset" for request in self.origin.requests)
        self.assertLess(arrived, 600)

    def test_made_to_reset_by_overflow(self):
        """a window over its limit"""
        self.made_to_reset(lambda stream: WindowUpdateFrame(stream, window_increment=(1 << 31) - 1))

    def test_made_to_reset_by_zero(self):
        """a window increment of 0"""
        head = bytes.fromhex("0000040800")
        self.made_to_reset(lambda stream: head + stream.to_bytes(4, "big") + bytes(4))

    def test_made_to_reset_by_data(self):
        """data behind the end of the request"""
        self.made_to_reset(lambda stream: DataFrame(stream, data=b"x"))

    def test_made_to_reset_by_malformed_heads(self):
        """heads that are malformed, one after the other"""
        attacker = self.attack()
        heads = [attacker.head([*GOOD, ("X-Upper", "x")]).serialize() for _ in range(2000)]
        with self.others_are_served():
            attacker.send(b"".join(heads))
            self.assert_ended(attacker)

    def test_continuations(self):
        """CONTINUATION without end (VU#421644)"""
        for size in (0, 1, 1000, 16384):
            with self.subTest(size), self.others_are_served():
                attacker = self.attack()
                head = attacker.head(GOOD)
                head.flags.discard("END_HEADERS")
                attacker.send(head)
                block = (b"\0\1x\1y" * (size // 5 + 1))[:size]
                attacker.flood(ContinuationFrame(head.stream_id, data=block), 5000)
                self.assert_ended(attacker)

    def test_hpack_bomb(self):
        """a small block that becomes a large one: a long field, and thousands of references"""
        with self.others_are_served():
            attacker = self.attack()
            for stream in range(1, 40, 2):
                block = attacker.encoder.encode([*GOOD, ("x-bomb", "b" * 3900)])
                block += b"\xbe" * 12_000  # index 62: the newest entry of the table
                attacker.send(HeadersFrame(stream, data=block, flags=["END_HEADERS", "END_STREAM"]))
            while attacker.goaway is None and len(attacker.status) < 20 and attacker.read():
                pass
            is_refused = set(attacker.status.values()) == {"431"}
            seen = (attacker.goaway, attacker.status)
            self.assertTrue(attacker.goaway == ENHANCE_YOUR_CALM or is_refused, seen)
            attacker.sock.close()
        self.assert_nothing_refused_arrived()

    def test_fields(self):
        """more fields than allowed, and more cookies"""
        for name, count in (("x", 200), ("cookie", 300)):
            with self.subTest(name), self.others_are_served():
                attacker = self.attack()
                head = attacker.head([*GOOD, *[(name, "a=b")] * count])
                attacker.send(head)
                attacker.wait_for(head.stream_id)
                self.assertEqual(attacker.status.get(head.stream_id), "431")
                self.assert_alive(attacker)
                attacker.sock.close()
        self.assert_nothing_refused_arrived()


class Streams(AttackTest):
    """Streams that stay: many, large, or of clients that do not read."""

    def hang(self, *paths: str) -> threading.Event:
        """The origin keeps these waiting until the event that this gives."""
        may_answer = threading.Event()
        self.addCleanup(may_answer.set)

        def respond(connection, request):
            if request.target in paths:
                may_answer.wait(DEADLINE)
            answer()(connection, request)

        self.origin.respond = respond
        return may_answer

    def test_too_many(self):
        """streams beyond the limit are refused, and never reach the origin"""
        may_answer = self.hang("/slow")
        with self.others_are_served():
            attacker = self.attack()
            streams = [attacker.request("/slow") for _ in range(200)]
            while len(attacker.resets) < 72 and attacker.read():
                pass
            self.assertEqual(list(attacker.resets), streams[128:])
            self.assertEqual(set(attacker.resets.values()), {REFUSED_STREAM})
        may_answer.set()
        for stream in streams[:128]:
            attacker.wait_for(stream)
        self.assertEqual([attacker.status.get(each) for each in streams[:128]], ["200"] * 128)
        self.assertEqual(self.origin.targets.count("/slow"), 128)
        self.assert_alive(attacker)
        attacker.sock.close()

    def test_large_heads(self):
        """heads just below the limit on all streams of a connection (the HTTP/2 bomb)"""
        may_answer = self.hang("/slow")
        with self.others_are_served():
            attacker = self.attack()
            fields = [(f"x-{number}", "v" * 4000) for number in range(3)]
            for _ in range(128):
                attacker.request("/slow", *fields)
            attacker.ping()
        may_answer.set()
        attacker.sock.close()

    def test_zero_window(self):
        """a client that lets nobody write to it: the origin is not read for it"""
        size = 64 * 1024 * 1024
        self.origin.respond = lambda connection, request: (
            self.pour(connection, size)
            if request.target == "/large"
            else answer()(connection, request)
        )
        for window in (0, 1, 100):
            with self.subTest(window), self.others_are_served():
                attacker = self.attack({SettingsFrame.INITIAL_WINDOW_SIZE: window})
                for _ in range(32):
                    attacker.request("/large")
                while len(attacker.status) < 32 and attacker.read():
                    pass
                attacker.ping()
                self.assertLessEqual(sum(map(len, attacker.body.values())), 32 * window)
                attacker.sock.close()

    def test_stalled(self):
        """a stream that nobody may write to is given up in the end, and the origin too"""
        arguments = ["--set", "enable_h2c=1", "--set", "write_timeout=300"]
        proxy, port = start_proxy(self.origin.port, program="tunable_proxy", arguments=arguments)
        self.addCleanup(proxy.stop_cleanly)
        ended = threading.Event()

        def respond(connection, request):
            self.pour(connection, 64 * 1024 * 1024)
            ended.set()

        self.origin.respond = respond
        with Attacker(port, {SettingsFrame.INITIAL_WINDOW_SIZE: 0}) as attacker:
            stream = attacker.request("/large")
            attacker.wait_for(stream)
            self.assertIn(stream, attacker.resets)
            self.assertTrue(ended.wait(DEADLINE), "the origin still sends")
            attacker.ping()  # an error of that stream only

    def test_unread(self):
        """a client that opens its windows wide, and does not read"""
        size = 64 * 1024 * 1024
        self.origin.respond = lambda connection, request: (
            self.pour(connection, size)
            if request.target == "/large"
            else answer()(connection, request)
        )
        with self.others_are_served():
            attacker = self.attack({SettingsFrame.INITIAL_WINDOW_SIZE: (1 << 31) - 1})
            attacker.send(WindowUpdateFrame(0, window_increment=(1 << 31) - 1 - 65535))
            for _ in range(32):
                attacker.request("/large")
            time.sleep(0.5)  # as much as it takes for memory to grow, if it did
        attacker.sock.close()

    def test_unfinished_bodies(self):
        """bodies on all streams that the origin does not read"""
        may_read = threading.Event()
        self.addCleanup(may_read.set)

        def script(connection):
            while request := connection.read_request_head():
                if request.target == "/upload":
                    may_read.wait(DEADLINE)
                    return
                self.origin.respond(connection, request)

        with self.others_are_served():
            self.origin.next_connections(*[script] * 102)
            attacker = self.attack()
            for _ in range(100):
                stream = attacker.request("/upload", ("content-length", "1000000"), end=False)
                # All that the windows of a stream allow before anybody reads.
                for _ in range(3):
                    attacker.send(DataFrame(stream, data=b"x" * 16384))
            attacker.sock.close()
        may_read.set()

    @staticmethod
    def pour(connection, size: int) -> None:
        with contextlib.suppress(OSError):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(0, size, 65536):
                connection.send(b"x" * 65536)


if __name__ == "__main__":
    main()
