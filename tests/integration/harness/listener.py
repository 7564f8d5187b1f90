# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""What the origins of both versions have in common: connections, each with a script that runs in a
thread of its own."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from .wire import DEADLINE, eventually

Connection = TypeVar("Connection")


class ScriptedListener(Generic[Connection]):
    """Accepts connections until `stop`. What derives from it makes them (`_connect`), has a script
    run on each (`_run`), the next that it was given or `_serve`, and ends them (`_end`)."""

    def __init__(self, listener: socket.socket | None = None):
        self.connections: list[Connection] = []
        self.failures: list[BaseException] = []
        self._scripts: list[Callable[[Connection], object]] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()  # of the threads and their connections
        self._listener = listener or socket.create_server(("127.0.0.1", 0), backlog=512)
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def next_connections(self, *scripts: Callable[[Connection], object]) -> None:
        """What to do on the connections that come next."""
        self._scripts.extend(scripts)

    def connection(self, index: int) -> Connection:
        """Waits until there are that many."""
        eventually(lambda: len(self.connections) > index, f"connection {index} to the origin")
        return self.connections[index]

    def forget(self) -> None:
        """Closes what is open and forgets what was received, for the next case."""
        with self._lock:
            connections, threads = self.connections, self._threads
            self.connections, self._threads, self._scripts = [], [], []
        for connection in connections:
            self._end(connection)
        for thread in threads:
            thread.join(DEADLINE)

    def stop(self) -> None:
        """Closes everything; fails with what a script has failed with."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(DEADLINE)
        self.forget()
        if self.failures:
            raise self.failures[0]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                connection = self._connect(sock)
                script = self._scripts.pop(0) if self._scripts else self._serve
                thread = threading.Thread(target=self._run, args=(script, connection), daemon=True)
                self.connections.append(connection)
                self._threads.append(thread)
                thread.start()
