# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""An HTTP/2 origin by prior knowledge that does what a test tells it to, right or wrong.

A script is a function that is given a connection and talks on it, in a thread of its own:

    def refuse_the_first(connection):
        stream = connection.wait_for_request()
        connection.reset(stream, REFUSED_STREAM)
        connection.serve()

    origin.next_connections(refuse_the_first)

Connections without a script of their own answer each request with `origin.respond`.
"""

import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from . import debian  # noqa: F401 I001

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from .listener import ScriptedListener
from .wire import DEADLINE, eventually

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR = 0, 1, 2
REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM, HTTP_1_1_REQUIRED = 7, 8, 11, 13

Fields = list[tuple[str, str]]


@dataclass
class H2Request:
    """One stream, as far as it has come."""

    stream: int
    fields: Fields
    connection: int
    body: bytearray = field(default_factory=bytearray)
    trailers: Fields = field(default_factory=list)
    is_complete: bool = False
    reset: int | None = None

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key == name), None)

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]


class H2OriginConnection:
    """A connection from the proxy."""

    def __init__(self, sock: socket.socket, origin: "H2Origin", number: int):
        self.sock = sock
        self.sock.settimeout(0.05)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.origin = origin
        self.number = number
        self.requests: dict[int, H2Request] = {}
        self.pings = 0
        self.goaway: int | None = None
        self.is_ended = False
        self.consumes = True  # opens the windows by what comes
        self.is_stopping = False
        self.is_closed = False
        self.finished: set[int] = set()  # streams that a script has answered or reset
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(config)

    @property
    def has_open_streams(self) -> bool:
        return not self.is_closed and any(
            each.reset is None and each.stream not in self.finished
            for each in list(self.requests.values())
        )

    # ---- What comes.

    def start(self, settings: dict[int, int] | None = None) -> None:
        if settings:
            self.h2.local_settings = h2.settings.Settings(client=False, initial_values=settings)
        self.h2.initiate_connection()
        self.flush()

    def pump(self) -> None:
        """Takes what comes within a moment."""
        self.flush()
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            return
        except OSError:
            data = b""
        if not data:
            self.is_ended = True
            return
        for event in self.h2.receive_data(data):
            self._take(event)
        self.flush()

    def _take(self, event: h2.events.Event) -> None:
        request = self.requests.get(getattr(event, "stream_id", 0) or 0)
        if isinstance(event, h2.events.RequestReceived):
            request = H2Request(event.stream_id, list(event.headers), self.number)
            self.requests[event.stream_id] = request
            self.origin.requests.append(request)
        elif isinstance(event, h2.events.DataReceived):
            request.body += event.data
            if self.consumes and event.flow_controlled_length:
                with contextlib.suppress(h2.exceptions.ProtocolError):  # of a stream that was reset
                    self.h2.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
        elif isinstance(event, h2.events.TrailersReceived):
            request.trailers = list(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            request.is_complete = True
        elif isinstance(event, h2.events.StreamReset):
            request.reset = int(event.error_code)
        elif isinstance(event, h2.events.PingReceived):
            self.pings += 1
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = int(event.error_code)

    def wait(self, condition: Callable[[], object], what: str):
        end = time.monotonic() + DEADLINE
        while not (value := condition()):
            if time.monotonic() > end:
                raise AssertionError(f"did not come to the origin: {what}")
            if self.is_ended or self.is_stopping:
                raise ConnectionError(f"the connection ended before: {what}")
            self.pump()
        return value

    def wait_for_request(self, count: int = 1) -> int:
        """Waits for that many requests' heads in all; gives the stream of the last."""
        self.wait(lambda: len(self.requests) >= count, f"request {count}")
        return list(self.requests)[count - 1]

    def wait_for_body(self, stream: int) -> H2Request:
        self.wait(lambda: self.requests[stream].is_complete, "the end of a request")
        return self.requests[stream]

    def wait_for_reset(self, stream: int) -> int:
        self.wait(lambda: self.requests[stream].reset is not None, "a reset")
        return self.requests[stream].reset

    def wait_for_end(self) -> None:
        """Takes what comes until the proxy closes."""
        end = time.monotonic() + DEADLINE
        while not self.is_ended and not self.is_stopping:
            if time.monotonic() > end:
                raise AssertionError("the proxy left a connection to the origin open")
            with contextlib.suppress(h2.exceptions.ProtocolError):
                self.pump()

    def serve(self) -> None:
        """Answers each complete request with `origin.respond`, until the proxy closes."""
        answered = set(self.finished)
        while not self.is_ended and not self.is_stopping:
            for request in list(self.requests.values()):
                if request.is_complete and request.stream not in answered:
                    answered.add(request.stream)
                    if request.reset is None:
                        self.origin.respond(self, request)
                        self.flush()
            self.pump()

    # ---- What goes.

    def flush(self) -> None:
        if data := self.h2.data_to_send():
            self.send_raw(data)

    def send_raw(self, data: bytes) -> None:
        self.sock.settimeout(DEADLINE)
        try:
            self.sock.sendall(data)
        except OSError:
            self.is_ended = True
        self.sock.settimeout(0.05)

    def respond(
        self,
        stream: int,
        body: bytes = b"hello",
        status: int = 200,
        fields: Fields = (),
        trailers: Fields = (),
        end: bool = True,
    ) -> None:
        self.finished.add(stream)
        head = [(":status", str(status)), *fields]
        is_empty = not body and not trailers
        self.h2.send_headers(stream, head, end_stream=end and is_empty)
        self.flush()
        if body:
            self.send_body(stream, body, end=end and not trailers)
        if trailers:
            self.h2.send_headers(stream, list(trailers), end_stream=True)
        self.flush()

    def send_body(self, stream: int, body: bytes, end: bool = True) -> None:
        while body:
            window = self.wait(
                lambda: self.h2.local_flow_control_window(stream), "room to send a body"
            )
            size = min(window, self.h2.max_outbound_frame_size, len(body))
            self.h2.send_data(stream, body[:size], end_stream=end and size == len(body))
            body = body[size:]
            self.flush()

    def inform(self, stream: int, status: int, fields: Fields = ()) -> None:
        self.h2.send_headers(stream, [(":status", str(status)), *fields])
        self.flush()

    def reset(self, stream: int, code: int) -> None:
        self.finished.add(stream)
        self.h2.reset_stream(stream, code)
        self.flush()

    def go_away(self, last_stream: int, code: int = NO_ERROR) -> None:
        """By hand: the library would take nothing behind it."""
        payload = last_stream.to_bytes(4, "big") + code.to_bytes(4, "big")
        self.flush()
        self.send_raw(frame(7, 0, 0, payload))

    def close(self) -> None:
        """At the end of a case, returns when the proxy has closed its side too: the next request,
        which it might not be free to repeat, is not to meet this connection."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR if self.is_stopping else socket.SHUT_RDWR)
            end = time.monotonic() + DEADLINE
            while self.is_stopping and time.monotonic() < end:
                with contextlib.suppress(TimeoutError):
                    if not self.sock.recv(65536):
                        break
        self.sock.close()
        self.is_closed = True


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload


Script = Callable[[H2OriginConnection], object]
Respond = Callable[[H2OriginConnection, H2Request], object]


def answer(body: bytes = b"hello", **more) -> Respond:
    def respond(connection: H2OriginConnection, request: H2Request) -> None:
        connection.respond(request.stream, body, **more)

    return respond


class H2Origin(ScriptedListener[H2OriginConnection]):
    """Listens on a port of its own, from now to `stop`. Scripts run behind its SETTINGS."""

    def __init__(self, respond: Respond | None = None):
        super().__init__()
        self.respond: Respond = respond or answer()
        self.settings: dict[int, int] = {}
        self.requests: list[H2Request] = []
        self.port: int = self._listener.getsockname()[1]
        self._accepting.start()

    def wait_for_requests(self, count: int) -> list[H2Request]:
        eventually(lambda: len(self.requests) >= count, f"{count} requests at the origin")
        return self.requests

    def forget(self) -> None:
        # What clients asked for that have left is cancelled first: the proxy would try it again.
        end = time.monotonic() + 1
        while any(each.has_open_streams for each in self.connections) and time.monotonic() < end:
            time.sleep(0.002)
        super().forget()
        self.requests, self.settings, self.respond = [], {}, answer()

    def _connect(self, sock: socket.socket) -> H2OriginConnection:
        return H2OriginConnection(sock, self, len(self.connections))

    def _end(self, connection: H2OriginConnection) -> None:
        connection.is_stopping = True

    def _serve(self, connection: H2OriginConnection) -> None:
        connection.serve()

    def _run(self, script: Script, connection: H2OriginConnection) -> None:
        try:
            connection.start(self.settings)
            script(connection)
        except (ConnectionError, h2.exceptions.StreamClosedError):
            pass  # the test is over, or the proxy has closed: which is for the test to judge
        except BaseException as error:  # shown by the test's own thread
            self.failures.append(error)
        finally:
            connection.close()
