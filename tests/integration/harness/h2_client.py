# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""A client of HTTP/2 by prior knowledge: python3-h2 for what is said well, hyperframe and raw bytes
for what is not."""

import contextlib
import socket
import time
from dataclasses import dataclass, field

from . import debian  # noqa: F401, I001
import h2.config
import h2.connection
import h2.events
import h2.settings
from hyperframe.frame import GoAwayFrame

from .wire import DEADLINE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@dataclass
class Answer:
    """What has come on a stream."""

    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)
    informational: list[int] = field(default_factory=list)
    is_complete: bool = False
    reset: int | None = None

    @property
    def status(self) -> int:
        return int(self.fields.get(":status", 0))

    @property
    def is_over(self) -> bool:
        return self.is_complete or self.reset is not None


class H2Client:
    """A connection. `send` sends bytes as they are; the rest keeps to the rules."""

    def __init__(self, port: int, *, settings: dict[int, int] | None = None, reads: bool = True):
        """`reads`: whether windows open by themselves."""
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = h2.config.H2Configuration(
            client_side=True,
            header_encoding="latin-1",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.h2 = h2.connection.H2Connection(config)
        # The library takes a GOAWAY for the end of all; requests under way go on.
        self.h2._frame_dispatch_table[GoAwayFrame] = self._take_goaway
        self.h2.local_settings.update(settings or {})
        self.reads = reads
        self.answers: dict[int, Answer] = {}
        self.goaways: list[int] = []
        self.is_closed = False
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self) -> "H2Client":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    def flush(self) -> None:
        self.send(self.h2.data_to_send())

    def send(self, raw: bytes) -> None:
        """A server that has closed is noticed by reading."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(raw)

    def request(
        self,
        path: str = "/",
        method: str = "GET",
        fields: tuple[tuple[str, str], ...] = (),
        end: bool = True,
        pseudo: tuple[tuple[str, str], ...] = (),
    ) -> int:
        """Begins a request, not flushed; gives the stream's id."""
        stream = self.h2.get_next_available_stream_id()
        head = [
            (":method", method),
            (":scheme", "http"),
            (":authority", "test"),
            (":path", path),
            *pseudo,
            *fields,
        ]
        self.h2.send_headers(stream, head, end_stream=end)
        self.answers[stream] = Answer()
        return stream

    def turn(self) -> None:
        """Reads once."""
        try:
            data = self.sock.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            self.is_closed = True
            return
        for event in self.h2.receive_data(data):
            self._take(event)
        if not self.is_closed:
            self.flush()

    def until(self, done) -> None:
        deadline = time.monotonic() + DEADLINE
        self.flush()
        while not done() and not self.is_closed:
            if time.monotonic() > deadline:
                raise AssertionError("it took too long")
            self.turn()

    def get(self, path: str = "/", **more) -> Answer:
        stream = self.request(path, **more)
        self.until(lambda: self.answers[stream].is_over)
        return self.answers[stream]

    def until_goaway(self) -> int:
        """The code of the GOAWAY behind which the connection is closed; -1 without one."""
        self.until(lambda: False)
        return self.goaways[-1] if self.goaways else -1

    def _take_goaway(self, received: GoAwayFrame):
        self.goaways.append(received.error_code)
        return [], []

    def _take(self, event) -> None:
        answer = self.answers.get(getattr(event, "stream_id", 0) or 0, Answer())
        match event:
            case h2.events.InformationalResponseReceived():
                answer.informational.append(int(dict(event.headers)[":status"]))
            case h2.events.ResponseReceived():
                answer.fields = dict(event.headers)
            case h2.events.DataReceived():
                answer.body += event.data
                if self.reads and event.flow_controlled_length:
                    self.h2.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
            case h2.events.TrailersReceived():
                answer.trailers = dict(event.headers)
            case h2.events.StreamEnded():
                answer.is_complete = True
            case h2.events.StreamReset():
                answer.reset = int(event.error_code)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame with any content."""
    head = len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4)
    return head + payload


def whole_conversation(heads: list[list[tuple[str, str]]]) -> bytes:
    """All that a client sends which makes these requests at once, and says that it will go."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    for head in heads:
        client.send_headers(client.get_next_available_stream_id(), head, end_stream=True)
    client.close_connection()
    return client.data_to_send()
