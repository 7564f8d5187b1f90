# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""idle, tls_idle, h2_idle: memory per kept-alive client connection that has served one request and
waits."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench import BODY_128, Bench
from cost import resident_kib
from h2 import opening_with_get, read_answer_on_stream_1
from origin import start_origin
from peers import Job
from results import Metric, Result
from rounds import Contender, expect_body, run_rounds, standard_contenders
from scenarios import h2_get
from tls import ServerTls, certificate, client_context

CONNECTIONS = 5000
SETTLING_CONNECTIONS = 64
_METRICS = [Metric("kib_per_connection", "KiB/connection"), Metric("kib_before", "KiB before", 0),
            Metric("kib_after", "KiB after", 0)]
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def idle(bench: Bench):
    """Resident memory with 5,000 idle connections, less that with none, for each of them. One
    round: a second one would find the memory that the first has left."""
    return _idle(bench, "idle", "kept-alive connections", None)


def tls_idle(bench: Bench):
    """The same with TLS 1.3 and an ECDSA certificate."""
    return _idle(bench, "tls_idle", "kept-alive TLS 1.3 connections",
                 ServerTls(certificate(bench, "ecdsa"), ["http/1.1"]))


def h2_idle(bench: Bench):
    """The same with HTTP/2, in clear text and (the rows with _tls) over TLS 1.3."""
    result = Result("h2_idle", f"resident memory, {CONNECTIONS:,} HTTP/2 connections that each "
                    "served one request", _METRICS)
    origin = start_origin(bench, bench.core)
    cert = certificate(bench, "ecdsa")
    for tls in (None, ServerTls(cert, ["h2"])):
        job = Job("plain", origin.ports, core=bench.core, tls=tls, h2=True)
        contenders = [Contender(peer + ("_tls" if tls else ""), peer, job)
                      for peer in h2_get.PEERS]
        context = client_context() if tls else None
        if context:
            context.set_alpn_protocols(["h2"])
        talk = Talk(opening_with_get("https" if tls else "http"),
                    lambda connection: read_answer_on_stream_1(connection, BODY_128.encode()))
        run_rounds(replace(bench, rounds=1), result, contenders,
                   lambda proxy, context=context, talk=talk: measure(proxy, context, talk),
                   lambda proxy: h2_get.expect(proxy, "/", 128))
    return result


def _idle(bench, name, what, listener):
    result = Result(name, f"resident memory, {CONNECTIONS:,} {what} that each served one request",
                    _METRICS)
    origin = start_origin(bench, bench.core)
    job = Job("plain", origin.ports, core=bench.core, tls=listener)
    context = client_context() if listener else None
    return run_rounds(replace(bench, rounds=1), result, standard_contenders(job),
                      lambda proxy: measure(proxy, context, None),
                      lambda proxy: expect_body(proxy, "/", 128))


@dataclass
class Talk:
    """What is said on each connection, and who tells whether the answer is right."""

    request: bytes
    read: Callable


def measure(proxy, context, talk):
    """(sample, errors) of one proxy."""
    hold(proxy.port, SETTLING_CONNECTIONS, lambda: None, context, talk)
    before = resident_kib(proxy.pid)
    after, errors = hold(proxy.port, CONNECTIONS, lambda: resident_kib(proxy.pid), context, talk)
    return {"kib_per_connection": (after - before) / CONNECTIONS,
            "kib_before": before, "kib_after": after}, errors


def hold(port, count, look, context=None, talk=None):
    """Opens connections one after the other, makes a request on each, and calls `look` while all of
    them are open; (what it returned, connections that failed). With TLS if there is a context."""
    talk = talk or Talk(REQUEST, read_answer)
    held, errors = [], 0
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            # The request would wait for the acknowledgement of the handshake's end: 40 ms each.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                connection = context.wrap_socket(connection)
            held.append(connection)
            connection.sendall(talk.request)
            if not talk.read(connection):
                errors += 1
        # Buffers that are given back a moment after the answer are not the idle connection's.
        time.sleep(0.5)
        errors += sum(1 for connection in held if was_closed(connection))
        return look(), errors
    except OSError:
        return look(), errors + 1
    finally:
        for connection in held:
            connection.close()


def read_answer(connection):
    """Reads an answer with the origin's body; whether it was one."""
    data = b""
    while not data.endswith(BODY_128.encode()):
        received = connection.recv(4096)
        if not received:
            return False
        data += received
    return data.startswith(b"HTTP/1.1 200")


def was_closed(connection):
    """Whether the proxy has closed an idle connection."""
    connection.setblocking(False)
    try:
        # Of the socket: there is no peeking through TLS.
        return socket.socket.recv(connection, 1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
