# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""tls_handshake_ecdsa, tls_handshake_rsa, tls_resumed: the cost of a client connection with TLS 1.3
and one GET on it; upstream connections are kept."""

from bench import Bench
from cost import cpu_microseconds
from origin import start_origin
from peers import Job
from results import Metric, Result
from rounds import Contender, expect_body, floor, run_rounds, standard_contenders
from scenarios.plain_get import CPU_PER_CONNECTION
from tls import ServerTls, certificate, run_handshakes

RATE = Metric("connections_per_second", "connections/s", 0)
RESUMED = Metric("resumed_percent", "resumed of offered, %")


def tls_handshake_ecdsa(bench: Bench):
    """Full handshakes with a P-256 certificate."""
    return _handshakes(bench, "tls_handshake_ecdsa", "full handshakes, P-256", "ecdsa", "full")


def tls_handshake_rsa(bench: Bench):
    """Full handshakes with an RSA certificate of 2048 bits."""
    return _handshakes(bench, "tls_handshake_rsa", "full handshakes, RSA 2048", "rsa", "full")


def tls_resumed(bench: Bench):
    """Each connection offers the newest ticket that its predecessor got."""
    return _handshakes(bench, "tls_resumed", "resumed handshakes", "ecdsa", "resume")


def _handshakes(bench, name, note, kind, mode):
    metrics = [CPU_PER_CONNECTION, RATE] + ([RESUMED] if mode == "resume" else [])
    result = Result(name, f"TLS 1.3, {note}, one GET on each connection; one core; "
                    f"{bench.rounds} x {bench.seconds:g} s", metrics)
    origin = start_origin(bench, bench.core)
    job = Job("plain", origin.ports, core=bench.core, closes=True,
              tls=ServerTls(certificate(bench, kind), ["http/1.1"]))

    def measure(proxy):
        warmup = run_handshakes(bench, proxy.port, bench.warmup, mode)
        before = cpu_microseconds(proxy.pid)
        load = run_handshakes(bench, proxy.port, bench.seconds, mode)
        spent = cpu_microseconds(proxy.pid) - before
        sample = {CPU_PER_CONNECTION.key: spent / max(1, load.requests),
                  RATE.key: load.requests / load.seconds}
        if mode == "resume":
            sample[RESUMED.key] = 100 * load.resumed / max(1, load.offered)
        # A server without tickets would be measured at something else.
        none = load.requests == 0 or (mode == "resume" and load.offered == 0)
        return sample, warmup.errors + load.errors + (1 if none else 0)

    contenders = [*standard_contenders(job), floor(job)]
    contenders += [Contender(name, name, job) for name in ("pingora_cpp_static", "relay_static")]
    return run_rounds(bench, result, contenders, measure,
                      lambda proxy: expect_body(proxy, "/", 128))
