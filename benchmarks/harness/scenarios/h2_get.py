# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""h2_*: the cost of requests that come over HTTP/2, one core; the rows with _tls over TLS 1.3, the
others over clear text, by prior knowledge."""

import subprocess
from dataclasses import replace

from bench import Bench
from cost import cpu_microseconds
from h2 import run_h2load, start_grpc_origin
from origin import FILES, start_origin
from peers import Job
from results import Metric, Result
from rounds import Contender, WrongAnswer, floor, run_rounds
from tls import ServerTls, certificate

CPU = Metric("cpu_us_per_request", "CPU µs/request")
CPU_PER_MB = Metric("cpu_us_per_mb", "CPU µs/MB", 1)
RATE = Metric("requests_per_second", "requests/s", 0)
NEW = Metric("new_upstream_connections", "new upstream connections", 0)

PEERS = ("pingora_cpp", "nginx", "haproxy", "h2o", "nghttpx")
GRPC_FIELDS = ("content-type: application/grpc", "te: trailers")
# Requests of `new_upstream_connections`, and the clients that make them.
COUNTED_REQUESTS = 100_000
COUNTED_CLIENTS = 64


def h2_128(bench: Bench):
    """128 bytes from an HTTP/1.1 origin, on few connections of many streams."""
    return _get(bench, "h2_128", "GET, 128-byte response, HTTP/1.1 to the origin", "/", 128, 8, 32)


def h2_128_64x1(bench: Bench):
    """The same on many connections of one stream."""
    return _get(bench, "h2_128_64x1", "GET, 128-byte response, HTTP/1.1 to the origin", "/", 128,
                64, 1)


def h2_16k(bench: Bench):
    """A file of 16 KiB."""
    return _get(bench, "h2_16k", "GET, 16 KiB response, HTTP/1.1 to the origin", "/files/16k",
                FILES["16k"], 8, 32)


def h2_1m(bench: Bench):
    """A file of 1 MiB; the cost that counts is that of a megabyte (10^6 bytes)."""
    return _get(bench, "h2_1m", "GET, 1 MiB response, HTTP/1.1 to the origin", "/files/1m",
                FILES["1m"], 8, 8, first=CPU_PER_MB)


def h2_h2_128(bench: Bench):
    """HTTP/2 to the origin too, and how few connections that takes."""
    origin = start_origin(bench, bench.core, listen_words="http2")
    result = _result(bench, "h2_h2_128", "GET, 128-byte response, HTTP/2 to the origin", 8, 32)
    contenders = _contenders(bench, Job("plain", origin.ports, core=bench.core, upstream_h2=True))
    run_rounds(bench, result, contenders, lambda proxy: _sample(bench, proxy, "/", 128, 8, 32),
               lambda proxy: expect(proxy, "/", 128))
    counted = Contender("pingora_cpp_64_clients", "pingora_cpp",
                        Job("plain", origin.counted_ports, core=bench.core, upstream_h2=True,
                            h2=True))
    result.metrics.append(NEW)
    # Once: the next round would find the connections that the first has made.
    return run_rounds(replace(bench, rounds=1), result, [counted],
                      lambda proxy: _count(proxy, origin), lambda proxy: expect(proxy, "/", 128))


def grpc_unary(bench: Bench):
    """A gRPC call of 128 bytes each way, with the status in trailers."""
    port, request = start_grpc_origin(bench, bench.core)
    result = _result(bench, "grpc_unary", "gRPC call, 128 bytes each way, HTTP/2 to the origin", 8,
                     32)
    contenders = _contenders(bench, Job("grpc", [port], core=bench.core, upstream_h2=True))
    load = {"data": request, "headers": GRPC_FIELDS}
    path = "/bench.Echo/Say"
    return run_rounds(bench, result, contenders,
                      lambda proxy: _sample(bench, proxy, path, 128, 8, 32, **load),
                      lambda proxy: expect(proxy, path, 128, **load))


def _result(bench, name, note, connections, streams, first=()):
    return Result(name, f"{note}; {connections} connections of {streams} streams; one core; "
                  f"{bench.rounds} x {bench.seconds:g} s", [*first, CPU, RATE])


def _contenders(bench, job, with_floor=False):
    """Every proxy with clear text, and with TLS."""
    cert = certificate(bench, "ecdsa")
    # 256 streams at once are 256 connections of HTTP/1.1 to the origin: nobody's pool is to be too
    # small for them (nginx has 512 in its file; HAProxy, h2o and nghttpx have no such limit).
    settings = bench.folder("pingora-h2") / "pool.yaml"
    settings.write_text("upstream_keepalive_pool_size: 512\n")
    contenders = []
    for suffix, tls in (("", None), ("_tls", ServerTls(cert, ["h2"]))):
        of_kind = replace(job, h2=True, tls=tls, options=["-c", str(settings)])
        contenders += [Contender(peer + suffix, peer, of_kind) for peer in PEERS]
        if with_floor:
            contenders.append(floor(of_kind, suffix))
    return contenders


def _get(bench, name, note, path, length, connections, streams, first=None):
    result = _result(bench, name, note, connections, streams, [first] if first else [])
    origin = start_origin(bench, bench.core)
    # The relay knows what is asked for, and takes a response for one packet.
    contenders = _contenders(bench, Job("plain", origin.ports, core=bench.core),
                             with_floor=path == "/")
    return run_rounds(bench, result, contenders,
                      lambda proxy: _sample(bench, proxy, path, length, connections, streams),
                      lambda proxy: expect(proxy, path, length))


def _sample(bench, proxy, path, length, connections, streams, **load):
    """CPU time per request of one measured run of h2load, after a warm-up; (sample, errors)."""
    url = proxy.url + path
    warmup = run_h2load(url, bench.core, bench.warmup, connections, streams, **load)
    before = cpu_microseconds(proxy.pid)
    measured = run_h2load(url, bench.core, bench.seconds, connections, streams, **load)
    spent = cpu_microseconds(proxy.pid) - before
    sample = {
        CPU.key: spent / max(1, measured.requests),
        CPU_PER_MB.key: spent / (max(1, measured.bytes) / 1e6),
        RATE.key: measured.requests / measured.seconds,
    }
    incomplete = measured.requests == 0 or measured.bytes < measured.requests * length
    return sample, warmup.errors + measured.errors + (1 if incomplete else 0)


def _count(proxy, origin):
    """How many connections to the origin a number of requests takes."""
    port = origin.counted_ports[0]
    before, _ = origin.connections_and_requests(port)
    done = subprocess.run(
        ["h2load", f"-n{COUNTED_REQUESTS}", f"-c{COUNTED_CLIENTS}", "-m8", "-t1", proxy.url],
        capture_output=True, text=True, timeout=120, check=True)
    made, requests = origin.connections_and_requests(port)
    is_whole = f"{COUNTED_REQUESTS} succeeded, 0 failed, 0 errored" in done.stdout
    return {NEW.key: made - before}, 0 if is_whole and requests >= COUNTED_REQUESTS else 1


def expect(proxy, path, length, data=None, headers=()):
    """Raises WrongAnswer unless one request over HTTP/2 is answered 200 with as many bytes."""
    words = [word for header in headers for word in ("-H", header)]
    if data:
        words += ["--data-binary", f"@{data}"]
    version = ["--insecure", "--http2"] if proxy.is_tls else ["--http2-prior-knowledge"]
    done = subprocess.run(
        ["curl", "--silent", "--max-time", "10", "--noproxy", "*", *version, *words, "--output",
         "/dev/null", "--write-out", "%{http_version} %{http_code} %{size_download}",
         proxy.url + path], capture_output=True, text=True, timeout=20, check=False)
    if done.stdout != f"2 200 {length}":
        raise WrongAnswer(f"{path}: {done.stdout or done.stderr} (curl: {done.returncode})")
