# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""What a process has cost so far: CPU time and memory, of all its threads and child processes."""

from pathlib import Path

from processes import descendants


def cpu_microseconds(pid):
    """CPU time so far: run time of every thread of the process and its children. Threads that have
    ended are not in it, which is right for proxies, whose threads live as long as they do."""
    nanoseconds = 0
    for process in [pid, *descendants(pid)]:
        for task in Path(f"/proc/{process}/task").iterdir():
            nanoseconds += int((task / "schedstat").read_text().split()[0])
    return nanoseconds / 1000


def resident_kib(pid):
    """Resident memory of the process and its children, in KiB."""
    total = 0
    for process in [pid, *descendants(pid)]:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                total += int(line.split()[1])
    return total
