# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""pingora-proxy among what it stands beside: nginx, HAProxy, curl, wrk and h2load."""

import hashlib
import json
import pathlib
import random
import re
import subprocess
import tempfile
import unittest

from harness import DEADLINE, main, start_proxy
from harness.peers import require, start_haproxy, start_nginx_origin, start_nginx_proxy

PAGE = b"<!doctype html><title>hello</title>\n"
TEXT = b"All work and no play.\n" * 5000
DATA = random.Random(2).randbytes(5 * 1024 * 1024)


class PeersTest(unittest.TestCase):
    """nginx with three files as the origin, and one of our proxies in front of it."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        root = cls.folder / "root"
        root.mkdir()
        for name, content in (("index.html", PAGE), ("text.txt", TEXT), ("data.bin", DATA)):
            (root / name).write_bytes(content)
        cls.origin, cls.origin_port = start_nginx_origin(cls.folder / "origin", root)
        cls.addClassCleanup(cls.origin.stop)
        cls.port = cls.start_proxy(cls.origin_port)

    @classmethod
    def start_proxy(cls, behind: int) -> int:
        proxy, port = start_proxy(behind)
        cls.addClassCleanup(proxy.stop_cleanly)
        return port

    def curl(
        self, target: str, *arguments: str, port: int | None = None, send: bytes = b""
    ) -> bytes:
        """What curl prints; a curl that fails fails the test."""
        command = [
            require("curl"),
            "--silent",
            "--show-error",
            "--max-time",
            str(DEADLINE),
            "--noproxy",
            "*",
            *arguments,
            f"http://127.0.0.1:{port or self.port}{target}",
        ]
        done = subprocess.run(command, input=send, capture_output=True, timeout=2 * DEADLINE)
        self.assertEqual((done.returncode, done.stderr), (0, b""), command)
        return done.stdout

    def status(self, target: str, *arguments: str, port: int | None = None) -> int:
        return int(
            self.curl(target, "-o", "/dev/null", "-w", "%{http_code}", *arguments, port=port)
        )

    def assert_is_data(self, body: bytes) -> None:
        self.assertEqual(hashlib.sha256(body).digest(), hashlib.sha256(DATA).digest())

    def assert_proxies(self, port: int) -> None:
        """What has to work through any chain of proxies."""
        self.assertEqual(self.curl("/", port=port), PAGE)
        self.assertEqual(self.curl("/", "--http1.0", port=port), PAGE)
        self.assert_is_data(self.curl("/data.bin", port=port))
        self.assertEqual(self.curl("/data.bin", "-r", "10-19", port=port), DATA[10:20])
        self.assertEqual(self.curl("/text.txt", "--compressed", port=port), TEXT)
        self.assertEqual(self.status("/missing", port=port), 404)
        self.assertEqual(self.status("/", "--head", port=port), 200)
        self.assertEqual(
            self.curl("/posted", "--data-binary", "@-", port=port, send=b"x" * 1000),
            b"POST 1000 \n",
        )
        self.assertIn(
            b"POST",
            self.curl(
                "/posted",
                "-X",
                "POST",
                "-H",
                "Transfer-Encoding: chunked",
                "--data-binary",
                "@-",
                port=port,
                send=DATA,
            ),
        )


class Curl(PeersTest):
    """curl, our proxy, nginx."""

    def test_all(self):
        """what has to work through any proxy"""
        self.assert_proxies(self.port)

    def test_without_the_proxy(self):
        """... works without it too"""
        self.assert_proxies(self.origin_port)

    def test_head(self):
        """--head tells the same as GET"""
        fields = [
            line
            for line in self.curl("/data.bin", "--head").decode().splitlines()
            if not line.startswith("Date:")
        ]
        direct = [
            line
            for line in self.curl("/data.bin", "--head", port=self.origin_port)
            .decode()
            .splitlines()
            if not line.startswith(("Date:", "Connection:"))
        ]
        self.assertEqual(fields, direct)

    def test_not_modified(self):
        """a condition that holds is 304"""
        etag = re.search(r"ETag: (\S+)", self.curl("/", "--head").decode()).group(1)
        self.assertEqual(self.status("/", "-H", f"If-None-Match: {etag}"), 304)

    def test_several_ranges(self):
        """several ranges come in one body"""
        body = self.curl("/data.bin", "-r", "0-9,100-109")
        self.assertIn(DATA[100:110], body)
        self.assertEqual(self.status("/data.bin", "-r", "99999999-"), 416)

    def test_compressed(self):
        """what nginx compresses arrives compressed, in chunks"""
        head = self.curl("/text.txt", "--compressed", "-o", "/dev/null", "-D", "-").decode()
        self.assertRegex(head, "(?i)content-encoding: gzip")
        self.assertRegex(head, "(?i)transfer-encoding: chunked")

    def test_one_connection(self):
        """curl stays on one connection for several requests"""
        url = f"http://127.0.0.1:{self.port}/data.bin"
        more = [part for _ in range(4) for part in ("-o", "/dev/null", url)]
        made = self.curl("/", "-w", "%{num_connects} ", "-o", "/dev/null", *more)
        self.assertEqual(sum(map(int, made.split())), 1)

    def test_redirect(self):
        """--location follows a redirect"""
        self.assertEqual(self.curl("/moved", "--location"), PAGE)

    def test_expect(self):
        """a large POST, before which curl asks with Expect: 100-continue"""
        head = self.curl(
            "/posted",
            "-v",
            "--stderr",
            "/dev/null",
            "-H",
            "Expect: 100-continue",
            "--data-binary",
            "@-",
            send=DATA,
        )
        self.assertEqual(head, f"POST {len(DATA)} \n".encode())

    def test_upload(self):
        """-T, with a body of unknown length"""
        self.assertIn(b"PUT", self.curl("/posted", "-T", "-", send=DATA))

    def test_what_nginx_sees(self):
        """nginx sees the client's Host and address, a connection that stays, and HTTP/1.1"""
        self.assertEqual(
            self.curl(
                "/seen", "--http1.0", "-H", "Host: a.example", "-H", "X-Forwarded-For: 1.2.3.4"
            ),
            b"a.example 127.0.0.1  HTTP/1.1\n",
        )

    def test_timing(self):
        """curl finds nothing odd about the response"""
        facts = json.loads(self.curl("/", "-o", "/dev/null", "-w", "%{json}"))
        self.assertEqual((facts["http_version"], facts["size_download"]), ("1.1", len(PAGE)))


