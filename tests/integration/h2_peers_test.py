# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 to upstreams that users have: nginx over TLS and without, nghttpd; under h2load."""

import collections
import hashlib
import pathlib
import random
import re
import subprocess
import tempfile
import unittest

from harness import DEADLINE, Client, Origin, Program, free_ports, main, start_proxy, websocket
from harness.certificates import Authority
from harness.h2_client import H2Client
from harness.peers import log_lines, require, start_nginx

DATA = random.Random(4).randbytes(5 * 1024 * 1024)

# What a request came by, on which connection; files; and an origin of WebSockets, which nginx has
# over HTTP/1.1 only.
NGINX = """
  log_format connection '$connection';
  {more}
  server {{
    listen 127.0.0.1:{port} {listen};
    ssl_certificate {cert};
    ssl_certificate_key {key};
    root {root};
    access_log {log} connection;
    location = /protocol {{ return 200 "$server_protocol $host"; }}
    location = /chat {{
      proxy_pass http://127.0.0.1:{behind};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header X-Protocol $server_protocol;
    }}
  }}
"""


class H2PeersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.authority = Authority(cls.folder)
        cls.certificate = cls.authority.issue("a", ["a.test"])
        cls.root = cls.folder / "root"
        cls.root.mkdir()
        (cls.root / "index.html").write_bytes(b"x" * 128)
        (cls.root / "data.bin").write_bytes(DATA)
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)

    def setUp(self) -> None:
        self.origin.forget()

    def start_nginx(self, name: str, listen: str, more: str = "") -> int:
        (port,) = free_ports(1)
        self.log = self.folder / f"{name}.log"
        http = NGINX.format(
            port=port,
            listen=listen,
            root=self.root,
            behind=self.origin.port,
            log=self.log,
            more=more,
            cert=self.certificate.cert,
            key=self.certificate.key,
        )
        program = start_nginx(self.folder / name, http, port)
        self.addCleanup(program.stop)
        return port

    def start_proxy(self, behind: int, http: str, *arguments: str) -> int:
        proxy, port = start_proxy(
            behind, threads=2, arguments=["--h2c", "--upstream-http", http, *arguments]
        )
        self.addCleanup(proxy.stop_cleanly)
        return port

    def start_tls_proxy(self, behind: int, http: str) -> int:
        ca = str(self.authority.cert)
        return self.start_proxy(
            behind, http, "--upstream-tls", "--sni", "a.test", "--upstream-ca", ca
        )

    def ask(self, port: int, target: str = "/protocol"):
        with Client(port) as client:
            return client.get(target)

    def load(self, port: int, requests: int, *arguments: str) -> None:
        """All are answered."""
        command = [require("h2load"), "-n", str(requests), *arguments]
        command.append(f"http://127.0.0.1:{port}/index.html")
        done = subprocess.run(command, capture_output=True, text=True, timeout=8 * DEADLINE)
        self.assertIn(f"{requests} succeeded, 0 failed, 0 errored", done.stdout, done.stderr)

    def test_alpn(self) -> None:
        """Both sides' wishes decide."""
        h2 = self.start_nginx("h2", "ssl http2")
        for http, expected in (("h1", "1.1"), ("h2", "2.0"), ("auto", "2.0")):
            port = self.start_tls_proxy(h2, http)
            for _ in range(3):
                response = self.ask(port)
                self.assertEqual(response.status, 200)
                self.assertEqual(response.body, f"HTTP/{expected} test.example".encode())

    def test_a_server_without_http2(self) -> None:
        h1 = self.start_nginx("h1", "ssl")
        port = self.start_tls_proxy(h1, "auto")
        for _ in range(5):
            self.assertEqual(self.ask(port).body, b"HTTP/1.1 test.example")
        self.assertEqual(len(set(log_lines(self.log, 5))), 1)
        self.assertEqual(self.ask(self.start_tls_proxy(h1, "h2")).status, 502)

    def check_websocket_http1(self, port: int) -> None:
        self.origin.next_connections(websocket.h1_echo())
        with Client(port) as client:
            websocket.upgrade(client)
            response = client.read_response()
            self.assertEqual(response.status, 101)
            accept = websocket.accept_of(websocket.KEY)
            self.assertEqual(response.first("sec-websocket-accept"), accept)
            self.assertEqual(client.read_exactly(7), b"welcome")
            client.send(b"some text")
            self.assertEqual(client.read_exactly(9), b"SOME TEXT")

    def check_websocket_http2(self, port: int) -> None:
        self.origin.next_connections(websocket.h1_echo())
        with H2Client(port) as client:
            stream = websocket.connect(client)
            got = client.answers[stream]
            client.until(lambda: got.body == b"welcome")
            self.assertEqual(got.status, 200)
            client.h2.send_data(stream, b"some text")
            client.until(lambda: got.body == b"welcomeSOME TEXT")
            self.assertEqual(got.body, b"welcomeSOME TEXT")

    def test_a_websocket_goes_by_http1(self) -> None:
        """Also to a server that has chosen HTTP/2, by which other requests go on."""
        for name, listen, version in (("chat", "ssl", "1.1"), ("chat_h2", "ssl http2", "2.0")):
            port = self.start_tls_proxy(self.start_nginx(name, listen), "auto")
            for _ in range(2):
                self.assertEqual(self.ask(port).body, f"HTTP/{version} test.example".encode())
                self.check_websocket_http1(port)
                self.check_websocket_http2(port)
            by = [request.first("X-Protocol") for request in self.origin.requests]
            self.assertEqual(by, ["HTTP/1.1"] * 4)
            self.origin.forget()

    def test_large_bodies(self) -> None:
        port = self.start_tls_proxy(self.start_nginx("large", "ssl http2"), "h2")
        for _ in range(3):
            response = self.ask(port, "/data.bin")
            self.assertTrue(response.is_complete)
            self.assertEqual(
                hashlib.sha256(response.body).digest(), hashlib.sha256(DATA).digest()
            )

    def test_connections_that_are_retired_under_load(self) -> None:
        """nginx says GOAWAY behind every 500th request; nobody notices."""
        more = "keepalive_requests 500;"
        port = self.start_proxy(self.start_nginx("retiring", "http2", more), "h2")
        self.load(port, 10000, "-c", "16", "-m", "4")
        self.load(port, 5000, "-c", "16", "--h1")
        counts = collections.Counter(log_lines(self.log, 15000))
        self.assertEqual(sum(counts.values()), 15000)
        self.assertLess(len(counts), 120)

    def test_few_connections(self) -> None:
        """64 clients, one connection to nghttpd: its log names the connection of each stream."""
        (behind,) = free_ports(1)
        nghttpd = Program(
            [require("nghttpd"), "--no-tls", "-v", "-d", self.root, str(behind)], [behind]
        )
        self.addCleanup(nghttpd.stop)
        port = self.start_proxy(behind, "h2")
        self.load(port, 5000, "-c", "64")
        self.load(port, 5000, "-c", "64", "--h1")
        nghttpd.stop()
        streams = re.findall(r"\[id=(\d+)\] \[[^]]*\] recv \(stream_id", nghttpd.stdout)
        self.assertLessEqual(len(set(streams)), 2)


if __name__ == "__main__":
    main()
