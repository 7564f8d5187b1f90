# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Load from wrk: closed loop, keep-alive or not, with errors counted."""

import json
import subprocess
from dataclasses import dataclass

from bench import BENCHMARKS
from processes import pinned


@dataclass
class Load:
    """What one run of wrk saw."""

    requests: int
    seconds: float
    bytes: int
    p99_ms: float
    errors: int


def run_wrk(url, core, seconds, connections=64, headers=()):
    """One run of wrk, whole seconds, one thread; every connection keeps one request in flight."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s",
               str(BENCHMARKS / "harness/wrk_report.lua")]
    for header in headers:
        command += ["-H", header]
    done = subprocess.run(pinned([*command, url], core), capture_output=True, text=True,
                          timeout=seconds + 30, check=True)
    report = json.loads(next(line[7:] for line in done.stdout.splitlines()
                             if line.startswith("report ")))
    return Load(report["requests"], report["us"] / 1e6, report["bytes"], report["p99_us"] / 1000,
                report["errors"])
