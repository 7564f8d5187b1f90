# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""The origin behind every proxy: one nginx with 128 bytes from memory and files of other sizes."""

from dataclasses import dataclass, field
from pathlib import Path

from bench import BENCHMARKS, BODY_128, Bench, render
from processes import free_ports, pinned
from tls import Certificate, nginx_server

FILES = {"16k": 16 << 10, "1m": 1 << 20}


@dataclass
class Origin:
    """A running origin. `ports` all serve the same; what arrives on the others is counted:
    `counted_ports`, with TLS if it has a certificate; then `short_ports` are the same but for
    closing each connection after two requests."""

    ports: list
    counted_ports: list
    log: Path
    short_ports: list = field(default_factory=list)

    def connections_and_requests(self, port):
        """How many connections were opened to a counted port so far, and requests made on them."""
        of_port = self._arrivals(port)
        return sum(1 for number, _ in of_port if number == "1"), len(of_port)

    def resumed_connections(self, port):
        """How many of the connections to a counted port resumed a TLS session."""
        return self._arrivals(port).count(["1", "r"])

    def _arrivals(self, port):
        """[number of the request on its connection, "r" if that was resumed] of each request."""
        lines = [line.split() for line in self.log.read_text().splitlines()]
        return [rest for logged_port, *rest in lines if logged_port == str(port)]


def start_origin(bench: Bench, core, ports=1, counted_ports=1,
                 certificate: Certificate | None = None, listen_words=""):
    """Starts the origin, on one core or unpinned if `core` is None. With a certificate, as many
    `short_ports` as `counted_ports`, and both with TLS. `listen_words`: "http2" for HTTP/2 in clear
    text."""
    folder = bench.folder("origin")
    (folder / "files").mkdir()
    for name, size in FILES.items():
        (folder / "files" / name).write_bytes(b"x" * size)
    numbers = free_ports(ports + counted_ports * (2 if certificate else 1))
    plain, counted = numbers[:ports], numbers[ports:ports + counted_ports]
    short = numbers[ports + counted_ports:]

    def listens(some, words=""):
        return " ".join(f"listen 0.0.0.0:{port} {words} backlog=4096;" for port in some)

    unused = f"listen unix:{folder}/unused-%s;"
    conf = render(
        BENCHMARKS / "peers/nginx/origin.conf", folder / "nginx.conf",
        DIR=folder, ROOT=folder, BODY=BODY_128,
        LISTENS=listens(plain, listen_words),
        COUNTED_LISTENS=unused % "counted" if certificate else listens(counted, listen_words),
        TLS_LISTENS=listens(counted, "ssl") if certificate else unused % "tls",
        SHORT_LISTENS=listens(short, "ssl") if certificate else unused % "short",
        TLS=nginx_server(certificate) if certificate else "")
    # Workers drop root's rights; what they read must be open to them.
    command = ["nginx", "-p", str(folder), "-c", str(conf), "-g", "user root;"]
    bench.processes.start(pinned(command, core), folder / "out.log", ("127.0.0.1", plain[0]))
    return Origin(plain, counted, folder / "arrivals.log", short)
