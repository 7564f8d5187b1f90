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
from collections.abc import Callable

from .listener import ScriptedListener
from .message import Request
from .wire import DEADLINE, Address, Wire


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


class Origin(ScriptedListener[OriginConnection]):
    """Listens on a port of its own, or where it is told to, from now to `stop`."""

    def __init__(self, respond: Respond | None = None, listener: socket.socket | None = None):
        super().__init__(listener)
        self.respond: Respond = respond or answer()
        self.requests: list[Request] = []
        name = self._listener.getsockname()
        self.address: Address = pathlib.Path(name) if isinstance(name, str) else name[:2]
        self.port: int = 0 if isinstance(name, str) else name[1]
        self._accepting.start()

    def forget(self) -> None:
        """The proxy has closed its side too when this returns, so that no later request can meet
        these connections."""
        super().forget()
        self.requests = []

    @property
    def received(self) -> bytes:
        """All bytes, of all connections."""
        return b"".join(bytes(connection.received) for connection in self.connections)

    @property
    def targets(self) -> list[str]:
        return [request.target for request in self.requests]

    def _connect(self, sock: socket.socket) -> OriginConnection:
        return OriginConnection(sock, self)

    def _end(self, connection: OriginConnection) -> None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_WR)

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
