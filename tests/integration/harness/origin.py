# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""An origin that says exactly the bytes it is told to, and records what it is sent.

A script is a function that is given a connection and talks on it; it runs in a thread of its own,
and the connection is closed when it returns, which the proxy must answer by closing its side:

    def cut_short(connection):
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal")

    origin.next_connections(cut_short)

Connections without a script of their own get one that answers each request with `origin.respond`.
"""

import contextlib
import pathlib
import socket
import threading
from collections.abc import Callable

from .message import Request
from .wire import DEADLINE, Address, Wire, eventually


class OriginConnection(Wire):
    """A connection from the proxy."""

    def __init__(self, sock: socket.socket, origin: "Origin"):
        super().__init__(sock)
        self.origin = origin
        self.requests: list[Request] = []

    def read_request(self) -> Request | None:
        """The next request with its body. None: closed in between, or within the request."""
        request = self.read_request_head()
        if request is None:
            return None
        self.read_framed_body(request)
        return request if request.is_complete else None

    def read_request_head(self) -> Request | None:
        # An idle connection stays as long as the test does.
        self.sock.settimeout(None)
        more = bool(self.pending()) or self.fill()
        self.sock.settimeout(DEADLINE)
        head = self.read_head() if more else None
        if head is None:
            return None
        request = Request(head)
        self.requests.append(request)
        self.origin.requests.append(request)
        return request


Script = Callable[[OriginConnection], object]
Respond = Callable[[OriginConnection, Request], object]


def answer(body: bytes = b"hello", *fields: str, status: str = "200 OK") -> Respond:
    """Answers with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", ""]
    raw = "\r\n".join(lines).encode("latin-1")

    def respond(connection: OriginConnection, request: Request) -> None:
        connection.send(raw if request.method == "HEAD" else raw + body)

    return respond


def answer_raw(raw: bytes) -> Respond:
    return lambda connection, request: connection.send(raw)


class Origin:
    """Listens on a port of its own, or where it is told to, from now to `stop`."""

    def __init__(self, respond: Respond | None = None, listener: socket.socket | None = None):
        self.respond: Respond = respond or answer()
        self.connections: list[OriginConnection] = []
        self.requests: list[Request] = []
        self.failures: list[BaseException] = []
        self._scripts: list[Script] = []
        self._threads: list[threading.Thread] = []
        self._listener = listener or socket.create_server(("127.0.0.1", 0), backlog=512)
        name = self._listener.getsockname()
        self.address: Address = pathlib.Path(name) if isinstance(name, str) else name[:2]
        self.port: int = 0 if isinstance(name, str) else name[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def next_connections(self, *scripts: Script) -> None:
        """What to do on the connections that come next."""
        self._scripts.extend(scripts)

    def forget(self) -> None:
        """Closes what is open and forgets what was received, for the next case. The proxy has
        closed its side too when this returns, so that no later request can meet these."""
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_WR)
        for thread in self._threads:
            thread.join(DEADLINE)
        self.connections, self.requests, self._threads, self._scripts = [], [], [], []

    @property
    def received(self) -> bytes:
        """All bytes, of all connections."""
        return b"".join(bytes(connection.received) for connection in self.connections)

    @property
    def targets(self) -> list[str]:
        return [request.target for request in self.requests]

    def connection(self, index: int) -> OriginConnection:
        """Waits until there are that many."""
        eventually(lambda: len(self.connections) > index, f"connection {index} to the origin")
        return self.connections[index]

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
            connection = OriginConnection(sock, self)
            script = self._scripts.pop(0) if self._scripts else self._serve
            thread = threading.Thread(target=self._run, args=(script, connection), daemon=True)
            self.connections.append(connection)
            thread.start()
            self._threads.append(thread)  # started: `forget` may be joining at this moment

    def _serve(self, connection: OriginConnection) -> None:
        while request := connection.read_request():
            self.respond(connection, request)

    def _run(self, script: Script, connection: OriginConnection) -> None:
        try:
            script(connection)
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_WR)
            connection.read_to_end()  # a plain close would send RST and lose what was sent
        except TimeoutError:
            self.failures.append(AssertionError("the proxy left a connection to the origin open"))
        except OSError:
            pass  # reset, by the script itself
        except BaseException as error:  # shown by the test's own thread
            self.failures.append(error)
        finally:
            connection.close()
