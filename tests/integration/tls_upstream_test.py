# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""TLS from pingora-proxy to its upstreams: nginx and openssl s_server as origins."""

import pathlib
import random
import re
import socket
import ssl
import subprocess
import tempfile
import unittest

from harness import DEADLINE, Program, bin_dir, eventually, free_ports, main, start_proxy
from harness.certificates import Authority, Certificate
from harness.client import Client
from harness.peers import log_lines, require, start_nginx

DATA = random.Random(3).randbytes(3 * 1024 * 1024)
NAME = "origin.test"

NGINX = """
  log_format resumed "$connection_requests $ssl_session_reused";
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:s:1m;
  ssl_certificate {good.cert};
  ssl_certificate_key {good.key};
  server {{
    listen 127.0.0.1:{plain} ssl;
    root {folder};
    location = /who {{ return 200 "$ssl_protocol $ssl_server_name $ssl_session_reused"; }}
    location = /posted {{
      proxy_pass http://unix:{folder}/length:/;
      proxy_set_header X-Length $content_length;
    }}
  }}
  server {{ listen unix:{folder}/length; location / {{ return 200 "$http_x_length"; }} }}
  server {{
    listen 127.0.0.1:{short} ssl;
    keepalive_requests 2;
    access_log {folder}/arrivals.log resumed;
    location / {{ return 200 "hello"; }}
  }}
  server {{
    listen 127.0.0.1:{tls12} ssl;
    ssl_protocols TLSv1.2;
    keepalive_requests 1;
    location / {{ return 200 "$ssl_protocol $ssl_session_reused"; }}
  }}
  server {{
    listen 127.0.0.1:{verifies} ssl;
    ssl_client_certificate {root};
    ssl_verify_client on;
    location / {{ return 200 "$ssl_client_s_dn"; }}
  }}
  server {{
    listen 127.0.0.1:{expired} ssl;
    ssl_certificate {expired_certificate.cert};
    ssl_certificate_key {expired_certificate.key};
    location / {{ return 200 "hello"; }}
  }}
"""


