# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Connections: one request behind the other, bodies of size, and tunnels."""

import contextlib
import hashlib
import random
import threading

from harness import DEADLINE, Client, ProxyTest, answer, is_instrumented, main
from harness.origin import answer_raw

GET = b"GET / HTTP/1.1\r\nHost: test.example\r\n"
POST = b"POST / HTTP/1.1\r\nHost: test.example\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
# The example of RFC 6455 §1.3.
KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
UPGRADE = GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + KEY + b"\r\n"
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


class Connections(ProxyTest):
    def test_keep_alive(self):
        """a connection serves one request after the other"""
        client = self.connect()
        for number in range(20):
            response = client.get(f"/{number}")
            self.assertEqual((response.body, response.first("connection")), (b"hello", None))
        self.assertEqual(self.origin.targets, [f"/{number}" for number in range(20)])

    def test_close(self):
        """Connection: close is said back, and done; what follows is no request"""
        client = self.connect()
        client.send(GET + b"Connection: x, Close\r\n\r\n" + GET.replace(b"/ ", b"/2 ") + b"\r\n")
        response = client.read_response()
        self.assertEqual((response.status, response.first("connection").lower()), (200, "close"))
        self.assertEqual(client.wait_for_end(), b"")
        self.ask_fence()
        self.assertEqual(self.origin.targets, ["/", "/fence"])

    def test_pipelining(self):
        """requests that come together are answered in their order"""

        def respond(connection, request):
            answer(request.target.encode() + b" " + request.body)(connection, request)

        self.origin.respond = respond
        client = self.connect()
        raw = bytearray()
        for number in range(20):
            if number % 3 == 0:
                raw += b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number
            elif number % 3 == 1:
                raw += b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" % number
            else:
                raw += (
                    b"PUT /%d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"3\r\nxyz\r\n0\r\n\r\n"
                ) % number
        client.send(bytes(raw))
        for number in range(20):
            expected = b"/%d " % number + (b"", b"abc", b"xyz")[number % 3]
            self.assertEqual(client.read_response().body, expected)
        self.assertEqual(self.origin.targets, [f"/{number}" for number in range(20)])

    def test_pipelined_in_pieces(self):
        """the same, cut at odd places"""
        client = self.connect()
        raw = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(10))
        for at in range(0, len(raw), 13):
            client.send(raw[at : at + 13])
        for _ in range(10):
            self.assertEqual(client.read_response().status, 200)

    def test_flood(self):
        """a client that sends on and on behind a request is held back, and served in the end"""
        may_answer = threading.Event()
        self.addCleanup(may_answer.set)

        def script(connection):
            connection.read_request()
            may_answer.wait(DEADLINE)
            answer()(connection, connection.requests[0])

        self.origin.next_connections(script)
        before = self.proxy.rss_kib()
        client = self.connect()
        raw = GET + b"X: " + b"x" * 30_000 + b"\r\n\r\n"
        client.send(GET + b"\r\n")
        sent = threading.Thread(target=client.send, args=(raw * 1000,), daemon=True)
        sent.start()
        self.ask_fence()
        if not is_instrumented():
            self.assertLess(self.proxy.rss_kib() - before, 4 * 1024)
        may_answer.set()
        for _ in range(1001):
            self.assertEqual(client.read_response().body, b"hello")
        sent.join(DEADLINE)

    def test_half_close(self):
        """a client that has closed its sending side behind the request: no harm is done"""
        client = self.connect()
        client.send(GET + b"\r\n")
        client.shutdown_write()
        client.wait_for_end()
        self.ask_fence()


