# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 for the harness: load from h2load, the origins that speak it, and a client of a few frames
for connections that are only held."""

import re
import subprocess
from dataclasses import dataclass

from bench import BODY_128, Bench
from processes import free_ports, pinned

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# RFC 9113 §6: types of frames, and the flags that are used here.
DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4


@dataclass
class Load:
    """What one run of h2load saw."""

    requests: int
    seconds: float
    bytes: int
    errors: int


def run_h2load(url, core, seconds, connections, streams, data=None, headers=()):
    """One run of h2load, whole seconds, one thread: `streams` requests in flight on each of
    `connections`. With the file `data`, POSTs. Either of h2c by prior knowledge or TLS, as `url`
    says."""
    command = ["h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-D{max(1, round(seconds))}"]
    for header in headers:
        command += ["-H", header]
    if data:
        command += ["-d", str(data)]
    done = subprocess.run(pinned([*command, url], core), capture_output=True, text=True,
                          timeout=seconds + 30, check=True)
    return parse_h2load(done.stdout)


def parse_h2load(text):
    """The figures of h2load's report. What has no figure is an error: it says nothing if no
    connection could be made."""
    finished = re.search(r"finished in ([\d.]+)(us|ms|s),", text)
    requests = re.search(r"requests: .*?(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, "
                         r"(\d+) timeout", text)
    codes = re.search(r"status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
    traffic = re.search(r"\((\d+)\) data", text)
    if not (finished and requests and codes and traffic):
        return Load(0, 1.0, 0, 1)
    done, succeeded, failed, errored, timed_out = map(int, requests.groups())
    # Heads of answers that the end of the run cut off count as 2xx too, but not as done.
    bad = sum(map(int, codes.groups()))
    seconds = float(finished[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1}[finished[2]]
    errors = failed + errored + timed_out + abs(done - succeeded) + bad
    return Load(succeeded, seconds, int(traffic[1]), errors)


def start_grpc_origin(bench: Bench, core):
    """nghttpd, whose answers have trailers: an answer of 128 bytes to any of its calls. Its port."""
    folder = bench.folder("grpc-origin")
    (folder / "bench.Echo").mkdir()
    message = BODY_128[5:].encode()
    (folder / "bench.Echo" / "Say").write_bytes(grpc_frame(message))
    (folder / "request").write_bytes(grpc_frame(message))
    port = free_ports(1)[0]
    command = ["nghttpd", "--no-tls", "-n1", "-d", str(folder), "--trailer", "grpc-status: 0",
               "-a", "127.0.0.1", str(port)]
    bench.processes.start(pinned(command, core), folder / "out.log", ("127.0.0.1", port))
    return port, folder / "request"


def grpc_frame(message):
    """A gRPC message that is not compressed."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def frame(kind, flags, stream, payload=b""):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") +
            payload)


def opening_with_get(scheme):
    """The first bytes of a connection that asks for / on stream 1; indexed fields of RFC 7541's
    table, and an authority."""
    fields = bytes([0x82, 0x87 if scheme == "https" else 0x86, 0x84])
    authority = b"127.0.0.1"
    fields += bytes([0x41, len(authority)]) + authority
    return (PREFACE + frame(SETTINGS, 0, 0) +
            frame(HEADERS, END_STREAM | END_HEADERS, 1, fields))


def read_answer_on_stream_1(connection, expected):
    """Whether the answer's body is `expected`; answers SETTINGS meanwhile."""
    received, body = b"", b""
    while True:
        while len(received) < 9 or len(received) < 9 + int.from_bytes(received[:3], "big"):
            more = connection.recv(16384)
            if not more:
                return False
            received += more
        size, kind, flags = int.from_bytes(received[:3], "big"), received[3], received[4]
        stream = int.from_bytes(received[5:9], "big")
        payload, received = received[9:9 + size], received[9 + size:]
        if kind == SETTINGS and not flags & ACK:
            connection.sendall(frame(SETTINGS, ACK, 0))
        elif kind == GOAWAY:
            return False
        elif stream == 1 and kind == DATA:
            body += payload
        if stream == 1 and kind in (DATA, HEADERS) and flags & END_STREAM:
            return body == expected
