# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 by prior knowledge to pingora-proxy: with curl, nghttp, h2load, node and python3-h2; slow
and leaving clients; shutdown; WebSockets over HTTP/2."""

import hashlib
import json
import pathlib
import random
import re
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from harness import DEADLINE, Origin, answer, eventually, main, start_proxy, websocket
from harness.h2_client import PREFACE, H2Client
from harness.peers import require, start_nginx_origin

DATA = random.Random(5).randbytes(3 * 1024 * 1024)
NO_ERROR, INTERNAL_ERROR, CANCEL = 0, 2, 8


def run(*command: str, send: bytes = b"") -> bytes:
    done = subprocess.run(command, input=send, capture_output=True, timeout=2 * DEADLINE)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stderr.decode()}")
    return done.stdout


class RealPeers(unittest.TestCase):
    """A client that people use, our proxy, nginx."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        root = pathlib.Path(folder.name) / "root"
        root.mkdir()
        (root / "data.bin").write_bytes(DATA)
        (root / "text.txt").write_bytes(DATA[:100_000])
        (root / "index.html").write_bytes(b"hello")
        origin, origin_port = start_nginx_origin(pathlib.Path(folder.name) / "origin", root)
        cls.addClassCleanup(origin.stop)
        cls.proxy, cls.port = start_proxy(origin_port, arguments=["--h2c"])
        cls.addClassCleanup(cls.proxy.stop_cleanly)
        cls.url = f"http://127.0.0.1:{cls.port}"

    def curl(self, target: str, *arguments: str, send: bytes = b"") -> bytes:
        return run(
            require("curl"),
            "--silent",
            "--show-error",
            "--noproxy",
            "*",
            "--max-time",
            str(DEADLINE),
            *arguments,
            self.url + target,
            send=send,
        )

    def test_curl(self):
        """curl gets and posts by either version on the same port"""
        for version in ("--http2-prior-knowledge", "--http1.1"):
            self.assertEqual(self.curl("/", version), b"hello")
            body = self.curl("/data.bin", version)
            self.assertEqual(hashlib.sha256(body).digest(), hashlib.sha256(DATA).digest())
            self.assertEqual(self.curl("/data.bin", version, "-r", "10-19"), DATA[10:20])
            posted = self.curl("/posted", version, "--data-binary", "@-", send=b"x" * 1000)
            self.assertEqual(posted, b"POST 1000 \n")
            head = self.curl("/", version, "--head").decode()
            self.assertRegex(head, r"^HTTP/\S+ 200")
            self.assertIn("ontent-", head)

    def test_curl_knows_the_version(self):
        """... and is told the version that it speaks"""
        for option, version in (("--http2-prior-knowledge", b"2"), ("--http1.1", b"1.1")):
            self.assertEqual(
                self.curl("/", option, "-o", "/dev/null", "-w", "%{http_version}"), version
            )

    def test_nghttp(self):
        """nghttp gets a file a hundred times, on one connection"""
        printed = run(require("nghttp"), "-n", "-s", "-m", "100", self.url + "/text.txt").decode()
        self.assertEqual(len(re.findall(r"^.*\b200\b.*text\.txt$", printed, re.M)), 100, printed)

    def test_h2load(self):
        """h2load's requests all succeed, on few and on many streams"""
        for clients, streams in ((1, 1), (8, 32), (64, 1), (2, 128)):
            printed = run(
                require("h2load"),
                f"-n{max(clients * streams * 4, 1000)}",
                f"-c{clients}",
                f"-m{streams}",
                self.url + "/",
            ).decode()
            self.assertRegex(printed, r", 0 failed, 0 errored, 0 timeout")
            self.assertRegex(printed, r" [1-9]\d* 2xx, 0 3xx, 0 4xx, 0 5xx")

    def test_node(self):
        """node's client posts and gets side by side"""
        script = """
            const http2 = require('http2');
            const client = http2.connect(process.argv[1]);
            client.on('error', (e) => { console.error(e); process.exit(1); });
            let left = 40, sizes = {};
            const done = (name, size) => {
              sizes[name] = (sizes[name] || 0) + size;
              if (--left === 0) { console.log(JSON.stringify(sizes)); client.close(); }
            };
            for (let i = 0; i < 20; i++) {
              const get = client.request({':path': '/data.bin'});
              let size = 0;
              get.on('data', (d) => { size += d.length; });
              get.on('end', () => done('got', size));
              const post = client.request({':method': 'POST', ':path': '/posted'});
              let text = '';
              post.setEncoding('utf8');
              post.on('data', (d) => { text += d; });
              post.on('end', () => done('posted', parseInt(text.split(' ')[1])));
              post.end(Buffer.alloc(50000, 'x'));
            }
        """
        printed = run(require("node"), "-e", script, self.url)
        self.assertEqual(json.loads(printed), {"got": 20 * len(DATA), "posted": 20 * 50000})


