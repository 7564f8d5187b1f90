# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""h1_128, h1_16k, h1_1m, connect: the cost of a plain GET, HTTP/1.1 on both sides, one core;
tls_128, tls_16k, tls_1m: the same with TLS on the client's side."""

from dataclasses import replace

from bench import Bench
from cost import cpu_microseconds
from load import run_wrk
from origin import FILES, start_origin
from peers import Job
from results import Metric, Result
from rounds import Contender, expect_body, floor, run_rounds, standard_contenders
from tls import ServerTls, certificate

CPU = Metric("cpu_us_per_request", "CPU µs/request")
RATE = Metric("requests_per_second", "requests/s", 0)
P99 = Metric("p99_ms", "p99 ms")
CPU_PER_MB = Metric("cpu_us_per_mb", "CPU µs/MB", 1)
CPU_PER_CONNECTION = Metric("cpu_us_per_connection", "CPU µs/connection")

# nginx's default is 8 buffers of 4 KiB; HAProxy's are of 16 KiB, and so are our blocks.
NGINX_16K_BUFFERS = "proxy_buffer_size 16k; proxy_buffers 8 16k;"


def h1_128(bench: Bench):
    """128 bytes from the origin's memory."""
    return _get(bench, "h1_128", "kept-alive GET, 128-byte response, 64 connections", "/", 128)


def h1_16k(bench: Bench):
    """A file of 16 KiB."""
    return _get(bench, "h1_16k", "kept-alive GET, 16 KiB response, 64 connections",
                "/files/16k", FILES["16k"], large=True)


def h1_1m(bench: Bench):
    """A file of 1 MiB; the cost that counts is that of a megabyte (10^6 bytes)."""
    return _get(bench, "h1_1m", "kept-alive GET, 1 MiB response, 64 connections",
                "/files/1m", FILES["1m"], first=CPU_PER_MB, large=True)


def connect(bench: Bench):
    """A new client connection for each request; upstream connections are kept."""
    return _get(bench, "connect", "a client connection for each GET, upstream kept alive", "/", 128,
                headers=("Connection: close",), first=CPU_PER_CONNECTION)


def tls_128(bench: Bench):
    """128 bytes; TLS 1.3 with an ECDSA certificate, as in the other two."""
    return _get(bench, "tls_128", "TLS 1.3, kept-alive GET, 128-byte response, 64 connections", "/",
                128, with_tls=True)


def tls_16k(bench: Bench):
    """A file of 16 KiB."""
    return _get(bench, "tls_16k", "TLS 1.3, kept-alive GET, 16 KiB response, 64 connections",
                "/files/16k", FILES["16k"], large=True, with_tls=True)


def tls_1m(bench: Bench):
    """A file of 1 MiB; the cost that counts is that of a megabyte (10^6 bytes)."""
    return _get(bench, "tls_1m", "TLS 1.3, kept-alive GET, 1 MiB response, 64 connections",
                "/files/1m", FILES["1m"], first=CPU_PER_MB, large=True, with_tls=True)


def _get(bench, name, note, path, length, headers=(), first=None,
         large=False, with_tls=False):
    metrics = ([first] if first else []) + [CPU, RATE, P99]
    result = Result(name, f"{note}; one core; {bench.rounds} x {bench.seconds:g} s", metrics)
    origin = start_origin(bench, bench.core)
    listener = ServerTls(certificate(bench, "ecdsa"), ["http/1.1"]) if with_tls else None
    job = Job("plain", origin.ports, core=bench.core, tls=listener,
              closes="Connection: close" in headers)
    contenders = [*standard_contenders(job), floor(job)]
    if large:
        tuned = replace(job, tuning=NGINX_16K_BUFFERS)
        contenders.append(Contender("nginx_16k_buffers", "nginx", tuned))

    def measure(proxy):
        return cpu_sample(bench, proxy, path, length, headers)

    return run_rounds(bench, result, contenders, measure,
                      lambda proxy: expect_body(proxy, path, length))


def cpu_sample(bench, proxy, path, length, headers=()):
    """CPU time per request of one measured run of wrk, after a warm-up; (sample, errors)."""
    warmup = run_wrk(proxy.url + path, bench.core, bench.warmup, headers=headers)
    before = cpu_microseconds(proxy.pid)
    load = run_wrk(proxy.url + path, bench.core, bench.seconds, headers=headers)
    spent = cpu_microseconds(proxy.pid) - before
    requests = max(1, load.requests)
    sample = {
        CPU.key: spent / requests,
        CPU_PER_CONNECTION.key: spent / requests,
        CPU_PER_MB.key: spent / (max(1, load.bytes) / 1e6),
        RATE.key: load.requests / load.seconds,
        P99.key: load.p99_ms,
    }
    # Whole bodies, or something is wrong that wrk does not see.
    incomplete = load.requests == 0 or load.bytes < load.requests * length
    return sample, warmup.errors + load.errors + (1 if incomplete else 0)
