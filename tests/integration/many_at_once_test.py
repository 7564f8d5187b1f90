# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Many clients of all manners, a proxy with several threads, and an origin of all manners.

Everybody gets the answer to what it asked, and nobody gets another's: each body is made of the
target that was asked for.
"""

import contextlib
import random
import threading
import traceback
import unittest

from harness import Client, Origin, main, start_proxy

CLIENTS = 16
ROUNDS = 150
OK = b"HTTP/1.1 200 OK\r\n"


def body_of(target: str, size: int) -> bytes:
    return (target.encode() * (size // len(target) + 1))[:size]


class Manners:
    """What the origin does is the first part of the target, how much the second: /chunked/99/7."""

    @staticmethod
    def parse(target: str) -> tuple[str, bytes]:
        _, manner, size, _ = target.split("/")
        return manner, body_of(target, int(size))

    def __call__(self, connection, request) -> None:
        manner, body = self.parse(request.target)
        getattr(self, manner)(connection, body)
        connection.forget()
        connection.requests.clear()

    @staticmethod
    def sized(connection, body):
        connection.send(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    @staticmethod
    def dribbled(connection, body):
        connection.send_slowly(OK + b"Content-Length: %d\r\n\r\n" % len(body))
        connection.send(body)

    @staticmethod
    def chunked(connection, body):
        half = len(body) // 2
        connection.send(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        for piece in (body[:half], body[half:]):
            if piece:
                connection.send(b"%x\r\n" % len(piece) + piece + b"\r\n")
        connection.send(b"0\r\n\r\n")

    @staticmethod
    def until_close(connection, body):
        connection.send(OK + b"\r\n" + body)
        connection.shutdown_write()

    def said_close(self, connection, body):
        connection.send(OK + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        connection.shutdown_write()

    def silent_close(self, connection, body):
        self.sized(connection, body)
        connection.shutdown_write()

    def surplus(self, connection, body):
        connection.send(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body + b"surplus")

    # From here on: what the client has to notice.

    @staticmethod
    def cut(connection, body):
        connection.send(OK + b"Content-Length: %d\r\n\r\n" % (len(body) + 1) + body)
        connection.shutdown_write()

    @staticmethod
    def malformed(connection, body):
        connection.send(b"HTTP/1.1 2x0 OK\r\n\r\n")

    @staticmethod
    def nothing(connection, body):
        connection.shutdown_write()


GOOD = ["sized", "dribbled", "chunked", "until_close", "said_close", "silent_close", "surplus"]


class Talker:
    """A client that goes on and on, each time in another manner."""

    def __init__(self, number: int, port: int):
        self.number = number
        self.port = port
        self.random = random.Random(number)
        self.client: Client | None = None
        self.count = 0
        self.failures: list[str] = []

    def run(self) -> None:
        manners = [
            self.get,
            self.get,
            self.post,
            self.pipeline,
            self.half,
            self.vanish,
            self.last,
            self.cut,
            self.refused,
            self.malformed,
        ]
        for _ in range(ROUNDS):
            manner = self.random.choice(manners)
            try:
                if self.client is None:
                    self.client = Client(self.port)
                manner(self.client)
                if self.client is not None:
                    self.client.forget()
            except Exception:
                self.failures.append(f"{manner.__name__}: {traceback.format_exc()}")
                self.hang_up()
        self.hang_up()

    def hang_up(self) -> None:
        if self.client is not None:
            self.client.close()
        self.client = None

    def target(self, *manners: str) -> str:
        self.count += 1
        size = self.random.choice([0, 1, 100, 5000, 100_000])
        return f"/{self.random.choice(manners or GOOD)}/{size}/{self.number}-{self.count}"

    @staticmethod
    def request(target: str, *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
        lines = [f"{method} {target} HTTP/1.1", "Host: test.example", *fields, "", ""]
        return "\r\n".join(lines).encode() + body

    @staticmethod
    def expect(response, target: str) -> None:
        _, body = Manners.parse(target)
        assert (response.status, response.is_complete) == (200, True), response
        assert response.body == body, f"{target}: another body: {response.body[:60]!r}"

    def get(self, client: Client) -> None:
        target = self.target()
        self.expect(client.exchange(self.request(target)), target)

    def post(self, client: Client) -> None:
        target, body = self.target(), b"x" * self.random.choice([0, 10, 50_000])
        client.send(self.request(target, f"Content-Length: {len(body)}", method="POST"), body)
        response = client.read_final_response()
        # It met a connection that was just being closed, and may not be sent twice.
        if response.status == 502:
            self.hang_up()
        else:
            self.expect(response, target)

    def pipeline(self, client: Client) -> None:
        targets = [self.target() for _ in range(4)]
        client.send(b"".join(map(self.request, targets)))
        for target in targets:
            self.expect(client.read_response(), target)

    def half(self, client: Client) -> None:
        """A request in two pieces, with another client's turn in between."""
        target = self.target()
        raw = self.request(target)
        at = self.random.randrange(1, len(raw))
        client.send(raw[:at])
        with contextlib.closing(Client(self.port)) as other:
            other_target = self.target()
            self.expect(other.exchange(self.request(other_target)), other_target)
        client.send(raw[at:])
        self.expect(client.read_response(), target)

    def vanish(self, client: Client) -> None:
        client.send(self.request(self.target()))
        if self.random.random() < 0.5:
            client.reset()
        self.hang_up()

    def last(self, client: Client) -> None:
        target = self.target()
        self.expect(client.exchange(self.request(target, "Connection: close")), target)
        assert client.wait_for_end() == b""
        self.hang_up()

    def cut(self, client: Client) -> None:
        response = client.exchange(self.request(self.target("cut")))
        assert (response.status, response.is_complete) == (200, False), response
        self.hang_up()

    def refused(self, client: Client) -> None:
        client.send(b"GET / HTTP/1.1\r\nHost : test.example\r\n\r\n")
        assert client.read_response().status == 400
        self.hang_up()

    def malformed(self, client: Client) -> None:
        response = client.exchange(self.request(self.target("malformed", "nothing")))
        assert response.status == 502, response
        self.hang_up()


class ManyAtOnce(unittest.TestCase):
    def run_with(self, *arguments: str) -> None:
        origin = Origin(Manners())
        self.addCleanup(origin.stop)
        proxy, port = start_proxy(origin.port, threads=4, arguments=arguments)
        self.addCleanup(proxy.stop_cleanly)
        talkers = [Talker(number, port) for number in range(CLIENTS)]
        threads = [threading.Thread(target=talker.run, daemon=True) for talker in talkers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(100)
        failures = [failure for talker in talkers for failure in talker.failures]
        if failures:
            self.fail(f"{len(failures)} failures, the first:\n{failures[0]}")
        self.assertEqual(origin.failures, [])
        self.assertEqual(proxy.stop(), 0, proxy.stderr)

    def test_stealing(self):
        """with work stealing"""
        self.run_with()

    def test_no_stealing(self):
        """without it"""
        self.run_with("--no-work-stealing")


if __name__ == "__main__":
    main()
