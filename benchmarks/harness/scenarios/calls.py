# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""syscalls, instructions: what a kept-alive request with a 128-byte response does, counted."""

import mmap
import re
import shutil
import signal
import socket
import subprocess
from dataclasses import replace

from bench import BENCHMARKS, Bench, compiled
from load import run_wrk
from origin import start_origin
from peers import Job, Unavailable, start_proxy
from processes import StartError
from results import Metric, Result
from rounds import (Contender, WrongAnswer, expect_body, floor, run_rounds,
                    standard_contenders)

# In the order of `enum counter` in count_calls.c.
COUNTERS = ("recv", "send", "eagain", "epoll_ctl", "epoll_wait", "timerfd_settime", "allocations")
FEW_REQUESTS = 2000
MORE_REQUESTS = 6000
CONNECTIONS = 64


def syscalls(bench: Bench):
    """System calls and heap allocations per request, counted by an LD_PRELOAD library at full
    speed. The 64 connections are opened and closed within the count."""
    result = Result("syscalls", "calls per kept-alive GET, 128-byte response; one core",
                    [Metric(name, name, 3) for name in COUNTERS])
    library = compiled(BENCHMARKS / "harness/count_calls.c", bench.work / "helpers",
                       "-shared", "-fPIC")
    once = replace(bench, rounds=1)
    origin = start_origin(bench, bench.core)
    contenders, files = [], {}
    for contender in [*standard_contenders(None), floor(None)]:
        name = contender.name
        files[name] = bench.folder(f"counters-{name}") / "counters"
        files[name].write_bytes(bytes(mmap.PAGESIZE))
        contenders.append(Contender(name, contender.peer, Job(
            "plain", origin.ports, core=bench.core,
            env={"LD_PRELOAD": str(library), "COUNT_CALLS_FILE": str(files[name])})))

    def read_counters(proxy):
        words = memoryview(files[proxy.name].read_bytes()[:8 * len(COUNTERS)]).cast("Q")
        return dict(zip(COUNTERS, words))

    def measure(proxy):
        run_wrk(proxy.url, bench.core, bench.warmup)
        before = read_counters(proxy)
        load = run_wrk(proxy.url, bench.core, bench.seconds)
        after = read_counters(proxy)
        requests = max(1, load.requests)
        return {name: (after[name] - before[name]) / requests for name in COUNTERS}, load.errors

    return run_rounds(once, result, contenders, measure,
                      lambda proxy: expect_body(proxy, "/", 128))


def instructions(bench: Bench):
    """User instructions per request, counted by callgrind: the difference between a run of some
    requests and one of more, so that starting and ending cancel out."""
    result = Result("instructions", "user instructions per kept-alive GET, 128-byte response "
                    f"({MORE_REQUESTS - FEW_REQUESTS:,} requests)",
                    [Metric("instructions_per_request", "instructions/request", 0)])
    origin = start_origin(bench, None)
    job = Job("plain", origin.ports)
    for contender in [*standard_contenders(job), floor(job)]:
        if not bench.wants(contender.name):
            continue
        row = result.row(contender.name)
        if not shutil.which("valgrind"):
            row.skipped = "valgrind is not installed"
            continue
        try:
            few = instructions_of(bench, contender, FEW_REQUESTS)
            more = instructions_of(bench, contender, MORE_REQUESTS)
            row.add({"instructions_per_request": (more - few) / (MORE_REQUESTS - FEW_REQUESTS)}, 0)
        except Unavailable as missing:
            row.skipped = str(missing)
        except (StartError, WrongAnswer, OSError, subprocess.TimeoutExpired) as failure:
            row.fail(str(failure))
    return result


def instructions_of(bench, contender, requests):
    """Instructions of a proxy from its start to its end, with that many requests between."""
    folder = bench.folder(f"callgrind-{contender.name}")
    job = replace(contender.job, wrapper=[
        "valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out.%p"])
    proxy = start_proxy(bench, contender.name, contender.peer, job)
    send_requests(proxy.port, requests)
    # To all of these SIGINT means: end at once.
    proxy.process.send_signal(signal.SIGINT)
    proxy.process.wait(60)
    total = 0
    for file in folder.iterdir():
        found = re.search(r"^(?:totals|summary): (\d+)", file.read_text(), re.MULTILINE)
        total += int(found[1]) if found else 0
    return total


def send_requests(port, requests):
    """Sends exactly that many requests: on 64 connections at once, then reads 64 answers."""
    request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    connections = [socket.create_connection(("127.0.0.1", port), timeout=30)
                   for _ in range(CONNECTIONS)]
    left = requests
    while left:
        batch = connections[:left]
        for connection in batch:
            connection.sendall(request)
        for connection in batch:
            read_answer(connection)
        left -= len(batch)
    for connection in connections:
        connection.close()


def read_answer(connection):
    """Reads one answer whose body is the 128 bytes of the origin."""
    data = b""
    while b"\r\n\r\n" not in data or len(data) < data.index(b"\r\n\r\n") + 4 + 128:
        received = connection.recv(4096)
        if not received:
            raise WrongAnswer("the proxy closed a connection")
        data += received
    if not data.startswith(b"HTTP/1.1 200"):
        raise WrongAnswer(data[:80].decode(errors="replace"))
