# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Programs that tests start: ours, and the servers beside it."""

import contextlib
import functools
import os
import pathlib
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from signal import SIGTERM

from .wire import DEADLINE, Address, connect_to, eventually

# Ports that were given out stay bound, without listening, until this process ends: nobody else is
# given them, and servers, which all set SO_REUSEADDR, can still listen on them.
_reserved: list[socket.socket] = []


def free_ports(count: int) -> list[int]:
    ports = []
    for _ in range(count):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        _reserved.append(sock)
        ports.append(sock.getsockname()[1])
    return ports


def bin_dir() -> pathlib.Path:
    """Where our programs are: PINGORA_BIN_DIR, or else what the preset dev builds."""
    default = pathlib.Path(__file__).parents[3] / "build" / "dev" / "bin"
    return pathlib.Path(os.environ.get("PINGORA_BIN_DIR", default))


@functools.cache
def is_instrumented(program: str = "pingora-proxy") -> bool:
    """Whether it was built with a sanitizer, which needs memory and descriptors of its own."""
    code = (bin_dir() / program).read_bytes()
    return b"__asan_init" in code or b"__tsan_init" in code


def waits_for_cores(pid: int | str) -> dict[str, float]:
    """See Program.waits_for_cores."""
    waits = {}
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # it may have ended
            waits[thread.name] = int((thread / "schedstat").read_text().split()[1]) / 1e9
    return waits


class Program:
    """A process, started now. What it prints on standard error is kept."""

    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        ports: Sequence[Address] = (),
        env: dict[str, str] | None = None,
        before_exec=None,
    ):
        """`ports`: where it is to listen; waits until it does."""
        self.argv = [str(each) for each in argv]
        self._output = tempfile.TemporaryFile()
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self.argv,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._errors,
            env={**os.environ, **(env or {})},
            preexec_fn=before_exec,
        )
        try:
            for port in ports:
                eventually(lambda port=port: self._listens_on(port), f"{self.argv[0]} listening")
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def stdout(self) -> str:
        return self._read(self._output)

    @property
    def stderr(self) -> str:
        return self._read(self._errors)

    def wait(self, deadline: float = DEADLINE) -> int:
        """Its exit code; negative for a signal."""
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running: {self.argv}\n{self.stderr[-2000:]}") from None

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self, number: int = SIGTERM) -> int:
        if self.process.poll() is None:
            self.send_signal(number)
        return self.wait()

    def stop_cleanly(self) -> None:
        """Stops it, and fails unless it ends with 0: also a sanitizer's findings do that."""
        code = self.stop()
        if code != 0:
            raise AssertionError(f"{self.argv} ended with {code}:\n{self.stderr[-6000:]}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def rss_kib(self) -> int:
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def waits_for_cores(self) -> dict[str, float]:
        """How long each thread has been ready to run and was not let, in seconds."""
        return waits_for_cores(self.pid)

    def sockets(self) -> int:
        """How many sockets it has open."""
        count = 0
        for descriptor in pathlib.Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                count += os.readlink(descriptor).startswith("socket:")
        return count

    def _listens_on(self, port: Address) -> bool:
        if not self.is_running:
            raise AssertionError(f"{self.argv} ended with {self.process.returncode}\n{self.stderr}")
        try:
            connect_to(port, timeout=1).close()
        except OSError:
            return False
        return True

    @staticmethod
    def _read(file) -> str:
        # By offset: the process writes through the same description of the file.
        return os.pread(file.fileno(), 1 << 24, 0).decode("utf-8", "replace")
