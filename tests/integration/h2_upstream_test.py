# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 to the upstream, by prior knowledge: clients of HTTP/1, and origins that behave well,
badly and worst."""

import hashlib
import random
import threading
import unittest

from harness import Client, eventually, main, start_proxy, websocket
from harness.h2_origin import (
    CANCEL,
    ENHANCE_YOUR_CALM,
    HTTP_1_1_REQUIRED,
    INTERNAL_ERROR,
    NO_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    H2Origin,
    H2OriginConnection,
    answer,
    frame,
)

MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, ENABLE_CONNECT_PROTOCOL = 3, 4, 8
DATA = random.Random(3).randbytes(3 * 1024 * 1024)


def get(target: str = "/", *fields: str) -> bytes:
    lines = [f"GET {target} HTTP/1.1", "Host: test.example", *fields, "", ""]
    return "\r\n".join(lines).encode()


def post(body: bytes, *fields: str) -> bytes:
    lines = ["POST / HTTP/1.1", "Host: test.example", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*lines, "", ""]).encode() + body


def post_chunked(*pieces: bytes, trailers: bytes = b"") -> bytes:
    head = b"POST / HTTP/1.1\r\nHost: test.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head + chunks + b"0\r\n" + trailers + b"\r\n"


class H2UpstreamTest(unittest.TestCase):
    """A proxy that speaks HTTP/2 to one origin."""

    settings: tuple[str, ...] = ()
    maxDiff = 4000

    @classmethod
    def setUpClass(cls) -> None:
        cls.origin = H2Origin()
        cls.addClassCleanup(cls.origin.stop)
        arguments = ["--set", "upstream_alpn=1"]
        for each in cls.settings:
            arguments += ["--set", each]
        cls.proxy, cls.port = start_proxy(
            cls.origin.port, program="tunable_proxy", threads=2, arguments=arguments
        )
        cls.addClassCleanup(cls.proxy.stop_cleanly)

    def setUp(self) -> None:
        self.origin.forget()

    def tearDown(self) -> None:
        self.assertTrue(self.proxy.is_running, self.proxy.stderr[-6000:])
        if self.origin.failures:
            raise self.origin.failures.pop(0)

    def ask(self, raw: bytes):
        with Client(self.port) as client:
            return client.exchange(raw)

    def assert_answers(self) -> None:
        """The proxy still does what it is for."""
        response = self.ask(get("/fence"))
        self.assertEqual((response.status, response.body), (200, b"hello"))

    def start(self, raw: bytes) -> Client:
        """Sends a request and does not wait for the response."""
        client = Client(self.port)
        self.addCleanup(client.close)
        client.send(raw)
        return client


class TranslationTest(H2UpstreamTest):
    """What becomes of messages."""

    def test_a_get_becomes_a_stream(self) -> None:
        response = self.ask(
            get(
                "/a?b=c",
                "User-Agent: test",
                "Connection: keep-alive, X-Hop",
                "X-Hop: 1",
                "Keep-Alive: timeout=5",
                "TE: trailers, deflate",
                "Cookie: a=1; b=2",
            )
        )
        self.assertEqual((response.status, response.body), (200, b"hello"))
        (request,) = self.origin.requests
        pseudo = [each for each in request.fields if each[0].startswith(":")]
        self.assertEqual(
            sorted(pseudo),
            [
                (":authority", "test.example"),
                (":method", "GET"),
                (":path", "/a?b=c"),
                (":scheme", "http"),
            ],
        )
        self.assertEqual(request.fields[: len(pseudo)], pseudo)
        self.assertEqual(request.get("te"), "trailers")
        self.assertEqual(request.get("user-agent"), "test")
        self.assertEqual(request.get("x-forwarded-for"), "127.0.0.1")
        for name in ("connection", "keep-alive", "x-hop", "host", "transfer-encoding"):
            self.assertIsNone(request.get(name), name)
        self.assertTrue(request.is_complete)

    def test_a_response_with_fields_of_its_own(self) -> None:
        cookies = [("set-cookie", "a"), ("set-cookie", "b")]
        self.origin.respond = answer(fields=[("content-length", "5"), *cookies])
        response = self.ask(get())
        self.assertEqual(response.all("set-cookie"), ["a", "b"])
        self.assertEqual(response.head.content_length, 5)
        self.assertEqual(response.version, "HTTP/1.1")

    def test_a_response_of_unknown_length_is_chunked(self) -> None:
        response = self.ask(get())
        self.assertTrue(response.head.is_chunked)
        self.assertTrue(response.is_complete)

    def test_responses_without_a_body(self) -> None:
        for status in (204, 304):
            self.origin.respond = answer(b"", status=status)
            self.assertEqual(self.ask(get()).status, status)
        with Client(self.port) as client:
            self.origin.respond = answer(b"", fields=[("content-length", "5")])
            response = client.exchange(
                b"HEAD / HTTP/1.1\r\nHost: test.example\r\n\r\n", method="HEAD"
            )
            self.assertEqual(response.first("content-length"), "5")
            self.assertEqual(client.exchange(get()).status, 502)

    def test_bodies(self) -> None:
        for raw, body, length in (
            (post(b""), b"", "0"),
            (post(b"12345"), b"12345", "5"),
            (post_chunked(b"123", b"45"), b"12345", None),
            (post(DATA), DATA, str(len(DATA))),
            (post_chunked(DATA[:100000], DATA[100000:]), DATA, None),
        ):
            self.origin.requests.clear()
            self.assertEqual(self.ask(raw).status, 200)
            (request,) = self.origin.requests
            self.assertEqual(bytes(request.body), body)
            self.assertEqual(request.get("content-length"), length)

    def test_a_large_response(self) -> None:
        self.origin.respond = answer(DATA)
        response = self.ask(get())
        self.assertTrue(response.is_complete)
        self.assertEqual(
            hashlib.sha256(response.body).digest(), hashlib.sha256(DATA).digest()
        )

    def test_trailers_of_a_response(self) -> None:
        self.origin.respond = answer(trailers=[("x-checksum", "1")])
        response = self.ask(get("/", "TE: trailers", "Connection: TE"))
        self.assertEqual(response.trailers, [("x-checksum", "1")])
        self.assertEqual(self.ask(get()).trailers, [])

    def test_trailers_of_a_request(self) -> None:
        raw = post_chunked(b"123", trailers=b"X-Checksum: 1\r\nContent-Length: 7\r\n")
        response = self.ask(raw)
        self.assertEqual((response.status, response.body), (200, b"hello"))
        (request,) = self.origin.requests
        self.assertEqual(request.trailers, [("x-checksum", "1")])
        self.assertEqual(bytes(request.body), b"123")

    def test_informational_responses(self) -> None:
        def respond(connection, request):
            connection.inform(request.stream, 103, [("link", "</a>")])
            connection.respond(request.stream)

        self.origin.respond = respond
        with Client(self.port) as client:
            client.send(get())
            early = client.read_response()
            self.assertEqual((early.status, early.first("link")), (103, "</a>"))
            self.assertEqual(client.read_response().status, 200)

    def test_expect_continue(self) -> None:
        def script(connection: H2OriginConnection) -> None:
            stream = connection.wait_for_request()
            connection.inform(stream, 100)
            connection.wait_for_body(stream)
            connection.serve()

        self.origin.next_connections(script)
        with Client(self.port) as client:
            head, body = post(b"12345", "Expect: 100-continue").split(b"\r\n\r\n")
            client.send(head + b"\r\n\r\n")
            self.assertEqual(client.read_response().status, 100)
            client.send(body)
            self.assertEqual(client.read_response().status, 200)


class SharingTest(H2UpstreamTest):
    """Which connection carries a request."""

    settings = ("max_h2_streams=20",)

    def hold(self, count: int) -> list[Client]:
        """Requests that the origin has got and not answered."""
        self.origin.respond = lambda connection, request: None
        before = len(self.origin.requests)
        clients = [self.start(get(f"/{number}")) for number in range(count)]
        self.origin.wait_for_requests(before + count)
        return clients

    def test_requests_side_by_side_share_a_connection(self) -> None:
        self.hold(20)
        self.assertEqual(len(self.origin.connections), 1)

    def test_a_second_connection_is_made_when_the_first_is_full(self) -> None:
        self.hold(21)
        self.assertEqual(len(self.origin.connections), 2)
        self.assertEqual(
            sorted(len(each.requests) for each in self.origin.connections), [1, 20]
        )

    def test_the_peers_limit_counts(self) -> None:
        self.origin.settings = {MAX_CONCURRENT_STREAMS: 4}
        self.assert_answers()  # behind it the limit is known
        self.hold(9)
        self.assertEqual(max(len(each.requests) for each in self.origin.connections), 5)
        self.assertEqual(len(self.origin.connections), 3)

    def test_one_after_the_other(self) -> None:
        for _ in range(50):
            self.assert_answers()
        self.assertEqual(len(self.origin.connections), 1)

    def test_a_stream_is_free_once_its_request_was_cancelled(self) -> None:
        clients = self.hold(20)
        for client in clients:
            client.close()
        (connection,) = self.origin.connections
        eventually(
            lambda: all(each.reset == CANCEL for each in connection.requests.values()),
            "all streams reset",
        )
        self.origin.respond = answer()
        self.assert_answers()
        self.assertEqual(len(self.origin.connections), 1)


class EndsTest(H2UpstreamTest):
    """Streams and connections that end before they should."""

    def test_a_refused_request_is_tried_again(self) -> None:
        def refuse(connection: H2OriginConnection) -> None:
            connection.reset(connection.wait_for_request(), REFUSED_STREAM)
            connection.serve()

        for raw in (get(), post(b"12345"), post_chunked(b"123", b"45")):
            self.origin.forget()
            self.origin.next_connections(refuse)
            self.assertEqual(self.ask(raw).status, 200)
            self.assertEqual(len(self.origin.requests), 2)

    def test_refused_behind_a_body_that_is_too_long_to_keep(self) -> None:
        def refuse(connection: H2OriginConnection) -> None:
            stream = connection.wait_for_request()
            connection.wait_for_body(stream)
            connection.reset(stream, REFUSED_STREAM)
            connection.serve()

        self.origin.next_connections(refuse)
        self.assertEqual(self.ask(post(DATA)).status, 502)

    def test_a_goaway_that_leaves_a_request_out(self) -> None:
        """It is tried again on another connection; what was taken is answered on the old one."""

        def leave_out(connection: H2OriginConnection) -> None:
            first = connection.wait_for_request(1)
            connection.wait_for_request(2)
            connection.go_away(first)
            connection.respond(first, b"old")
            connection.wait_for_end()

        self.origin.next_connections(leave_out)
        first = self.start(get("/first"))
        self.origin.wait_for_requests(1)
        second = self.start(post(b"12345"))
        self.assertEqual(first.read_response().body, b"old")
        self.assertEqual(second.read_response().body, b"hello")
        self.assertEqual(len(self.origin.connections), 2)

    def test_a_goaway_between_requests(self) -> None:
        def go_away(connection: H2OriginConnection) -> None:
            stream = connection.wait_for_request()
            connection.respond(stream)
            connection.go_away(stream)
            connection.wait_for_end()

        for _ in range(20):
            self.origin.next_connections(go_away)
            self.assert_answers()

    def test_a_goaway_in_two_steps(self) -> None:
        def go_away(connection: H2OriginConnection) -> None:
            first = connection.wait_for_request()
            connection.go_away(2**31 - 1)
            connection.respond(first, b"old")
            connection.go_away(first)
            connection.wait_for_end()

        self.origin.next_connections(go_away)
        self.assertEqual(self.ask(get()).body, b"old")
        self.assert_answers()
        self.assertEqual(len(self.origin.connections), 2)

    def test_a_goaway_with_an_error(self) -> None:
        def go_away(connection: H2OriginConnection) -> None:
            connection.wait_for_request()
            connection.go_away(0, ENHANCE_YOUR_CALM)
            connection.wait_for_end()

        self.origin.next_connections(go_away)
        self.assert_answers()

    def test_no_error_behind_a_complete_response_is_no_failure(self) -> None:
        def answer_early(connection: H2OriginConnection) -> None:
            stream = connection.wait_for_request()
            connection.consumes = False
            connection.respond(stream, b"enough")
            connection.reset(stream, NO_ERROR)
            connection.serve()

        self.origin.next_connections(answer_early)
        response = self.ask(post(DATA))
        self.assertEqual((response.status, response.body), (200, b"enough"))
        self.assert_answers()

    def test_resets_are_bad_gateways(self) -> None:
        for code in (INTERNAL_ERROR, CANCEL, HTTP_1_1_REQUIRED, NO_ERROR, ENHANCE_YOUR_CALM):

            def fail(connection: H2OriginConnection, code=code) -> None:
                connection.reset(connection.wait_for_request(), code)
                connection.serve()

            self.origin.forget()
            self.origin.next_connections(fail)
            self.assertEqual(self.ask(get()).status, 502)
            self.assertEqual(len(self.origin.requests), 1)
            self.assert_answers()
            self.assertEqual(len(self.origin.connections), 1)

    def test_a_reset_within_a_response_cuts_it_off(self) -> None:
        def cut_off(connection: H2OriginConnection) -> None:
            stream = connection.wait_for_request()
            connection.respond(stream, b"hal", end=False)
            connection.reset(stream, INTERNAL_ERROR)
            connection.serve()

        self.origin.next_connections(cut_off)
        response = self.ask(get())
        self.assertEqual((response.status, response.body), (200, b"hal"))
        self.assertFalse(response.is_complete)
        self.assert_answers()

    def test_a_connection_that_ends_within_a_response(self) -> None:
        def cut_off(connection: H2OriginConnection) -> None:
            connection.respond(connection.wait_for_request(), b"hal", end=False)

        self.origin.next_connections(cut_off)
        self.assertFalse(self.ask(get()).is_complete)
        self.assert_answers()

    def test_a_connection_that_ends_before_a_response(self) -> None:
        """A new one: nobody knows what became of the request. One that was used: it is repeated if
        that does no harm."""

        def end_at(count: int):
            def script(connection: H2OriginConnection) -> None:
                for number in range(1, count):
                    connection.respond(connection.wait_for_request(number))
                connection.wait_for_request(count)

            return script

        self.origin.next_connections(end_at(1))
        self.assertEqual(self.ask(get()).status, 502)
        self.origin.next_connections(end_at(2))
        self.assert_answers()
        self.assert_answers()
        self.origin.forget()
        self.origin.next_connections(end_at(2))
        self.assert_answers()
        self.assertEqual(self.ask(post(b"12345")).status, 502)

    def test_a_client_that_leaves_cancels_its_stream_only(self) -> None:
        def script(connection: H2OriginConnection) -> None:
            first = connection.wait_for_request(1)
            second = connection.wait_for_request(2)
            leaving = connection.requests[first].get("x-leaves") or ""
            leaver, stayer = (first, second) if leaving else (second, first)
            connection.respond(leaver, b"some", end=False)
            self.assertEqual(connection.wait_for_reset(leaver), CANCEL)
            connection.respond(stayer, b"rest")
            connection.serve()

        self.origin.next_connections(script)
        leaver = self.start(get("/", "X-Leaves: 1"))
        stayer = self.start(get())
        self.assertEqual(leaver.read_head().start_line, "HTTP/1.1 200 OK")
        leaver.close()
        self.assertEqual(stayer.read_response().body, b"rest")

    def test_malformed_responses(self) -> None:
        for fields in (
            [("x-a", "1")],  # no status
            [(":status", "200"), ("connection", "close")],
            [(":status", "200"), ("X-Upper", "1")],
            [(":status", "200"), ("transfer-encoding", "chunked")],
            [(":status", "2000")],
            [(":status", "101")],
            [(":status", "200"), ("content-length", "1"), ("content-length", "2")],
            [(":status", "200"), ("x-a", "1\r\nX-B: 2")],
            [(":status", "200"), (":status", "200")],
        ):

            def respond(connection: H2OriginConnection, fields=fields) -> None:
                stream = connection.wait_for_request()
                block = connection.h2.encoder.encode(fields)
                connection.send_raw(frame(1, 5, stream, block))
                connection.serve()

            self.origin.forget()
            self.origin.next_connections(respond)
            with self.subTest(fields):
                self.assertEqual(self.ask(get()).status, 502)
                self.assert_answers()

    def test_data_before_a_head_ends_its_stream_only(self) -> None:
        def script(connection: H2OriginConnection) -> None:
            first = connection.wait_for_request(1)
            connection.wait_for_request(2)
            bad = connection.wait_for_request(3)
            connection.send_raw(frame(0, 0, bad, b"what") + frame(0, 1, bad, b"is this"))
            self.assertEqual(connection.wait_for_reset(bad), PROTOCOL_ERROR)
            connection.respond(first, b"good")
            connection.serve()

        self.origin.next_connections(script)
        good = []
        for count in (1, 2):
            good.append(self.start(get()))
            self.origin.wait_for_requests(count)
        self.assertEqual(self.ask(get("/bad")).status, 502)
        bodies = sorted(each.read_response().body for each in good)
        self.assertEqual(bodies, [b"good", b"hello"])
        self.assert_answers()
        self.assertEqual(len(self.origin.connections), 1)

    def test_a_body_of_another_length_than_announced(self) -> None:
        for length in ("3", "7"):
            self.origin.respond = answer(fields=[("content-length", length)])
            try:
                response = self.ask(get())
                self.assertFalse(response.is_complete and response.status == 200, response)
            except AssertionError as error:
                self.assertIn("no response", str(error))


class WindowsTest(H2UpstreamTest):
    """Who does not take a request, or does not answer, is waited for, and not for ever."""

    settings = ("upstream_write_timeout=1000", "upstream_read_timeout=1000")

    def test_a_request_waits_for_the_peers_window(self) -> None:
        def script(connection: H2OriginConnection) -> None:
            connection.consumes = False
            stream = connection.wait_for_request()
            request = connection.requests[stream]
            connection.wait(lambda: len(request.body) == 65535, "a window full")
            for _ in range(3):
                connection.pump()
            self.assertEqual(len(request.body), 65535)
            connection.consumes = True
            connection.h2.increment_flow_control_window(1 << 20)
            connection.h2.increment_flow_control_window(1 << 20, stream)
            connection.serve()

        self.origin.next_connections(script)
        self.assertEqual(self.ask(post(DATA)).status, 200)
        self.assertEqual(bytes(self.origin.requests[0].body), DATA)

    def test_a_stalled_window_times_out(self) -> None:
        def script(connection: H2OriginConnection) -> None:
            connection.consumes = False
            connection.wait_for_reset(connection.wait_for_request())
            connection.h2.increment_flow_control_window(1 << 20)
            connection.consumes = True
            connection.serve()

        self.origin.next_connections(script)
        self.assertEqual(self.ask(post(DATA)).status, 504)
        self.assert_answers()
        self.assertEqual(len(self.origin.connections), 1)

    def test_a_response_that_does_not_come_times_out(self) -> None:
        def script(connection: H2OriginConnection) -> None:
            stream = connection.wait_for_request()
            self.assertEqual(connection.wait_for_reset(stream), CANCEL)
            connection.wait(lambda: connection.pings == 1, "a PING")
            connection.serve()

        self.origin.next_connections(script)
        self.assertEqual(self.ask(get()).status, 504)
        self.assert_answers()
        self.assertEqual(len(self.origin.connections), 1)


class SlowClientTest(H2UpstreamTest):
    """One client does not read, the others of its upstream connection do."""

    def test_a_client_that_does_not_read_stops_only_its_own_stream(self) -> None:
        body = DATA * 4

        def script(connection: H2OriginConnection) -> None:
            slow = connection.wait_for_request(1)
            connection.h2.send_headers(slow, [(":status", "200")])
            sent = 0
            waited = 0
            while sent < len(body) and waited < 5:
                window = connection.h2.local_flow_control_window(slow)
                if window == 0:
                    waited += 1
                    connection.pump()  # it may open
                    continue
                size = min(window, connection.h2.max_outbound_frame_size, len(body) - sent)
                connection.h2.send_data(slow, body[sent : sent + size])
                connection.flush()
                sent += size
                waited = 0
            self.assertLess(sent, len(body))
            for number in range(2, 12):
                connection.respond(connection.wait_for_request(number), b"fast")
            connection.wait_for_end()

        self.origin.next_connections(script)
        slow = self.start(get("/slow"))
        self.origin.wait_for_requests(1)
        for _ in range(10):
            self.assertEqual(self.ask(get()).body, b"fast")
        slow.close()


class FloodsTest(H2UpstreamTest):
    """Origins that attack: their connection ends, its requests fail, others are served."""

    def attack(self, flood: bytes, count: int) -> H2OriginConnection:
        def script(connection: H2OriginConnection) -> None:
            connection.wait_for_request()
            for _ in range(count):
                if connection.is_ended:
                    break
                connection.send_raw(flood)
            connection.wait_for_end()

        self.origin.next_connections(script)
        before = self.proxy.rss_kib()
        self.assertEqual(self.ask(get()).status, 502)
        self.assertLess(self.proxy.rss_kib() - before, 48 * 1024)
        attacker = self.origin.connections[0]
        self.assert_answers()
        self.assertEqual(len(self.origin.connections), 2)
        eventually(lambda: attacker.is_ended, "the attacker's connection ending")
        return attacker

    def test_pings(self) -> None:
        self.attack(frame(6, 0, 0, bytes(8)) * 200, 1000)

    def test_settings(self) -> None:
        self.attack(frame(4, 0, 0, b"") * 200, 1000)

    def test_window_updates(self) -> None:
        self.attack(frame(8, 0, 0, bytes([0, 0, 0, 1])) * 200, 1000)

    def test_unknown_frames(self) -> None:
        self.attack(frame(0x99, 0, 0, bytes(8)) * 200, 1000)

    def test_continuations_without_an_end(self) -> None:
        self.attack(frame(1, 0, 1, b"\x88") + frame(9, 0, 1, bytes(1000)) * 100, 1)

    def test_a_header_bomb(self) -> None:
        """One field in the table, and references to it: a byte each."""
        length = bytes([0x7F, 0x80 | ((3000 - 127) & 127), (3000 - 127) >> 7])
        field_line = b"\x40\x01a" + length + b"x" * 3000
        self.attack(frame(1, 4, 1, b"\x88" + field_line + b"\xbe" * 10000), 1)

    def test_a_frame_that_is_too_large(self) -> None:
        self.attack(frame(0, 0, 1, bytes(1 << 20)), 1)

    def test_no_http2_at_all(self) -> None:
        self.attack(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", 1)

    def test_streams_that_nobody_asked_for(self) -> None:
        self.attack(frame(0, 0, 99, b"data"), 1)

    def test_pushes(self) -> None:
        self.attack(frame(5, 4, 1, bytes([0, 0, 0, 2]) + b"\x82\x84\x86"), 1)

    def test_early_hints_without_end(self) -> None:
        def script(connection: H2OriginConnection) -> None:
            stream = connection.wait_for_request()
            for _ in range(40):
                connection.send_raw(frame(1, 4, stream, b"\x08\x03103"))
            connection.wait_for_reset(stream)
            connection.serve()

        self.origin.next_connections(script)
        self.assertEqual(self.ask(get()).status, 502)
        self.assert_answers()


class PingTest(H2UpstreamTest):
    settings = ("h2_ping_interval=100",)

    def test_a_connection_is_probed(self) -> None:
        self.origin.respond = lambda connection, request: None
        self.start(get())
        connection = self.origin.connection(0)
        eventually(lambda: connection.pings >= 3, "three pings")


class IdleTest(H2UpstreamTest):
    settings = ("upstream_idle_timeout=300",)

    def test_an_idle_connection_is_closed_with_a_goaway(self) -> None:
        self.assert_answers()
        connection = self.origin.connection(0)
        eventually(lambda: connection.is_ended, "the idle connection ending")
        self.assertEqual(connection.goaway, NO_ERROR)
        self.assert_answers()
        self.assertEqual(len(self.origin.connections), 2)


class WebSocketTest(H2UpstreamTest):
    """A client of HTTP/1 and an origin of HTTP/2 (RFC 8441)."""

    def upgrade(self) -> Client:
        client = Client(self.port)
        self.addCleanup(client.close)
        websocket.upgrade(client)
        return client

    def test_bytes_go_both_ways(self) -> None:
        self.origin.settings = {ENABLE_CONNECT_PROTOCOL: 1}
        self.origin.next_connections(websocket.h2_pong())
        client = self.upgrade()
        response = client.read_response()
        self.assertEqual(response.status, 101)
        accept = websocket.accept_of(websocket.KEY)
        self.assertEqual(response.first("sec-websocket-accept"), accept)
        client.send(b"ping")
        self.assertEqual(client.read_exactly(4), b"pong")
        client.shutdown_write()
        self.assertEqual(client.read_to_end(), b"")
        self.assert_answers()
        request = self.origin.requests[0]
        self.assertEqual(request.get(":method"), "CONNECT")
        self.assertEqual(request.get(":protocol"), "websocket")
        self.assertEqual(request.get(":path"), "/chat")
        self.assertEqual(request.get("sec-websocket-version"), "13")
        self.assertIsNone(request.get("sec-websocket-key"))

    def test_an_origin_that_refuses(self) -> None:
        self.origin.settings = {ENABLE_CONNECT_PROTOCOL: 1}

        def script(connection: H2OriginConnection) -> None:
            connection.respond(connection.wait_for_request(), b"no", status=403)
            connection.serve()

        self.origin.next_connections(script)
        response = self.upgrade().read_response()
        self.assertEqual((response.status, response.body), (403, b"no"))

    def test_an_origin_without_it(self) -> None:
        self.assertEqual(self.upgrade().read_response().status, 502)
        self.assert_answers()


class ManyTest(H2UpstreamTest):
    def test_many_at_once(self) -> None:
        """Clients that ask, and clients that leave, over origins that refuse some."""

        def respond(connection: H2OriginConnection, request) -> None:
            if len(connection.requests) % 50 == 49:
                connection.reset(request.stream, REFUSED_STREAM)
            else:
                connection.respond(request.stream, bytes(request.body) or b"hello")

        self.origin.respond = respond
        failures: list[str] = []

        def work(seed: int) -> None:
            rng = random.Random(seed)
            for _ in range(40):
                with Client(self.port) as client:
                    body = rng.randbytes(rng.choice((0, 10, 40000)))
                    client.send(post(body) if body else get())
                    if rng.random() < 0.2:
                        continue
                    response = client.read_final_response()
                    if (response.status, response.body) != (200, body or b"hello"):
                        failures.append(f"{response!r}")

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertLessEqual(len(self.origin.connections), 2)


if __name__ == "__main__":
    main()