class TlsUpstreamTest(unittest.TestCase):
    """nginx with a server for each kind of origin, on a port of its own."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.root = Authority(cls.folder)
        cls.good = cls.root.issue("good", [NAME, "other.test"])
        # Good until the second in which it was made.
        cls.expired_certificate = cls.root.issue("expired", [NAME], days=0)
        cls.client = cls.root.issue(
            "client", subject="/O=Pingora tests/CN=client", usage="clientAuth"
        )
        (cls.folder / "data.bin").write_bytes(DATA)
        names = ("plain", "short", "tls12", "verifies", "expired")
        cls.ports = dict(zip(names, free_ports(len(names))))
        http = NGINX.format(
            folder=cls.folder, root=cls.root.cert, good=cls.good,
            expired_certificate=cls.expired_certificate, **cls.ports,
        )  # fmt: skip
        cls.nginx = start_nginx(cls.folder / "nginx", http, cls.ports["plain"])
        cls.addClassCleanup(cls.nginx.stop)

    def start(self, port: int, *arguments: str | pathlib.Path, sni: str = NAME):
        """A proxy in front of the port, which trusts the root unless told otherwise."""
        trust = [] if "--insecure-upstream" in arguments else ["--upstream-ca", self.root.cert]
        proxy, listens = start_proxy(
            port, arguments=["--upstream-tls", "--sni", sni, *trust, *arguments]
        )
        self.addCleanup(proxy.stop_cleanly)
        return proxy, listens

    def get(self, port: int, target: str = "/"):
        with Client(port) as client:
            return client.get(target)

    def assert_gets(self, port: int, body: str, target: str = "/") -> None:
        response = self.get(port, target)
        self.assertEqual((response.status, response.body.decode()), (200, body))

    def assert_refused(self, proxy: Program, port: int, *reasons: str) -> None:
        """502 for the client, and why for the log."""
        self.assertEqual(self.get(port).status, 502)
        for reason in reasons:
            eventually(
                lambda reason=reason: re.search(reason, proxy.stderr), f"{reason} in the log"
            )

    def s_server(self, *arguments: str | pathlib.Path, certificate: Certificate | None = None):
        """openssl s_server, which answers every request on a connection of its own."""
        certificate = certificate or self.good
        (port,) = free_ports(1)
        server = Program(
            [require("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-www",
             "-cert", certificate.cert, "-key", certificate.key, *arguments],
            [port],
        )  # fmt: skip
        self.addCleanup(server.kill)
        return port

    def test_requests_and_bodies_pass(self) -> None:
        _, port = self.start(self.ports["plain"])
        self.assert_gets(port, f"TLSv1.3 {NAME} .", "/who")
        for _ in range(3):
            self.assertEqual(self.get(port, "/data.bin").body, DATA)
        with Client(port) as client:
            response = client.exchange(
                b"POST /posted HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(DATA)
                + DATA,
                method="POST",
            )
        self.assertEqual(response.body.decode(), str(len(DATA)))

    def test_connections_are_kept_and_sessions_resumed(self) -> None:
        _, port = self.start(self.ports["short"])
        with Client(port) as client:
            for _ in range(60):
                self.assertEqual(client.get("/").body, b"hello")
        lines = log_lines(self.folder / "arrivals.log", 60)
        arrived = [line.split() for line in lines]
        self.assertEqual(len(arrived), 60)
        new = [resumed for number, resumed in arrived if number == "1"]
        self.assertEqual(len(new), 30)
        self.assertGreaterEqual(new.count("r"), 29 * 0.9)

    def test_tls_1_2_alone(self) -> None:
        _, port = self.start(self.ports["tls12"])
        self.assert_gets(port, "TLSv1.2 .")
        self.assert_gets(port, "TLSv1.2 r")

    def test_an_expired_certificate(self) -> None:
        proxy, port = self.start(self.ports["expired"])
        self.assert_refused(proxy, port, "InvalidCert", "expired")

    def test_a_certificate_for_another_name(self) -> None:
        proxy, port = self.start(self.ports["plain"], sni="third.test")
        self.assert_refused(proxy, port, "InvalidCert", f"{NAME}.*third.test")

    def test_an_issuer_that_nobody_knows(self) -> None:
        stranger = Authority(self.folder, "stranger")
        proxy, port = start_proxy(
            self.ports["plain"],
            arguments=["--upstream-tls", "--sni", NAME, "--upstream-ca", stranger.cert],
        )
        self.addCleanup(proxy.stop_cleanly)
        self.assert_refused(proxy, port, "InvalidCert", "issue")

    def test_nothing_is_verified_if_that_is_wanted(self) -> None:
        for kind in ("expired", "verifies"):
            _, port = self.start(self.ports[kind], "--insecure-upstream", sni="third.test")
            self.assertIn(self.get(port).status, (200, 400))

    def test_a_client_certificate_is_required(self) -> None:
        _, port = self.start(
            self.ports["verifies"],
            "--upstream-cert", self.client.cert, "--upstream-key", self.client.key,
        )  # fmt: skip
        self.assert_gets(port, "CN=client,O=Pingora tests")
        # nginx takes it upon itself to say so in HTTP; s_server sends an alert.
        _, port = self.start(self.ports["verifies"])
        self.assertEqual(self.get(port).status, 400)
        server = self.s_server("-Verify", "1", "-verify_return_error", "-CAfile", self.root.cert)
        proxy, port = self.start(server)
        self.assert_refused(proxy, port, "certificate")
        _, port = self.start(
            server, "--upstream-cert", self.client.cert, "--upstream-key", self.client.key
        )
        self.assertEqual(self.get(port).status, 200)

    def test_s_server_resumes(self) -> None:
        for version in ("-tls1_2", "-tls1_3"):
            _, port = self.start(self.s_server(version))
            self.assertIn(b"\nNew, TLS", self.get(port).body)
            for _ in range(5):
                self.assertIn(b"\nReused, TLS", self.get(port).body)

    def test_a_certificate_of_rsa(self) -> None:
        certificate = self.root.issue("rsa", [NAME], kind="rsa")
        _, port = self.start(self.s_server(certificate=certificate))
        self.assertEqual(self.get(port).status, 200)

    def test_an_origin_without_tls(self) -> None:
        (port,) = free_ports(1)
        nginx = start_nginx(
            self.folder / "nginx_plain",
            f"server {{ listen 127.0.0.1:{port}; location / {{ return 200 x; }} }}",
            port,
        )
        self.addCleanup(nginx.stop)
        proxy, listens = self.start(port)
        self.assert_refused(proxy, listens, "TlsHandshakeFailure")

    def test_tls_on_both_sides_from_the_file(self) -> None:
        behind = self.s_server("-tls1_3")
        (port,) = free_ports(1)
        front = self.root.issue("front", ["front.test"])
        file = self.folder / "both.yaml"
        file.write_text(
            f"tls_listen: 127.0.0.1:{port}\ncert: [{front.cert}]\nkey: [{front.key}]\n"
            f"upstream: 127.0.0.1:{behind}\nupstream_tls: true\nsni: {NAME}\n"
            f"upstream_ca: {self.root.cert}\nthreads: 2\n"
        )
        proxy = Program([bin_dir() / "pingora-proxy", "-c", file], [port])
        self.addCleanup(proxy.stop_cleanly)
        context = ssl.create_default_context(cafile=str(self.root.cert))
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as plain:
            with context.wrap_socket(plain, server_hostname="front.test") as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(65536), b""))
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer)
        self.assertIn(b"\nNew, TLS", answer)

    def test_files_that_the_file_names(self) -> None:
        file = self.folder / "mistaken.yaml"
        for key in ("upstream_ca", "upstream_cert"):
            file.write_text(
                f"listen: 127.0.0.1:0\nupstream: 127.0.0.1:1\nupstream_tls: true\n"
                f"{key}: /nowhere/a.pem\n"
            )
            argv = [bin_dir() / "pingora-proxy", "-c", file]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn(f"pingora-proxy: {file}: ", done.stderr)
            self.assertIn("/nowhere/a.pem", done.stderr)

    def test_mistakes_on_the_command_line(self) -> None:
        def run(*arguments: str) -> subprocess.CompletedProcess:
            argv = [bin_dir() / "pingora-proxy", "--listen", "127.0.0.1:0"]
            argv += ["--upstream", "127.0.0.1:1", *arguments]
            return subprocess.run(argv, capture_output=True, timeout=20)

        done = run("--sni", NAME)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"--upstream-tls", done.stderr)
        done = run("--upstream-tls", "--upstream-ca", "/nowhere/ca.pem")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"/nowhere/ca.pem", done.stderr)
        done = run("--upstream-tls", "--upstream-cert", str(self.good.cert))
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(self.good.cert).encode(), done.stderr)


if __name__ == "__main__":
    main()
