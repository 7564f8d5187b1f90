# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""The origin behind every proxy: one nginx with 128 bytes from memory and files of other sizes."""

from dataclasses import dataclass
from pathlib import Path

from bench import BENCHMARKS, BODY_128, Bench, render
from processes import free_ports, pinned

FILES = {"16k": 16 << 10, "1m": 1 << 20}


@dataclass
class Origin:
    """A running origin. `ports` all serve the same; what arrives on `counted_ports` is counted."""

    ports: list
    counted_ports: list
    log: Path

    def connections_and_requests(self, port):
        """How many connections were opened to a counted port so far, and requests made on them."""
        lines = [line.split() for line in self.log.read_text().splitlines()]
        of_port = [number for logged_port, number in lines if logged_port == str(port)]
        return of_port.count("1"), len(of_port)


def start_origin(bench: Bench, core, ports=1, counted_ports=1):
    """Starts the origin, on one core or unpinned if `core` is None."""
    folder = bench.folder("origin")
    (folder / "files").mkdir()
    for name, size in FILES.items():
        (folder / "files" / name).write_bytes(b"x" * size)
    numbers = free_ports(ports + counted_ports)
    plain, counted = numbers[:ports], numbers[ports:]
    conf = render(
        BENCHMARKS / "peers/nginx/origin.conf", folder / "nginx.conf",
        DIR=folder, ROOT=folder, BODY=BODY_128,
        LISTENS=" ".join(f"listen 0.0.0.0:{port} backlog=4096;" for port in plain),
        COUNTED_LISTENS=" ".join(f"listen 0.0.0.0:{port} backlog=4096;" for port in counted))
    # Workers drop root's rights; what they read must be open to them.
    command = ["nginx", "-p", str(folder), "-c", str(conf), "-g", "user root;"]
    bench.processes.start(pinned(command, core), folder / "out.log", ("127.0.0.1", plain[0]))
    return Origin(plain, counted, folder / "arrivals.log")
