# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""What clients do wrong in a handshake harms nobody else."""

import contextlib
import random
import socket
import ssl

from harness import DEADLINE, eventually, main
from harness.tls import TlsTest, get


def hello_of(context: ssl.SSLContext, host: str = "a.test") -> bytes:
    """The ClientHello of a real client."""
    out = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=host)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()


def record(kind: int, body: bytes) -> bytes:
    return bytes([kind, 3, 1]) + len(body).to_bytes(2, "big") + body


class BadInput(TlsTest):
    """Each ends its own connection; the next client is served."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.proxy, cls.port = cls.start(
            *cls.a_test.arguments(), "--handshake-timeout", "2000", program="tls_proxy", threads=1
        )
        cls.hello = hello_of(cls.authority_context())

    @classmethod
    def authority_context(cls) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(cls.authority.cert))

    def tearDown(self) -> None:
        self.assert_serves(self.port)
        self.assertTrue(self.proxy.is_running)

    def raw(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)
        self.addCleanup(sock.close)
        return sock

    def said(self, *pieces: bytes, ends: bool = False) -> bytes:
        """What the proxy says to these bytes, until it closes."""
        sock = self.raw()
        said = b""
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                sock.sendall(piece)
            if ends:
                sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                said += piece
        return said

    def test_garbage(self):
        """no TLS at all"""
        chance = random.Random(3)
        for size in (1, 5, 6, 100, 20000):
            garbage = chance.randbytes(size)
            self.assertNotIn(b"HTTP/1.1 200", self.said(garbage, ends=True))
        for garbage in (b"\0" * 5000, b"\xff" * 5000, b"\x80\x2e\x01\x00\x02", b"\r\n\r\n"):
            self.said(garbage, ends=True)

    def test_garbage_within(self):
        """a ClientHello with something broken in it"""
        chance = random.Random(4)
        for _ in range(60):
            broken = bytearray(self.hello)
            for _ in range(chance.randrange(1, 8)):
                broken[chance.randrange(5, len(broken))] = chance.randrange(256)
            self.said(bytes(broken), ends=True)

    def test_cut(self):
        """a ClientHello that ends in the middle"""
        for size in range(1, len(self.hello), 23):
            self.assertNotIn(b"\x16\x03\x03", self.said(self.hello[:size], ends=True)[:3])

    def test_dribbled(self):
        """a ClientHello that comes byte by byte is one"""
        sock = self.raw()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in self.hello:
            sock.sendall(bytes([byte]))
        self.assertEqual(sock.recv(3), b"\x16\x03\x03")

    def test_fragmented(self):
        """a ClientHello in many records is one"""
        body = self.hello[5:]
        pieces = b"".join(record(0x16, body[i : i + 40]) for i in range(0, len(body), 40))
        sock = self.raw()
        sock.sendall(pieces)
        self.assertEqual(sock.recv(3), b"\x16\x03\x03")

    def test_enormous(self):
        """a ClientHello that says it has 16 MB is refused before it comes"""
        start = record(0x16, b"\x01\xff\xff\xff" + b"\0" * 16000)
        before = self.proxy.rss_kib()
        self.assertIn(b"\x15\x03", self.said(start))  # an alert
        self.said(start, *[record(0x16, b"\0" * 16000)] * 200)
        self.assertLess(self.proxy.rss_kib(), before + 20_000)

    def test_long_name(self):
        """a server name of 200 labels"""
        for host in ("a" * 63 + ".test", ".".join(["x"] * 120)):
            self.said(hello_of(self.authority_context(), host), ends=True)

    def test_empty_records(self):
        """records with nothing in them, without end"""
        self.said(*[record(0x16, b"")] * 3000, ends=True)
        self.said(*[record(0x15, b"\x01\x00")] * 3000, ends=True)

    def test_handshake_then_garbage(self):
        """garbage behind the handshake ends the connection"""
        with self.connect(self.port) as client:
            self.assertTrue(get(client).endswith(b"hello"))
            raw = socket.socket(fileno=client.detach())
        with raw:
            raw.settimeout(DEADLINE)
            raw.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
            with contextlib.suppress(ConnectionError):
                while raw.recv(65536):
                    pass

    def test_stops(self):
        """clients that stop in the middle have a deadline, and others are served meanwhile"""
        stopped = [self.raw() for _ in range(60)]
        for number, sock in enumerate(stopped):
            sock.sendall(self.hello[: number * 4])
        for _ in range(5):
            self.assert_serves(self.port)
        for sock in stopped:
            with contextlib.suppress(ConnectionError):
                while sock.recv(65536):
                    pass
        eventually(lambda: self.proxy.sockets() < 30, "sockets of clients that stopped are closed")

    def test_stops_behind_the_server(self):
        """a client that stops once the server has said everything"""
        sock = self.raw()
        sock.sendall(self.hello)
        self.assertEqual(sock.recv(3), b"\x16\x03\x03")
        with contextlib.suppress(ConnectionError):
            while sock.recv(65536):
                pass


class Limit(TlsTest):
    """More clients that stop than there may be handshakes."""

    def test_many(self):
        """others are served all the same"""
        _, port = self.start(
            *self.a_test.arguments(), "--handshakes-max", "50", program="tls_proxy"
        )
        for _ in range(200):
            sock = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
            self.addCleanup(sock.close)
        for _ in range(3):
            self.assert_serves(port)


if __name__ == "__main__":
    main()