class H2Test(unittest.TestCase):
    """python3-h2, our proxy, an origin that says what it is told to."""

    def setUp(self) -> None:
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.proxy, self.port = start_proxy(self.origin.port, arguments=["--h2c"])
        self.addCleanup(self.proxy.stop_cleanly)

    def client(self, **more) -> H2Client:
        client = H2Client(self.port, **more)
        self.addCleanup(client.close)
        return client


class Messages(H2Test):
    def test_fields(self):
        """fields pass in both directions, and cookies are one field upstream"""
        self.origin.respond = answer(b"hello", "X-Answer: 1", "Connection: close")
        got = self.client().get(
            "/path?query", fields=(("x-ask", "2"), ("cookie", "a=1"), ("cookie", "b=2"))
        )
        self.assertEqual((got.status, got.body, got.fields["x-answer"]), (200, b"hello", "1"))
        self.assertNotIn("connection", got.fields)
        request = self.origin.requests[0]
        self.assertEqual(request.target, "/path?query")
        self.assertEqual(request.first("Host"), "test")
        self.assertEqual(request.first("X-Ask"), "2")
        self.assertEqual(request.first("Cookie"), "a=1; b=2")

    def test_trailers(self):
        """trailers of a chunked response come behind the body"""
        self.origin.next_connections(
            lambda connection: connection.read_request()
            and connection.send(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                b"5\r\nhello\r\n0\r\nX-Sum: 17\r\n\r\n"
            )
        )
        got = self.client().get("/", fields=(("te", "trailers"),))
        self.assertEqual((got.body, got.trailers), (b"hello", {"x-sum": "17"}))

    def test_informational(self):
        """1xx responses come first"""
        self.origin.next_connections(
            lambda connection: connection.read_request()
            and connection.send(
                b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            )
        )
        got = self.client().get("/")
        self.assertEqual((got.informational, got.status), ([103], 200))

    def test_refused_requests(self):
        """nothing of a malformed request reaches the origin, and the connection goes on"""
        client = self.client()
        for fields in (
            (("X-Upper", "1"),),
            (("connection", "close"),),
            (("transfer-encoding", "chunked"),),
            (("te", "gzip"),),
            (("x", "a\r\nb: c"),),
            (("x", " padded"),),
            (("content-length", "5"),),
            ((":path", "/again"),),
            ((":unknown", "x"),),
            (("host", "another"),),
        ):
            with self.subTest(fields=fields):
                self.assertEqual(client.get("/", fields=fields).reset, 1)
        self.assertEqual(self.origin.requests, [])
        self.assertEqual(client.get("/").status, 200)


class Slowness(H2Test):
    def test_slow_reader(self):
        """a stream that is not read stops neither the others nor itself for ever"""
        big = answer(DATA)
        small = answer(b"small")
        self.origin.respond = lambda connection, request: (
            big if request.target == "/big" else small
        )(connection, request)
        client = self.client(reads=False)
        client.h2.increment_flow_control_window(1 << 30)
        slow = client.request("/big")
        for _ in range(200):
            self.assertEqual(client.get("/small").body, b"small")
        got = client.answers[slow]
        self.assertEqual(len(got.body), 65535)
        client.h2.increment_flow_control_window(1 << 30, slow)
        client.until(lambda: got.is_over)
        self.assertEqual(got.body, DATA)

    def test_slow_writer(self):
        """requests are answered while another's body dribbles"""
        client = self.client()
        slow = client.request("/slow", "POST", end=False)
        for index in range(100):
            client.h2.send_data(slow, b"x")
            self.assertEqual(client.get("/small").status, 200, index)
        client.h2.end_stream(slow)
        client.until(lambda: client.answers[slow].is_over)
        self.assertEqual(client.answers[slow].status, 200)
        bodies = [each.body for each in self.origin.requests if each.target == "/slow"]
        self.assertEqual(bodies, [b"x" * 100])

    def test_other_client_is_quick(self):
        """a client that never reads anything does not delay another"""
        self.origin.respond = answer(DATA)
        silent = self.client(reads=False)
        for _ in range(100):
            silent.request("/")
        silent.flush()
        eventually(lambda: len(self.origin.requests) >= 100, "the requests")
        self.assertEqual(self.client().get("/").body, DATA)
        self.assertLess(self.proxy.rss_kib(), 200 * 1024)