class Chains(PeersTest):
    """Our proxy before and behind others."""

    def in_chain(self, start, behind: int) -> int:
        self.count = getattr(self, "count", 0) + 1
        peer, port = start(self.folder / f"{self.id()}-{self.count}", behind)
        self.addCleanup(peer.stop)
        return port

    def test_behind_nginx(self):
        """nginx, our proxy, nginx"""
        self.assert_proxies(self.in_chain(start_nginx_proxy, self.port))

    def test_behind_haproxy(self):
        """HAProxy, our proxy, nginx"""
        self.assert_proxies(self.in_chain(start_haproxy, self.port))

    def test_before_haproxy(self):
        """our proxy, HAProxy, nginx"""
        self.assert_proxies(self.start_proxy(self.in_chain(start_haproxy, self.origin_port)))

    def test_before_nginx(self):
        """our proxy, nginx as a proxy, nginx"""
        self.assert_proxies(self.start_proxy(self.in_chain(start_nginx_proxy, self.origin_port)))

    def test_twice(self):
        """our proxy, our proxy, nginx"""
        self.assert_proxies(self.start_proxy(self.port))


class Load(PeersTest):
    """Two seconds of load without one error. How much it was is for benchmarks to say."""

    def run_tool(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def wrk(self, target: str, *arguments: str) -> None:
        report = self.run_tool(
            require("wrk"),
            "-t1",
            "-c32",
            "-d2s",
            *arguments,
            f"http://127.0.0.1:{self.port}{target}",
        )
        self.assertNotIn("Socket errors", report)
        self.assertNotIn("Non-2xx", report)
        self.assertGreater(int(re.search(r"(\d+) requests in", report).group(1)), 100)

    def test_wrk(self):
        """wrk with kept-alive connections"""
        self.wrk("/")

    def test_wrk_large(self):
        """wrk with large bodies"""
        self.wrk("/text.txt")

    def test_wrk_close(self):
        """wrk with a connection for each request"""
        self.wrk("/", "-H", "Connection: close")

    def test_h2load(self):
        """h2load with pipelined requests"""
        report = self.run_tool(
            require("h2load"), "--h1", "-c8", "-m4", "-D2", f"http://127.0.0.1:{self.port}/"
        )
        numbers = re.search(
            r"requests: (\d+) total.* (\d+) failed, (\d+) errored, (\d+) timeout", report
        )
        self.assertGreater(int(numbers.group(1)), 100)
        self.assertEqual(numbers.group(2, 3, 4), ("0", "0", "0"), report)


if __name__ == "__main__":
    main()