class LargeBodies(ProxyTest):
    SIZE = 10 * 1024 * 1024

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = random.Random(1).randbytes(cls.SIZE)
        cls.digest = hashlib.sha256(cls.data).hexdigest()

    def assert_is_data(self, body: bytes) -> None:
        self.assertEqual(len(body), self.SIZE)
        self.assertEqual(hashlib.sha256(body).hexdigest(), self.digest)

    def chunks(self, size: int) -> bytes:
        parts = []
        for at in range(0, self.SIZE, size):
            piece = self.data[at : at + size]
            parts += [b"%x\r\n" % len(piece), piece, b"\r\n"]
        return b"".join(parts) + b"0\r\n\r\n"

    def test_download(self):
        """10 MB down by Content-Length"""
        self.assert_is_data(self.ask(GET + b"\r\n", answer(self.data)).body)

    def test_download_chunked(self):
        """10 MB down in chunks of odd sizes"""
        raw = OK + b"Transfer-Encoding: chunked\r\n\r\n" + self.chunks(99_991)
        self.assert_is_data(self.ask(GET + b"\r\n", answer_raw(raw)).body)

    def test_download_until_close(self):
        """10 MB down until the connection ends"""

        def script(connection):
            connection.read_request()
            connection.send(OK + b"\r\n", self.data)

        self.origin.next_connections(script)
        response = self.ask(GET + b"\r\n")
        self.assertTrue(response.is_complete)
        self.assert_is_data(response.body)

    def test_upload(self):
        """10 MB up by Content-Length"""
        client = self.connect()
        client.send(POST + b"Content-Length: %d\r\n\r\n" % self.SIZE, self.data)
        self.assertEqual(client.read_response().status, 200)
        self.assert_is_data(self.origin.requests[0].body)
        self.assertEqual(client.get("/next").status, 200)

    def test_upload_chunked(self):
        """10 MB up in chunks"""
        client = self.connect()
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n", self.chunks(70_001))
        self.assertEqual(client.read_response().status, 200)
        self.assert_is_data(self.origin.requests[0].body)
        self.assertEqual(client.get("/next").status, 200)

    def test_both_ways(self):
        """10 MB up and down at the same time, as an origin that echoes does it"""

        def script(connection):
            connection.read_request_head()
            connection.send(OK + b"Content-Length: %d\r\n\r\n" % self.SIZE)
            for _ in range(0, self.SIZE, 65536):
                connection.send(connection.read_exactly(65536))

        self.origin.next_connections(script)
        client = self.connect()

        def upload():
            client.send(POST + b"Content-Length: %d\r\n\r\n" % self.SIZE, self.data)

        sending = threading.Thread(target=upload, daemon=True)
        sending.start()
        response = client.read_response()
        sending.join(DEADLINE)
        self.assert_is_data(response.body)

    def test_slow_reader(self):
        """a client that does not read holds back the origin: nobody stores the body"""
        before = self.proxy.rss_kib()

        def script(connection):
            connection.read_request()
            connection.send(OK + b"Content-Length: %d\r\n\r\n" % (4 * self.SIZE))
            for _ in range(4):
                connection.send(self.data)

        self.origin.next_connections(script)
        client = self.connect()
        client.send(GET + b"\r\n")
        client.read_head()
        client.read_exactly(100_000)
        self.ask_fence()
        if not is_instrumented():
            self.assertLess(self.proxy.rss_kib() - before, 20 * 1024)
        rest = client.read_exactly(4 * self.SIZE - 100_000)
        self.assertEqual(len(rest), 4 * self.SIZE - 100_000)
        self.assertEqual(client.get("/next").status, 200)


