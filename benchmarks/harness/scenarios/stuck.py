# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""stuck: latency of fast requests while one request in a hundred burns 20 ms of CPU in a filter."""

import json
import subprocess

from bench import BENCHMARKS, Bench, compiled
from origin import start_origin
from peers import Job, Proxy
from results import Metric, Result
from rounds import Contender, expect_body, run_rounds

FAST_PER_SECOND = 2000
FAST_CONNECTIONS = 32
SLOW_PER_SECOND = 20
SLOW_CONNECTIONS = 4
WORKERS = 2


def stuck(bench: Bench):
    """Two workers on all cores; an open-loop client, so that stalls count in full."""
    seconds = bench.seconds + 1
    result = Result("stuck", f"latency of {FAST_PER_SECOND:,} fast requests/s beside "
                    f"{SLOW_PER_SECOND} that burn 20 ms; {WORKERS} workers, all cores, open loop; "
                    f"{bench.rounds} x {seconds:g} s",
                    [Metric("p99_ms", "p99 ms"), Metric("p50_ms", "p50 ms"),
                     Metric("p90_ms", "p90 ms"), Metric("p999_ms", "p99.9 ms"),
                     Metric("slow", "slow requests", 0)])
    client = compiled(BENCHMARKS / "harness/open_loop.cc", bench.work / "helpers", "-std=c++20")
    origin = start_origin(bench, None)
    job = Job("stuck", origin.ports, WORKERS)
    pinned_workers = Job("stuck", origin.ports, WORKERS, options=["--no-work-stealing"])
    contenders = [Contender("pingora_cpp", "pingora_cpp", job),
                  Contender("pingora_cpp_no_stealing", "pingora_cpp", pinned_workers),
                  Contender("nginx", "nginx", job),
                  Contender("pingora_rust", "pingora_rust", job)]

    def measure(proxy):
        command = [client, proxy.port, seconds, bench.warmup, FAST_PER_SECOND, FAST_CONNECTIONS,
                   SLOW_PER_SECOND, SLOW_CONNECTIONS]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True,
                              timeout=seconds + 30)
        sample = json.loads(done.stdout)
        return sample, sample["errors"]

    run_rounds(bench, result, contenders, measure, lambda proxy: expect_body(proxy, "/", 128))
    if bench.wants("no_proxy"):
        # What client, origin and machine make of it by themselves.
        direct = Proxy("no_proxy", 0, origin.ports[0], None)
        for _ in range(bench.rounds):
            result.row("no_proxy").add(*measure(direct))
    return result
