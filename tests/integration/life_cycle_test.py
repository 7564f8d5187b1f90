# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""A proxy from its start to its end, and over many requests."""

import contextlib
import pathlib
import signal
import socket
import tempfile
import threading
import unittest

from harness import (
    DEADLINE,
    Client,
    Origin,
    Program,
    answer,
    eventually,
    is_instrumented,
    main,
    start_proxy,
)

GET = b"GET / HTTP/1.1\r\nHost: test.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


class Ending(unittest.TestCase):
    def setUp(self) -> None:
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.proxy, self.port = start_proxy(self.origin.port)
        self.addCleanup(self.proxy.stop_cleanly)

    def connect(self) -> Client:
        client = Client(self.port)
        self.addCleanup(client.close)
        return client

    def request_under_way(self, *beginning: bytes) -> tuple[Client, threading.Event]:
        """A client whose response has come as far as `beginning`; the event lets the rest go."""
        started, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def script(connection):
            connection.read_request()
            connection.send(*beginning)
            started.set()
            go_on.wait(DEADLINE)
            if not beginning:
                connection.send(OK + b"Content-Length: 10\r\n\r\nbegin")
            connection.send(b"other")
            connection.read_to_end()

        self.origin.next_connections(script)
        client = self.connect()
        client.send(GET)
        self.assertTrue(started.wait(DEADLINE))
        return client, go_on

    def assert_refuses(self) -> None:
        def is_refused():
            with contextlib.suppress(ConnectionError):
                socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE).close()
                return False
            return True

        eventually(is_refused, "no longer listening")

    def test_idle(self):
        """SIGTERM while nothing is under way: idle connections close, the process ends with 0"""
        clients = [self.connect() for _ in range(3)]
        for client in clients[:2]:
            self.assertEqual(client.get().status, 200)
        self.proxy.send_signal(signal.SIGTERM)
        for client in clients:
            self.assertEqual(client.wait_for_end(), b"")
        self.assertEqual(self.proxy.wait(), 0)
        self.assertNotIn("cut off", self.proxy.stderr)

    def test_drains(self):
        """SIGTERM lets a response end, with Connection: close, and then the process"""
        self.drain(signal.SIGTERM)

    def test_sigquit(self):
        """so does SIGQUIT"""
        self.drain(signal.SIGQUIT)

    def drain(self, number: int) -> None:
        client, go_on = self.request_under_way()
        idle = self.connect()
        self.assertEqual(idle.get().status, 200)
        self.proxy.send_signal(number)
        self.assertEqual(idle.wait_for_end(), b"")
        self.assert_refuses()
        self.assertTrue(self.proxy.is_running)
        go_on.set()
        response = client.read_response()
        self.assertEqual((response.body, response.first("connection")), (b"beginother", "close"))
        self.assertEqual(client.wait_for_end(), b"")
        self.assertEqual(self.proxy.wait(), 0)
        self.assertEqual(self.proxy.stderr, "")

    def test_drains_within_the_body(self):
        """the same where the head is out already"""
        client, go_on = self.request_under_way(OK + b"Content-Length: 10\r\n\r\nbegin")
        client.read_until(b"begin")
        self.proxy.send_signal(signal.SIGTERM)
        self.assert_refuses()
        go_on.set()
        self.assertEqual(client.wait_for_end(), b"other")
        self.assertEqual(self.proxy.wait(), 0)

    def test_drains_an_upload(self):
        """a request whose body is under way is served"""
        client = self.connect()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nbegin")
        eventually(lambda: b"begin" in self.origin.received, "the beginning at the origin")
        self.proxy.send_signal(signal.SIGTERM)
        self.assert_refuses()
        client.send(b"other")
        self.assertEqual(client.read_response().status, 200)
        self.assertEqual(self.proxy.wait(), 0)
        self.assertEqual(self.origin.requests[0].body, b"beginother")

    def test_second_signal(self):
        """a second SIGTERM ends the wait"""
        self.end_the_wait(signal.SIGTERM)

    def test_second_signal_fast(self):
        """so does a SIGINT behind it"""
        self.end_the_wait(signal.SIGINT)

    def test_sigpipe(self):
        """SIGPIPE is no reason to die"""
        self.proxy.send_signal(signal.SIGPIPE)
        self.assertEqual(self.connect().get().status, 200)

    def end_the_wait(self, number: int) -> None:
        client, _ = self.request_under_way(OK + b"Content-Length: 10\r\n\r\nbegin")
        client.read_until(b"begin")
        self.proxy.send_signal(signal.SIGTERM)
        self.assert_refuses()
        self.assertTrue(self.proxy.is_running)
        self.proxy.send_signal(number)
        self.assertEqual(self.proxy.wait(), 0)
        self.assertEqual(client.wait_for_end(), b"")
        self.assertIn("asked to end again: connections that are cut off: 1", self.proxy.stderr)

    def test_sigint(self):
        """SIGINT does not wait"""
        client, _ = self.request_under_way(OK + b"Content-Length: 10\r\n\r\nbegin")
        client.read_until(b"begin")
        self.proxy.send_signal(signal.SIGINT)
        self.assertEqual(self.proxy.wait(), 0)
        self.assertEqual(client.wait_for_end(), b"")

    def test_sigint_idle(self):
        """SIGINT while nothing is under way"""
        client = self.connect()
        self.assertEqual(client.get().status, 200)
        self.assertEqual(self.proxy.stop(signal.SIGINT), 0)

    def test_half_a_request(self):
        """a request whose head has begun to come is served"""
        client = self.connect()
        client.send(b"GET / HTTP/1.1\r\nHo")
        self.assertEqual(self.connect().get().status, 200)
        self.proxy.send_signal(signal.SIGTERM)
        self.assert_refuses()
        client.send(b"st: a\r\n\r\n")
        response = client.read_response()
        self.assertEqual((response.body, response.first("connection")), (b"hello", "close"))
        self.assertEqual(self.proxy.wait(), 0)

    def test_pipelined(self):
        """requests behind the one under way are not begun"""
        client, go_on = self.request_under_way()
        client.send(GET.replace(b"/ ", b"/2 "))
        self.proxy.send_signal(signal.SIGTERM)
        self.assert_refuses()
        go_on.set()
        self.assertEqual(client.read_response().first("connection"), "close")
        client.wait_for_end()
        self.assertEqual(self.proxy.wait(), 0)
        self.assertEqual(self.origin.targets, ["/"])

    def test_under_load(self):
        """SIGTERM under load: whatever response has begun is whole"""
        faults, served = [], []

        def ask_on_and_on():
            try:
                while True:
                    with Client(self.port) as client:
                        client.send(GET)
                        while client.fill():
                            response = client.read_response()
                            served.append(response)
                            assert (response.body, response.is_complete) == (b"hello", True)
                            if response.first("connection") == "close":
                                break
                            client.forget()
                            client.send(GET)
            except OSError:
                pass  # refused, or closed in between
            except Exception as error:
                faults.append(error)

        threads = [threading.Thread(target=ask_on_and_on, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(served) > 500, "load")
        self.proxy.send_signal(signal.SIGTERM)
        self.assertEqual(self.proxy.wait(), 0)
        for thread in threads:
            thread.join(DEADLINE)
        self.assertEqual(faults, [])

    def test_start_again(self):
        """the port can be used again at once"""
        self.assertEqual(self.connect().get().status, 200)
        self.proxy.stop()
        again = Program(self.proxy.argv, [self.port])
        self.addCleanup(again.stop_cleanly)
        self.assertEqual(self.connect().get().status, 200)


class Configured(unittest.TestCase):
    """What the configuration says about it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.origin = Origin()
        self.addCleanup(self.origin.stop)

    def start(self, text: str) -> tuple[Program, int]:
        file = self.folder / "conf.yaml"
        file.write_text(text)
        proxy, port = start_proxy(self.origin.port, arguments=["-c", str(file)])
        self.addCleanup(proxy.stop_cleanly)
        return proxy, port

    def test_grace_period(self):
        """what is not done when the grace period ends is cut off"""
        for seconds in (0, 1):
            with self.subTest(seconds):
                proxy, port = self.start(f"grace_period_seconds: {seconds}\n")
                started = threading.Event()

                def script(connection, started=started):
                    connection.read_request()
                    started.set()
                    connection.read_to_end()

                self.origin.next_connections(script)
                with Client(port) as client:
                    client.send(GET)
                    self.assertTrue(started.wait(DEADLINE))
                    proxy.send_signal(signal.SIGTERM)
                    self.assertEqual(client.wait_for_end(), b"")
                    self.assertEqual(proxy.wait(), 0)
                self.assertIn("did not end within the grace period", proxy.stderr)

    def test_pid_file(self):
        """the process id stands in the file while the process serves"""
        path = self.folder / "pid"
        proxy, port = self.start(f"pid_file: {path}\n")
        with Client(port) as client:
            self.assertEqual(client.get().status, 200)
        self.assertEqual(path.read_text(), f"{proxy.pid}\n")
        self.assertEqual(proxy.stop(), 0)
        self.assertFalse(path.exists())


class ManyRequests(unittest.TestCase):
    """Nothing grows with the number of requests."""

    def setUp(self) -> None:
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.proxy, self.port = start_proxy(self.origin.port)
        self.addCleanup(self.proxy.stop_cleanly)

    def check(self, requests, count: int = 2000, step: int = 1) -> None:
        """`requests()` makes `step` requests, and leaves nothing open."""
        for _ in range(200 // step):  # what is made once and kept
            requests()
        sockets, memory = self.proxy.sockets(), self.proxy.rss_kib()
        for _ in range(count // step):
            requests()
        eventually(lambda: self.proxy.sockets() <= sockets + 1, "as many sockets as before")
        if not is_instrumented():
            self.assertLess(self.proxy.rss_kib() - memory, 1024)

    def test_one_connection(self):
        """2,000 requests on one connection"""
        with Client(self.port) as client:

            def get():
                self.assertEqual(client.get().status, 200)
                client.forget()

            self.check(get)

    def test_many_connections(self):
        """2,000 connections"""

        def get():
            with Client(self.port) as client:
                self.assertEqual(client.get().status, 200)

        self.check(get)

    def test_refused(self):
        """2,000 bad requests"""

        def refuse():
            with Client(self.port) as client:
                self.assertEqual(client.exchange(b"GET  / HTTP/1.1\r\n\r\n").status, 400)

        self.check(refuse)

    def test_broken_responses(self):
        """1,000 responses that are refused, each with a connection to the origin"""
        self.origin.respond = lambda connection, request: connection.send(
            b"HTTP/1.1 2x0 OK\r\n\r\n"
        )

        def get():
            with Client(self.port) as client:
                self.assertEqual(client.get().status, 502)

        self.check(get, 1000)

    def test_vanishing_clients(self):
        """500 clients that leave while their request is served"""
        self.origin.respond = lambda connection, request: connection.read_to_end()

        def leave():
            count = len(self.origin.requests)
            with Client(self.port) as client:
                client.send(GET)
                eventually(lambda: len(self.origin.requests) > count, "the request at the origin")

        self.check(leave, 500)

    def test_uploads(self):
        """300 bodies of 200 KB"""
        body = b"x" * 200_000
        raw = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + body

        def respond(connection, request):
            connection.forget()
            connection.requests.clear()
            self.origin.requests.clear()
            answer(body)(connection, request)

        self.origin.respond = respond

        def post():
            with Client(self.port) as client:
                self.assertEqual(len(client.exchange(raw).body), 200_000)

        self.check(post, 300)


if __name__ == "__main__":
    main()