class Tunnels(ProxyTest):
    @staticmethod
    def echo(connection):
        connection.read_request()
        connection.send(SWITCHING)
        while connection.fill():
            connection.send(connection.read_exactly(len(connection.pending())))

    def upgrade(self, script, *pieces: bytes) -> Client:
        self.origin.next_connections(script)
        client = self.connect()
        client.send(*(pieces or (UPGRADE,)))
        response = client.read_final_response()
        self.assertEqual(response.status, 101)
        self.assertEqual(response.first("upgrade").lower(), "websocket")
        self.assertEqual(response.first("connection").lower(), "upgrade")
        self.assertEqual(response.all("sec-websocket-accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="])
        return client

    def test_request(self):
        """the request to upgrade reaches the origin as one"""
        self.upgrade(self.echo)
        request = self.origin.requests[0]
        self.assertEqual(request.first("upgrade").lower(), "websocket")
        self.assertEqual(request.first("connection").lower(), "upgrade")
        self.assertEqual(request.all("sec-websocket-key"), ["dGhlIHNhbXBsZSBub25jZQ=="])

    def test_echo(self):
        """bytes pass both ways as they are, whatever they look like"""
        client = self.upgrade(self.echo)
        for data in (
            b"\x81\x85\0\0\0\0hello",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\r\n" * 100,
            bytes(range(256)) * 1000,
        ):
            sending = threading.Thread(target=client.send, args=(data,), daemon=True)
            sending.start()
            self.assertEqual(client.read_exactly(len(data)), data)
            sending.join(DEADLINE)

    def test_103_before_101(self):
        """103 may come before the 101"""

        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCHING + b"early")
            connection.read_to_end()

        self.origin.next_connections(script)
        client = self.connect()
        client.send(UPGRADE)
        self.assertEqual([client.read_response().status for _ in range(2)], [103, 101])
        self.assertEqual(client.read_exactly(5), b"early")

    def test_bytes_behind_101(self):
        """bytes in the same segment as the 101 are the first of the tunnel"""

        def script(connection):
            connection.read_request()
            connection.send(SWITCHING + b"early")
            connection.send(connection.read_exactly(5))

        client = self.upgrade(script)
        self.assertEqual(client.read_exactly(5), b"early")
        client.send(b"hello")
        self.assertEqual(client.read_exactly(5), b"hello")

    def test_bytes_behind_the_request(self):
        """bytes behind the request wait for the 101"""
        seen_early, may_switch = [], threading.Event()

        def script(connection):
            connection.read_request()
            may_switch.wait(DEADLINE)
            seen_early.append(connection.pending())
            connection.send(SWITCHING)
            connection.send(connection.read_exactly(5))

        self.origin.next_connections(script)
        client = self.connect()
        client.send(UPGRADE + b"early")
        self.ask_fence()
        may_switch.set()
        self.assertEqual(client.read_response().status, 101)
        self.assertEqual(client.read_exactly(5), b"early")
        self.assertEqual(seen_early, [b""])

    def test_refused_upgrade(self):
        """without 101 there is no tunnel: bytes behind the request are the next request"""
        client = self.connect()
        client.send(UPGRADE + GET.replace(b"/ ", b"/2 ") + b"\r\n")
        self.assertEqual([client.read_response().status for _ in range(2)], [200, 200])
        self.assertEqual(self.origin.targets, ["/", "/2"])
        self.assertEqual(self.origin.requests[1].all("upgrade"), [])

    def test_client_closes(self):
        """a client that ends the tunnel ends it at the origin"""
        ended = threading.Event()

        def script(connection):
            self.echo(connection)
            ended.set()

        self.upgrade(script).close()
        self.assertTrue(ended.wait(DEADLINE), "the tunnel is still open at the origin")

    def test_origin_closes(self):
        """an origin that ends the tunnel ends it at the client, behind its last bytes"""

        def script(connection):
            connection.read_request()
            connection.send(SWITCHING, b"last words")

        client = self.upgrade(script)
        self.assertEqual(client.wait_for_end(), b"last words")

    def test_client_half_closes(self):
        """the end of what a client sends is passed on, and the other direction goes on"""
        seen = []

        def script(connection):
            connection.read_request()
            connection.send(SWITCHING)
            seen.append(connection.read_to_end())
            connection.send(b"behind ", b"the end")

        client = self.upgrade(script)
        client.send(b"a question")
        client.shutdown_write()
        self.assertEqual(client.wait_for_end(), b"behind the end")
        self.assertEqual(seen, [b"a question"])

    def test_origin_half_closes(self):
        """the end of what an origin sends is passed on, and the other direction goes on"""
        seen, over = [], threading.Event()

        def script(connection):
            connection.read_request()
            connection.send(SWITCHING, b"last words")
            connection.shutdown_write()
            seen.append(connection.read_to_end())
            over.set()

        client = self.upgrade(script)
        self.assertEqual(client.wait_for_end(), b"last words")
        client.send(b"behind ", b"the end")
        client.shutdown_write()
        self.assertTrue(over.wait(DEADLINE))
        self.assertEqual(seen, [b"behind the end"])

    def test_origin_closes_at_once(self):
        """the last words of an origin that takes nothing more reach a client that goes on sending"""

        def script(connection):
            connection.read_request()
            connection.send(SWITCHING)
            connection.read_exactly(1)
            connection.send(b"last words")
            connection.sock.close()

        client = self.upgrade(script)
        with contextlib.suppress(OSError):
            for _ in range(100):
                client.send(b"more")
        self.assertEqual(client.read_exactly(10), b"last words")

    def test_never_pooled(self):
        """a connection that was a tunnel is nobody else's"""
        self.upgrade(self.echo).close()
        self.ask_fence()
        self.assertEqual(len(self.origin.connections), 2)

    def test_h2c(self):
        """Upgrade: h2c is served as HTTP/1.1"""
        client = self.connect()
        response = client.get(
            "/",
            "Connection: Upgrade, HTTP2-Settings",
            "Upgrade: h2c",
            "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        )
        self.assertEqual((response.version, response.status), ("HTTP/1.1", 200))
        self.assertNotIn(b"h2c", self.origin.received.lower())
        self.assertNotIn(b"http2-settings", self.origin.received.lower())


if __name__ == "__main__":
    main()
