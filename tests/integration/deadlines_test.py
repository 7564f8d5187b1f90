# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Deadlines and limits that a listener or a peer is given, each seen to strike."""

import contextlib
import socket
import threading
import unittest

from harness import DEADLINE, Client, Origin, answer, eventually, main, start_proxy
from harness.h2_attacker import ENHANCE_YOUR_CALM, Attacker, ContinuationFrame
from harness.h2_attacker import GET as GET_HEAD

GET = b"GET / HTTP/1.1\r\nHost: test.example\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: test.example\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


class TunableTest(unittest.TestCase):
    """A proxy of its own for each test, with the settings that it asks for."""

    def start(self, *settings: str) -> int:
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        arguments = [argument for setting in settings for argument in ("--set", setting)]
        proxy, port = start_proxy(self.origin.port, program="tunable_proxy", arguments=arguments)
        self.addCleanup(proxy.stop_cleanly)
        return port

    def connect(self, port: int) -> Client:
        client = Client(port)
        self.addCleanup(client.close)
        return client


class Deadlines(TunableTest):
    """Each deadline strikes, where nothing else would end the wait. How long it took is not looked
    at: a busy machine is slow."""

    def silent(self, *words: bytes) -> threading.Event:
        ended = threading.Event()

        def script(connection):
            connection.read_request_head()
            connection.send(*words)
            connection.read_to_end()
            ended.set()

        self.origin.next_connections(script)
        return ended

    def test_silent_origin(self):
        """an origin that does not answer is 504, and its connection is closed"""
        port = self.start("upstream_read_timeout=200")
        ended = self.silent()
        self.assertEqual(self.connect(port).get().status, 504)
        self.assertTrue(ended.wait(DEADLINE))
        self.assertEqual(self.connect(port).get().status, 200)

    def test_half_a_head(self):
        """an origin that stops within its head is 504"""
        port = self.start("upstream_read_timeout=200")
        self.silent(OK + b"Content-")
        self.assertEqual(self.connect(port).get().status, 504)

    def test_half_a_body(self):
        """an origin that stops within the body: the client sees that the rest is missing"""
        port = self.start("upstream_read_timeout=200")
        ended = self.silent(OK + b"Content-Length: 10\r\n\r\nbegin")
        response = self.connect(port).get()
        self.assertEqual(
            (response.status, response.body, response.is_complete), (200, b"begin", False)
        )
        self.assertTrue(ended.wait(DEADLINE))

    def test_full_queue(self):
        """an origin that does not accept is 504"""
        # A queue of one, filled: further SYNs are dropped.
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            address = listener.getsockname()
            waiting = []
            for _ in range(4):
                sock = socket.socket()
                sock.setblocking(False)
                sock.connect_ex(address)
                waiting.append(sock)
            proxy, port = start_proxy(
                address[1], program="tunable_proxy", arguments=["--set", "connection_timeout=300"]
            )
            self.addCleanup(proxy.stop_cleanly)
            self.assertEqual(self.connect(port).get().status, 504)
            for sock in waiting:
                sock.close()

    def test_full_origin(self):
        """an origin that does not read the body is 504"""
        port = self.start("upstream_write_timeout=200")
        answered = threading.Event()
        self.addCleanup(answered.set)

        def script(connection):
            answered.wait(DEADLINE)
            connection.read_to_end()

        self.origin.next_connections(script)
        client = self.connect(port)

        def upload():
            with contextlib.suppress(OSError):
                client.send(POST + b"Content-Length: 1000000000\r\n\r\n")
                while not answered.is_set():
                    client.send(b"x" * 65536)

        sending = threading.Thread(target=upload, daemon=True)
        sending.start()
        self.assertEqual(client.read_response().status, 504)
        answered.set()
        client.close()
        sending.join(DEADLINE)

    def test_no_request(self):
        """a connection that says nothing is closed without a word"""
        port = self.start("first_request_timeout=200")
        self.assertEqual(self.connect(port).wait_for_end(), b"")

    def test_idle(self):
        """an idle connection is closed without a word"""
        port = self.start("keepalive_timeout=200")
        client = self.connect(port)
        self.assertEqual(client.get().status, 200)
        self.assertEqual(client.wait_for_end(), b"")

    def test_half_a_request(self):
        """a head that does not end is 408, and nothing goes upstream"""
        port = self.start("head_timeout=200")
        client = self.connect(port)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX:")
        self.assertEqual(client.read_response().status, 408)
        self.assertEqual(client.wait_for_end(), b"")
        self.assertEqual(self.origin.received, b"")

    def test_dribbled_head(self):
        """a head that comes byte by byte has no more time than another"""
        port = self.start("head_timeout=300")
        client = self.connect(port)
        answered = threading.Event()

        def dribble():
            with contextlib.suppress(OSError):
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
                while not answered.wait(0.02):
                    client.send(b"x")

        thread = threading.Thread(target=dribble, daemon=True)
        thread.start()
        try:
            self.assertEqual(client.read_response().status, 408)
        finally:
            answered.set()
            thread.join(DEADLINE)
        self.assertEqual(self.origin.received, b"")

    def test_half_a_header_block(self):
        """a head of HTTP/2 that does not end its CONTINUATION frames ends the connection"""
        port = self.start("h2_head_timeout=200", "enable_h2c=1")
        with Attacker(port) as client:
            client.wait_for(client.request("/good"))  # SETTINGS are out of the way
            head = client.head([*GET_HEAD, (":path", "/half")])
            head.flags.discard("END_HEADERS")
            more = ContinuationFrame(head.stream_id, data=b"")
            client.send(head, more, more)
            self.assertEqual(client.wait_for_end(), ENHANCE_YOUR_CALM)
        self.assertEqual(self.connect(port).get("/other").status, 200)
        self.assertEqual(self.origin.targets, ["/good", "/other"])

    def test_half_a_request_body(self):
        """a body that does not end is 408, and the origin sees no end"""
        port = self.start("body_read_timeout=200")
        client = self.connect(port)
        client.send(POST + b"Content-Length: 10\r\n\r\nbegin")
        self.assertEqual(client.read_response().status, 408)
        self.assertEqual(client.wait_for_end(), b"")
        self.assertEqual(
            [each.is_complete for each in self.origin.requests], [False] * len(self.origin.requests)
        )

    def test_slow_body(self):
        """a body below the minimum rate is 408"""
        port = self.start("body_rate_min=1000000", "body_rate_grace=200")
        client = self.connect(port)
        answered = threading.Event()

        def dribble():
            with contextlib.suppress(OSError):
                client.send(POST + b"Content-Length: 100000\r\n\r\n")
                while not answered.wait(0.02):
                    client.send(b"x")

        thread = threading.Thread(target=dribble, daemon=True)
        thread.start()
        try:
            self.assertEqual(client.read_response().status, 408)
        finally:
            answered.set()
            thread.join(DEADLINE)

    def test_stalled_reader(self):
        """a client that does not take its response is cut off, and the origin too"""
        port = self.start("write_timeout=300")
        ended = threading.Event()

        def script(connection):
            connection.read_request()
            with contextlib.suppress(OSError):
                connection.send(OK + b"Content-Length: 1000000000\r\n\r\n")
                while True:
                    connection.send(b"x" * 65536)
            ended.set()

        self.origin.next_connections(script)
        client = self.connect(port)
        client.send(GET)
        self.assertTrue(ended.wait(DEADLINE), "the origin still sends")

    def test_tunnel(self):
        """a silent tunnel is closed on both sides"""
        port = self.start("tunnel_idle_timeout=200")
        ended = self.silent(SWITCHING)
        client = self.connect(port)
        client.send(UPGRADE)
        self.assertEqual(client.read_response().status, 101)
        self.assertEqual(client.wait_for_end(), b"")
        self.assertTrue(ended.wait(DEADLINE))

    def test_half_closed_tunnel(self):
        """one that only the client, or only the origin, has ended is closed when it is silent"""
        port = self.start("tunnel_idle_timeout=200")
        for client_ends in (True, False):
            with self.subTest(client_ends=client_ends):
                ended, over = threading.Event(), threading.Event()

                def script(connection, client_ends=client_ends, ended=ended, over=over):
                    connection.read_request()
                    connection.send(SWITCHING)
                    if not client_ends:
                        connection.shutdown_write()
                    connection.read_to_end()
                    ended.set()
                    over.wait(DEADLINE)

                self.origin.next_connections(script)
                client = self.connect(port)
                client.send(UPGRADE)
                self.assertEqual(client.read_response().status, 101)
                if client_ends:
                    client.shutdown_write()
                self.assertEqual(client.wait_for_end(), b"")
                self.assertTrue(ended.wait(DEADLINE))
                over.set()

    def test_busy_tunnel(self):
        """one in which only the origin talks is not idle"""
        port = self.start("tunnel_idle_timeout=500")
        never = threading.Event()

        def script(connection):
            connection.read_request()
            connection.send(SWITCHING)
            for _ in range(40):
                connection.send(b"x")
                never.wait(0.025)

        self.origin.next_connections(script)
        client = self.connect(port)
        client.send(UPGRADE)
        self.assertEqual(client.read_response().status, 101)
        self.assertEqual(client.read_exactly(40), b"x" * 40)

    def test_idle_upstream(self):
        """an idle connection to the origin is closed when its time is over"""
        port = self.start("upstream_idle_timeout=200")
        self.assertEqual(self.connect(port).get().status, 200)
        eventually(lambda: self.origin.connections[0].sock.fileno() < 0, "closed by the proxy")