class Leaving(H2Test):
    def test_reset_while_waiting(self):
        """a stream that is reset ends its request to the origin"""
        asked = threading.Event()

        def wait_for_close(connection):
            connection.read_request()
            asked.set()
            connection.read_to_end()

        self.origin.next_connections(wait_for_close)
        client = self.client()
        stream = client.request("/")
        client.flush()
        self.assertTrue(asked.wait(DEADLINE))
        client.h2.reset_stream(stream, CANCEL)
        client.flush()
        eventually(lambda: self.origin.connections[0].sock.fileno() == -1, "the origin told")
        self.assertEqual(client.get("/").status, 200)

    def test_reset_within_bodies(self):
        """streams are reset anywhere in either body, and the connection goes on"""
        self.origin.respond = answer(DATA)
        client = self.client(reads=False)
        client.h2.increment_flow_control_window(1 << 30)
        for turns in range(6):
            down = client.request("/down")
            up = client.request("/up", "POST", end=False)
            client.h2.send_data(up, b"x" * 1000)
            client.flush()
            got = client.answers[down]
            client.until(lambda got=got, turns=turns: len(got.body) >= turns * 10_000)
            for stream in (down, up):
                if not client.answers[stream].is_over:
                    client.h2.reset_stream(stream, CANCEL)
        self.origin.respond = answer(b"still there")
        self.assertEqual(client.get("/").body, b"still there")

    def test_connection_gone(self):
        """a client that goes away ends all its requests"""
        gone = []

        def wait_for_close(connection):
            connection.read_request()
            connection.read_to_end()
            gone.append(connection)

        self.origin.next_connections(*[wait_for_close] * 20)
        client = self.client()
        for _ in range(20):
            client.request("/")
        client.flush()
        eventually(lambda: len(self.origin.requests) == 20, "the requests")
        client.close()
        eventually(lambda: len(gone) == 20, "all told")

    def test_origin_fails(self):
        """an origin that fails in the middle resets that stream alone"""
        self.origin.next_connections(
            lambda connection: connection.read_request()
            and connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal")
        )
        client = self.client()
        got = client.get("/")
        self.assertEqual((got.status, got.body, got.reset), (200, b"hal", INTERNAL_ERROR))
        self.assertEqual(client.get("/").status, 200)


class Shutdown(H2Test):
    def test_sigterm(self):
        """requests under way are answered, the client is told, and the process ends at once"""
        asked, may_answer = threading.Event(), threading.Event()

        def respond(connection, request):
            asked.set()
            may_answer.wait(DEADLINE)
            answer(b"done")(connection, request)

        self.origin.respond = respond
        idle, busy = self.client(), self.client()
        idle.until(lambda: idle.h2.remote_settings.max_concurrent_streams == 128)
        stream = busy.request("/")
        busy.flush()
        self.assertTrue(asked.wait(DEADLINE))
        self.proxy.send_signal(signal.SIGTERM)
        self.assertEqual(idle.until_goaway(), NO_ERROR)
        busy.until(lambda: len(busy.goaways) == 2)
        self.assertFalse(busy.answers[stream].is_over)
        may_answer.set()
        busy.until(lambda: False)
        self.assertEqual(busy.answers[stream].body, b"done")
        self.assertEqual(self.proxy.wait(), 0)

    def test_silent_client(self):
        """clients that do not answer do not hold up the end"""
        silent = self.client()
        silent.turn()
        self.assertEqual(self.proxy.stop(), 0)


class Detection(H2Test):
    def test_preface_in_pieces(self):
        """the preface may come in any two pieces, and HTTP/1 in any that look like it"""
        for cut in range(1, len(PREFACE)):
            with self.subTest(cut=cut):
                self._speak_in_pieces(cut)

    def _speak_in_pieces(self, cut: int) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(PREFACE[:cut])
            # Long enough, mostly, for the pieces to be read one by one; nothing depends on it.
            threading.Event().wait(0.002)
            sock.sendall(PREFACE[cut:] + b"\0\0\0\4\0\0\0\0\0")
            self.assertEqual(sock.recv(9)[3], 4)

    def test_http1_beside(self):
        """methods that begin like the preface are HTTP/1"""
        for method in ("P", "PR", "PRI", "PROPFIND", "POST", "PUT"):
            done = run(
                require("curl"),
                "-s",
                "-X",
                method,
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                f"http://127.0.0.1:{self.port}/",
            )
            self.assertEqual(done, b"200", method)

    def test_off_by_default(self):
        """without --h2c the preface is a bad request"""
        proxy, port = start_proxy(self.origin.port)
        self.addCleanup(proxy.stop_cleanly)
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as sock:
            sock.sendall(PREFACE)
            self.assertRegex(sock.recv(100), rb"^HTTP/1\.1 [45]\d\d ")


class WebSocket(H2Test):
    def test_bridge(self):
        """an extended CONNECT becomes an Upgrade, with a key of its own"""
        self.origin.next_connections(websocket.h1_echo("Sec-WebSocket-Protocol: chat"))
        client = self.client()
        stream = websocket.connect(client, ("sec-websocket-protocol", "chat"))
        got = client.answers[stream]
        client.until(lambda: got.body == b"welcome")
        self.assertEqual(got.status, 200)
        self.assertEqual(got.fields["sec-websocket-protocol"], "chat")
        self.assertNotIn("sec-websocket-accept", got.fields)
        client.h2.send_data(stream, b"some text")
        client.until(lambda: got.body == b"welcomeSOME TEXT")
        client.h2.end_stream(stream)
        client.until(lambda: got.is_over)
        self.assertIsNone(got.reset)
        self.assertEqual(self.origin.requests[0].first("Upgrade"), "websocket")

    def test_refused(self):
        """a refusal of the origin is passed on"""
        self.origin.respond = answer(b"no", status="403 Forbidden")
        client = self.client()
        stream = websocket.connect(client)
        client.until(lambda: client.answers[stream].is_over)
        self.assertEqual(client.answers[stream].status, 403)


if __name__ == "__main__":
    main()
