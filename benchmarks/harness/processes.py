# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""The processes of a run: started here, reachable by port, and ended by their own pid."""

import os
import random
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path


class StartError(Exception):
    """A process did not come up; the message carries what it printed."""


def raise_open_files_limit():
    """Lets this process and its children open as many files as the hard limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_ports(count):
    """`count` distinct ports, free on every address, below those that outgoing connections take."""
    found = []
    while len(found) < count:
        port = random.randrange(10000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def pinned(command, core):
    """The command held to one core, or as it is if `core` is None."""
    return command if core is None else ["taskset", "-c", str(core), *command]


class Processes:
    """Owns every process of a run. Leaving the `with` block ends them all."""

    def __init__(self):
        self._running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self._running):
            end(process)
        self._running.clear()

    def start(self, command, log: Path, ready=None, env=None, timeout=15.0):
        """Starts a command whose output goes to `log`; returns once `ready`, an (address, port),
        accepts connections."""
        with open(log, "wb") as output:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={**os.environ, **(env or {})})
        self._running.append(process)
        deadline = time.monotonic() + timeout
        while ready and not accepts(ready):
            if process.poll() is not None:
                raise StartError(f"{command[0]} ended with {process.returncode}: {tail(log)}")
            if time.monotonic() > deadline:
                raise StartError(f"{command[0]} does not listen on {ready[1]}: {tail(log)}")
            time.sleep(0.02)
        return process

    def end(self, process):
        """Ends one process before the others."""
        self._running.remove(process)
        end(process)


def end(process):
    """Asks a process to end, and makes it after five seconds."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        for pid in [process.pid, *descendants(process.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()


def accepts(address):
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection(address, timeout=1).close()
        return True
    except OSError:
        return False


def tail(log: Path, limit=600):
    """The last characters of a log, for an error message."""
    return log.read_text(errors="replace")[-limit:].strip() or "(no output)"


def descendants(pid):
    """Pids of the children of a process, of their children, and so on."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found