class Limits(TunableTest):
    """Limits that are off or far away by default."""

    def test_body_of_the_limit(self):
        """a body as large as allowed"""
        port = self.start("body_bytes_max=10")
        for framing in (
            b"Content-Length: 10\r\n\r\n0123456789",
            b"Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
        ):
            self.assertEqual(self.connect(port).exchange(POST + framing).status, 200)

    def test_body_above(self):
        """a larger one is 413 and closes; by its length, before anything goes upstream"""
        port = self.start("body_bytes_max=10")
        client = self.connect(port)
        self.assertEqual(
            client.exchange(POST + b"Content-Length: 11\r\n\r\n0123456789a").status, 413
        )
        self.assertEqual(client.wait_for_end(), b"")
        self.assertEqual(self.origin.received, b"")
        client = self.connect(port)
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n")
        self.assertEqual(client.read_response().status, 413)
        self.assertEqual(client.wait_for_end(), b"")
        self.assertFalse([each for each in self.origin.requests if each.is_complete])

    def test_requests_per_connection(self):
        """the last request of a connection is told so"""
        port = self.start("requests_per_connection_max=3")
        client = self.connect(port)
        said = [client.get().first("connection") for _ in range(3)]
        self.assertEqual(said, [None, None, "close"])
        self.assertEqual(client.wait_for_end(), b"")

    def test_connections(self):
        """connections above the limit wait until another ends"""
        port = self.start("connections_max=2")
        first, second = self.connect(port), self.connect(port)
        self.assertEqual([first.get().status, second.get().status], [200, 200])
        third = self.connect(port)
        third.send(GET)
        first.close()
        self.assertEqual(third.read_response().status, 200)

    def test_drain(self):
        """what is left of a body behind the response is drained within bounds"""

        def refuse(connection):
            connection.read_request_head()
            answer(b"no", status="403 Forbidden")(connection, connection.requests[0])
            connection.read_to_end()

        port = self.start("drain_bytes_max=1000")
        self.origin.next_connections(refuse)
        client = self.connect(port)
        client.send(POST + b"Content-Length: 900\r\n\r\n")
        self.assertEqual(client.read_response().status, 403)
        client.send(b"x" * 900)
        self.assertEqual(client.get("/next").status, 200)
        self.origin.forget()
        self.origin.next_connections(refuse)
        client = self.connect(port)
        client.send(POST + b"Content-Length: 1100\r\n\r\n")
        self.assertEqual(client.read_response().first("connection"), "close")
        client.wait_for_end()

    def test_long_body_is_not_repeated(self):
        """a body that does not fit the retry buffer is not sent again"""
        port = self.start("retry_buffer_bytes_max=100")

        def script(connection):
            connection.read_request()
            answer(b"first")(connection, connection.requests[0])
            connection.read_request()

        for size, status in ((100, 200), (101, 502)):
            with self.subTest(size):
                self.origin.forget()
                self.origin.next_connections(script)
                client = self.connect(port)
                client.get("/first")
                raw = (
                    b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
                )
                self.assertEqual(client.exchange(raw).status, status)


if __name__ == "__main__":
    main()
