# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of a proxy that speaks TLS to its clients."""

import contextlib
import pathlib
import socket
import ssl
import subprocess
import tempfile
import unittest
from collections.abc import Iterable

from .certificates import Authority, Certificate
from .origin import Origin
from .peers import require
from .program import Program, bin_dir, free_ports
from .wire import DEADLINE


class TlsTest(unittest.TestCase):
    """An origin, and a root with a certificate for a.test; each test starts what it needs more."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.authority = Authority(cls.folder)
        cls.a_test = cls.authority.issue("a", ["a.test"])
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)

    @classmethod
    def start(cls, *arguments: str | pathlib.Path, program: str = "pingora-proxy", threads=2):
        """A proxy in front of the origin, which the class stops; gives it and its port."""
        (port,) = free_ports(1)
        listen = "--tls-listen" if program == "pingora-proxy" else "--listen"
        argv = [bin_dir() / program, listen, f"127.0.0.1:{port}", "--threads", f"{threads}"]
        argv += ["--upstream", f"127.0.0.1:{cls.origin.port}", *arguments]
        proxy = Program(argv, [port])
        cls.addClassCleanup(proxy.stop_cleanly)
        return proxy, port

    def run_curl(self, port: int, host: str, *arguments: str | pathlib.Path, target: str = "/"):
        """curl as it ended; with the root of the test as the only one that it trusts."""
        command = [
            require("curl"), "--silent", "--show-error", "--max-time", str(DEADLINE),
            "--noproxy", "*", "--cacert", str(self.authority.cert),
            "--resolve", f"{host}:{port}:127.0.0.1", *map(str, arguments),
            f"https://{host}:{port}{target}",
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, timeout=2 * DEADLINE)

    def curl(self, port: int, host: str, *arguments: str | pathlib.Path, target: str = "/") -> str:
        """What curl prints; a curl that fails fails the test."""
        done = self.run_curl(port, host, *arguments, target=target)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done.args)
        return done.stdout.decode()

    def assert_serves(self, port: int, host: str = "a.test", *arguments: str | pathlib.Path):
        self.assertEqual(self.curl(port, host, *arguments), "hello")

    def s_client(self, port: int, *arguments: str | pathlib.Path, send: bytes = b"") -> str:
        """What `openssl s_client` prints, whether it ends well or not."""
        command = [
            require("openssl"), "s_client", "-connect", f"127.0.0.1:{port}",
            "-CAfile", str(self.authority.cert), *map(str, arguments),
        ]  # fmt: skip
        done = subprocess.run(
            command, input=send, capture_output=True, timeout=2 * DEADLINE
        )
        return done.stdout.decode("latin-1") + done.stderr.decode("latin-1")

    def context(self, **options) -> ssl.SSLContext:
        """For Python's own client, which trusts the root of the test."""
        context = ssl.create_default_context(cafile=str(self.authority.cert))
        for name, value in options.items():
            setattr(context, name, value)
        return context

    @contextlib.contextmanager
    def connect(self, port: int, host: str | None = "a.test", context=None, session=None):
        """Python's client, connected."""
        raw = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        context = context or self.context()
        with raw, context.wrap_socket(raw, server_hostname=host, session=session) as secured:
            yield secured

    def shown(self, port: int, host: str | None = "a.test") -> bytes:
        """The certificate (DER) that is shown for a name, whatever it is for."""
        context = self.context(check_hostname=False)
        with self.connect(port, host, context) as secured:
            return secured.getpeercert(binary_form=True)

    def der(self, certificate: Certificate) -> bytes:
        return ssl.PEM_cert_to_DER_cert(certificate.cert.read_text())

    def assert_shows(self, port: int, certificate: Certificate, host: str | None = "a.test"):
        self.assertEqual(self.shown(port, host), self.der(certificate))


def get(secured: ssl.SSLSocket, fields: Iterable[str] = (), target: str = "/") -> bytes:
    """The response to a request, which must have a Content-Length."""
    lines = [f"GET {target} HTTP/1.1", "Host: a.test", *fields, "", ""]
    secured.sendall("\r\n".join(lines).encode())
    received = b""
    while b"\r\n\r\n" not in received:
        piece = secured.recv(65536)
        if not piece:
            raise AssertionError(f"the connection ended within a head: {received!r}")
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += secured.recv(65536)
    return head + b"\r\n\r\n" + body
