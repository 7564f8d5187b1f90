# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""reuse: new upstream connections per 1,000 requests when many origins get few requests each."""

import random
import socket
import threading
import time

from bench import Bench
from origin import start_origin
from peers import REUSE_ORIGINS, Job
from results import Metric, Result
from rounds import Contender, expect_body, start_contenders
from scenarios.idle import read_answer
from tls import certificate

REQUESTS_PER_SECOND = 2 * REUSE_ORIGINS
SECONDS = 33
CLIENT_CONNECTIONS = 64
WORKERS = 8

PEERS = {"pingora_cpp": ("pingora_cpp", WORKERS), "nginx": ("nginx", WORKERS),
         "nginx_1_worker": ("nginx", 1), "haproxy": ("haproxy", WORKERS),
         "pingora_rust": ("pingora_rust", WORKERS)}
NEW = Metric("new_per_1000", "new per 1,000 requests", 1)
REQUESTS = Metric("requests", "requests", 0)
RESUMED = Metric("resumed_percent", "resumed, %", 1)


def reuse(bench: Bench):
    """64 origins get 2 requests/s each, upstream connections may idle for 5 s, clients use any of
    64 connections. The count includes the first connection to each origin, 15 per 1,000. It is a
    count, so all proxies run at once."""
    result = Result("reuse", f"new upstream connections; {REUSE_ORIGINS} origins, 2 requests/s to "
                    f"each for {SECONDS} s, idle timeout 5 s, {WORKERS} workers",
                    [NEW, REQUESTS])
    origin = start_origin(bench, None, counted_ports=len(PEERS))
    # Each proxy has an origin port of its own, which tells its connections from the others'.
    ports = dict(zip(PEERS, origin.counted_ports))
    started = start_contenders(bench, result, [
        Contender(name, peer, Job("reuse", [ports[name]], workers))
        for name, (peer, workers) in PEERS.items()])
    for name, (sample, errors) in _ask(bench, origin, ports, started, _reused).items():
        result.row(name).add(sample, errors)
    return result


def tls_upstream(bench: Bench):
    """The same with TLS 1.3 to the origins, verified; and each proxy once more, with origins that
    close every connection after two requests: how many of the connections that follow the first to
    an origin resume the session?"""
    result = Result("tls_upstream", "reuse with TLS 1.3 to the origins; resumed: of the new "
                    "connections where origins close each after 2 requests", [NEW, RESUMED, REQUESTS])
    cert = certificate(bench, "ecdsa")
    peers = {name: peer for name, peer in PEERS.items() if name != "pingora_rust"}
    origin = start_origin(bench, None, counted_ports=len(peers), certificate=cert)
    samples = {name: [] for name in peers}
    for ports, figures in ((origin.counted_ports, _reused), (origin.short_ports, _resumed)):
        of = dict(zip(peers, ports))
        started = start_contenders(bench, result, [
            Contender(name, peer, Job("reuse", [of[name]], workers, upstream_certificate=cert))
            for name, (peer, workers) in peers.items()])
        for name, outcome in _ask(bench, origin, of, started, figures).items():
            samples[name].append(outcome)
    for name, outcomes in samples.items():
        if len(outcomes) == 2:
            (first, errors), (second, more_errors) = outcomes
            result.row(name).add({**first, **second}, errors + more_errors)
    return result


def _reused(origin, port):
    connections, requests = origin.connections_and_requests(port)
    return {NEW.key: 1000 * connections / max(1, requests), REQUESTS.key: requests}, requests


def _resumed(origin, port):
    connections, requests = origin.connections_and_requests(port)
    # There is nothing to resume at the first one to each origin.
    possible = connections - REUSE_ORIGINS
    return {RESUMED.key: 100 * origin.resumed_connections(port) / max(1, possible)}, requests


def _ask(bench, origin, ports, started, figures):
    """Has a client at each of the proxies at once: what the origin saw, {name: (sample, errors)}."""
    outcomes = {}
    clients = [Client(contender, proxy) for contender, proxy in started]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
        name = client.contender.name
        sample, requests = figures(origin, ports[name])
        lost = 0 if requests == client.sent else 1
        outcomes[name] = sample, client.errors + lost
    for _, proxy in started:
        bench.processes.end(proxy.process)
    return outcomes


class Client(threading.Thread):
    """Asks the origins in turn, evenly spaced in time, each time over a random connection. Requests
    do not overlap, so a second connection to an origin is never needed."""

    def __init__(self, contender, proxy):
        super().__init__(daemon=True)
        self.contender = contender
        self.sent = 0
        self.errors = 0
        self._port = proxy.port

    def run(self):
        choice = random.Random(1)
        try:
            connections = [socket.create_connection(("127.0.0.1", self._port), timeout=10)
                           for _ in range(CLIENT_CONNECTIONS)]
            begin = time.monotonic()
            for number in range(REQUESTS_PER_SECOND * SECONDS):
                time.sleep(max(0.0, begin + number / REQUESTS_PER_SECOND - time.monotonic()))
                connection = choice.choice(connections)
                connection.sendall(b"GET /%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
                                   % (number % REUSE_ORIGINS + 1))
                self.sent += 1
                self.errors += 0 if read_answer(connection) else 1
        except OSError:
            self.errors += 1
