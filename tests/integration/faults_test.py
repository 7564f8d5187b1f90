# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong around a proxy: origins, clients and descriptors."""

import contextlib
import pathlib
import re
import resource
import socket
import threading
import time
import unittest

from harness import (
    DEADLINE,
    Client,
    Origin,
    ProxyTest,
    answer,
    eventually,
    free_ports,
    is_instrumented,
    main,
    start_proxy,
)

GET = b"GET / HTTP/1.1\r\nHost: test.example\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: test.example\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


class StaleConnections(ProxyTest):
    """Connections to the origin that die while nobody uses them, or under the next request."""

    def die_under_second_request(self, *last_words: bytes):
        """The next connection answers one request, and ends when it has the next."""

        def script(connection):
            connection.read_request()
            answer(b"first")(connection, connection.requests[0])
            connection.read_request()
            connection.send(*last_words)

        self.origin.next_connections(script)

    def test_closed_while_idle(self):
        """one that was closed while idle is not used, whatever the method"""
        for raw in (GET, POST + b"Content-Length: 2\r\n\r\nhi"):
            with self.subTest(raw[:4]):
                self.origin.forget()

                def script(connection):
                    connection.read_request()
                    answer(b"first")(connection, connection.requests[0])

                self.origin.next_connections(script)
                client = self.connect()
                self.assertEqual(client.get("/first").body, b"first")
                # The script's end waits for the proxy to close its side.
                eventually(lambda: self.origin.connections[0].sock.fileno() < 0, "closed by both")
                self.assertEqual(client.exchange(raw).body, b"hello")
                self.assertEqual([len(each.requests) for each in self.origin.connections], [1, 1])

    def test_get_is_repeated(self):
        """GET that meets a dying connection is sent again on another one"""
        self.die_under_second_request()
        client = self.connect()
        self.assertEqual(client.get("/first").body, b"first")
        self.assertEqual(client.get("/second").body, b"hello")
        self.assertEqual(self.origin.targets, ["/first", "/second", "/second"])

    def test_put_is_repeated(self):
        """PUT, which may be repeated, is sent again with its body"""
        self.die_under_second_request()
        client = self.connect()
        client.get("/first")
        response = client.exchange(
            b"PUT /put HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        )
        self.assertEqual(response.status, 200)
        self.assertEqual(
            [(each.target, each.body) for each in self.origin.requests[1:]],
            [("/put", b"hello"), ("/put", b"hello")],
        )

    def test_post_is_not_repeated(self):
        """POST that the origin has read is not sent again: 502"""
        self.die_under_second_request()
        client = self.connect()
        client.get("/first")
        response = client.exchange(POST + b"Content-Length: 5\r\n\r\nhello")
        self.assertEqual(response.status, 502)
        self.ask_fence()
        self.assertEqual(self.origin.targets, ["/first", "/", "/fence"])

    def test_not_repeated_behind_a_byte(self):
        """nor is a GET whose response has begun"""
        self.die_under_second_request(b"HTTP/1.1 2")
        client = self.connect()
        client.get("/first")
        self.assertEqual(client.get("/second").status, 502)
        self.assertEqual(self.origin.targets, ["/first", "/second"])

    def test_not_repeated_on_a_new_connection(self):
        """nor is one that failed on a connection that was new"""
        self.origin.next_connections(lambda connection: connection.read_request())
        self.assertEqual(self.ask(GET).status, 502)
        self.assertEqual(self.origin.targets, ["/"])

    def test_many_stale(self):
        """several dying connections in a row are all passed over"""
        clients = [self.connect() for _ in range(4)]
        go = threading.Barrier(5)

        def script(connection):
            connection.read_request()
            go.wait(DEADLINE)
            answer(b"first")(connection, connection.requests[0])
            connection.read_request()

        self.origin.next_connections(*[script] * 4)
        for client in clients:
            client.send(GET)
        go.wait(DEADLINE)
        for client in clients:
            self.assertEqual(client.read_response().body, b"first")
        self.assertEqual(clients[0].get("/again").body, b"hello")
        self.assertLessEqual(self.origin.targets.count("/again"), 5)

    def test_reset(self):
        """a reset instead of a response is 502"""

        def script(connection):
            connection.read_request()
            connection.reset()

        self.origin.next_connections(script)
        self.assertEqual(self.ask(POST + b"Content-Length: 0\r\n\r\n").status, 502)

    def test_reset_in_the_body(self):
        """a reset within the body is no end of it, also of one that ends with the connection"""
        for head in (
            b"Content-Length: 10\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
            b"\r\n",
        ):
            with self.subTest(head):
                self.origin.forget()
                may_reset = threading.Event()

                def script(connection, head=head, may_reset=may_reset):
                    connection.read_request()
                    connection.send(OK + head + b"begin")
                    may_reset.wait(DEADLINE)
                    connection.reset()

                self.origin.next_connections(script)
                client = self.connect()
                client.send(GET)
                client.read_until(b"begin")
                may_reset.set()
                rest = client.wait_for_end()
                self.assertNotIn(b"0\r\n\r\n", rest)

    def test_reset_at_once_in_the_body(self):
        """nor is one right behind the beginning of it, so that both arrive together"""
        for head in (b"Content-Length: 10\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\n"):
            with self.subTest(head):
                self.origin.forget()

                def script(connection, head=head):
                    connection.read_request()
                    connection.send(OK + head + b"begin")
                    connection.reset()

                self.origin.next_connections(script)
                client = self.connect()
                client.send(GET)
                self.assertFalse(client.wait_for_end().endswith(b"0\r\n\r\n"))

    def test_early_answer_and_close(self):
        """an origin that answers and closes while the body is sent: its answer counts"""

        def script(connection):
            connection.read_request_head()
            answer(b"no", "Connection: close", status="413 Too Large")(
                connection, connection.requests[0]
            )

        self.origin.next_connections(script)
        client = self.connect()
        client.send(POST + b"Content-Length: 2000000\r\n\r\n")
        with contextlib.suppress(OSError):
            client.send(b"x" * 2_000_000)
        response = client.read_response()
        self.assertEqual((response.status, response.body), (413, b"no"))


class VanishingClients(ProxyTest):
    """A client that goes ends the work that was done for it."""

    def work_ends(self, request: bytes, leave, before=b"", then=None) -> None:
        started, ended = threading.Event(), threading.Event()

        def script(connection):
            connection.read_request_head()
            connection.send(before)
            started.set()
            if then:
                then(connection)
            connection.read_to_end()
            ended.set()

        self.origin.next_connections(script)
        client = Client(self.port)
        client.send(request)
        self.assertTrue(started.wait(DEADLINE))
        if before:
            client.read_until(b"begin")
        leave(client)
        self.assertTrue(ended.wait(DEADLINE), "the request goes on without its client")
        self.ask_fence()

    def test_while_waiting(self):
        """closed while the origin works"""
        self.work_ends(GET, Client.close)

    def test_reset_while_waiting(self):
        """reset while the origin works"""
        self.work_ends(GET, Client.reset)

    def test_reset_at_once(self):
        """reset right behind a request, or a part of one, so that both arrive together"""
        self.origin.respond = lambda connection, request: connection.read_to_end()
        before = self.proxy.sockets()
        upload = POST + b"Content-Length: 9\r\n\r\nbegin"
        for raw in [GET, upload, *(GET[:size] for size in range(1, len(GET)))]:
            client = Client(self.port)
            client.send(raw)
            client.reset()
        eventually(lambda: self.proxy.sockets() <= before, "the proxy closing what was reset")

    def test_behind_pipelined_requests(self):
        """gone behind more requests than the proxy reads ahead"""
        for leave in (Client.close, Client.shutdown_write, Client.reset):
            with self.subTest(leave.__name__):
                self.origin.forget()
                self.work_ends(GET * 1000, leave)

    def test_after_body(self):
        """closed while the origin works on a POST"""
        self.work_ends(POST + b"Content-Length: 5\r\n\r\nhello", Client.close)

    def test_in_the_response(self):
        """reset while the response is under way"""
        self.work_ends(GET, Client.reset, OK + b"Content-Length: 1000\r\n\r\nbegin")

    def test_in_a_stream(self):
        """closed while an endless response is under way"""

        def pour(connection):
            with contextlib.suppress(OSError):
                while True:
                    connection.send(b"x" * 65536)

        self.work_ends(GET, Client.close, OK + b"\r\nbegin", pour)

    def test_half_closed_behind_a_full_window(self):
        """its sending end closed while the proxy cannot write to it: the proxy lives on"""
        poured = threading.Event()

        def script(connection):
            connection.read_request()
            connection.send(OK + b"Content-Length: 67108864\r\n\r\n")
            with contextlib.suppress(OSError):
                for _ in range(64):
                    connection.send(b"x" * 1048576)
            poured.set()

        self.origin.next_connections(script)
        client = Client(self.port)
        client.send(GET)
        client.read_until(b"\r\n\r\n")
        client.shutdown_write()
        poured.wait(0.5)  # as long as the proxy looks again, and longer
        client.close()
        self.ask_fence()

    def test_in_the_upload(self):
        """closed within the body: the origin sees no end of it"""
        for framing in (
            b"Content-Length: 10\r\n\r\nbegin",
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n",
        ):
            with self.subTest(framing):
                started, rests = threading.Event(), []

                def script(connection, started=started, rests=rests):
                    connection.read_request_head()
                    connection.read_until(b"begin")
                    started.set()
                    rests.append(connection.read_to_end())

                self.origin.next_connections(script)
                client = Client(self.port)
                client.send(POST + framing)
                self.assertTrue(started.wait(DEADLINE))
                client.close()
                eventually(lambda: rests, "the origin sees that the client has left")
                self.assertIn(rests[0], (b"", b"\r\n"))


class Unreachable(unittest.TestCase):
    def start(self, *origins: int, **more):
        proxy, port = start_proxy(*origins, **more)
        self.addCleanup(proxy.stop_cleanly)
        return proxy, port

    def get(self, port: int):
        with Client(port) as client:
            return client.get()

    def test_dead_origin(self):
        """an origin that does not listen is 502, and the proxy goes on"""
        _, port = self.start(*free_ports(1))
        for _ in range(3):
            response = self.get(port)
            self.assertEqual((response.status, response.is_complete), (502, True))

    def test_log_of_a_dead_origin(self):
        """requests that fail for the same reason are a line a second, which says how many"""
        proxy, port = self.start(*free_ports(1))

        def lines():
            return [line for line in proxy.stderr.splitlines() if "request failed" in line]

        def failures():
            more = re.findall(r"; (\d+) more since the last such line", proxy.stderr)
            return len(lines()) + sum(map(int, more))

        began = time.monotonic()
        for _ in range(200):
            self.assertEqual(self.get(port).status, 502)
        self.assertIn(len(lines()), range(1, int(time.monotonic() - began) + 3))
        time.sleep(1.1)  # the next interval
        self.get(port)
        eventually(lambda: failures() == 201, "each failure is counted")

    def test_one_of_three(self):
        """a dead one among living ones is passed over"""
        origins = [Origin(answer(b"%d" % number)) for number in range(2)]
        for origin in origins:
            self.addCleanup(origin.stop)
        (dead,) = free_ports(1)
        _, port = self.start(origins[0].port, dead, origins[1].port)
        self.assertEqual({self.get(port).body for _ in range(9)}, {b"0", b"1"})
        with Client(port) as client:
            for _ in range(9):
                response = client.exchange(POST + b"Content-Length: 2\r\n\r\nhi")
                self.assertEqual(response.status, 200)

    def test_one_of_two_at_once(self):
        """with one of two dead and requests side by side, each finds the living one"""
        origin = Origin()
        self.addCleanup(origin.stop)
        (dead,) = free_ports(1)
        proxy, port = self.start(origin.port, dead, threads=2)
        statuses = []

        def ask():
            with Client(port) as client:
                statuses.extend(client.get().status for _ in range(50))

        threads = [threading.Thread(target=ask, daemon=True) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
        self.assertEqual(statuses, [200] * 800)
        # Not a line for each of the 400 retries, which take no minute.
        lines = [line for line in proxy.stderr.splitlines() if "retrying" in line]
        self.assertIn(len(lines), range(1, 60))

    def test_round_robin(self):
        """several origins are asked in turn"""
        origins = [Origin(answer(b"%d" % number)) for number in range(3)]
        for origin in origins:
            self.addCleanup(origin.stop)
        _, port = self.start(*(origin.port for origin in origins))
        bodies = [self.get(port).body for _ in range(9)]
        self.assertEqual(bodies[:3] * 3, bodies)
        self.assertEqual(sorted(bodies[:3]), [b"0", b"1", b"2"])

    def test_origin_comes_back(self):
        """an origin that comes back is used again"""
        (origin_port,) = free_ports(1)
        _, port = self.start(origin_port)
        self.assertEqual(self.get(port).status, 502)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", origin_port))
            listener.listen()
            listener.settimeout(DEADLINE)
            with Client(port) as client:
                client.send(GET)
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(OK + b"Content-Length: 4\r\n\r\nback")
                    self.assertEqual(client.read_response().body, b"back")


class Descriptors(unittest.TestCase):
    @unittest.skipIf(is_instrumented(), "a sanitizer needs descriptors too")
    def test_out_of_descriptors(self):
        """out of descriptors, accepting pauses; when there are some again, everybody is served"""
        origin = Origin()
        self.addCleanup(origin.stop)

        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

        proxy, port = start_proxy(origin.port, before_exec=limit)
        self.addCleanup(proxy.stop_cleanly)
        clients = [Client(port) for _ in range(100)]
        for client in clients:
            self.addCleanup(client.close)
            client.send(GET)
        # Some are served, or told that there is no way to the origin; the others wait in the queue.
        eventually(
            lambda: len(list(pathlib.Path(f"/proc/{proxy.pid}/fd").iterdir())) >= 60,
            "the proxy being out of descriptors",
        )
        cpu = proxy_cpu(proxy.pid)
        response = clients[0].read_response()
        self.assertIn(response.status, (200, 500, 502, 503))
        for client in clients[:90]:
            client.close()
        for client in clients[90:]:
            self.assertIn(client.read_response().status, (200, 500, 502, 503))
        with Client(port) as client:
            self.assertEqual(client.get().status, 200)
        pauses = [line for line in proxy.stderr.splitlines() if "accepting pauses" in line]
        self.assertEqual(len(pauses), 1, proxy.stderr)
        self.assertIn("Too many open files", pauses[0])
        # Waiting for descriptors is waiting, not asking for them again and again.
        self.assertLess(proxy_cpu(proxy.pid) - cpu, 200)


def proxy_cpu(pid: int) -> int:
    """Clock ticks of CPU time."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


if __name__ == "__main__":
    main()
