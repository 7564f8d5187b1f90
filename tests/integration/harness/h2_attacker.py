# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""A client of HTTP/2 that keeps to no rule: frames as they are told, heads of any bytes."""

import contextlib
import socket
from collections.abc import Iterable

from . import debian  # noqa: F401 I001

from hpack import Decoder, Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from .wire import DEADLINE, Address, connect_to

# RFC 9113 §7.
PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED = 1, 3, 5
REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 7, 8, 11
GET = [(":method", "GET"), (":scheme", "http"), (":authority", "test.example")]

Fields = Iterable[tuple[str | bytes, str | bytes]]

__all__ = [
    "CANCEL",
    "ENHANCE_YOUR_CALM",
    "FLOW_CONTROL_ERROR",
    "GET",
    "PROTOCOL_ERROR",
    "REFUSED_STREAM",
    "STREAM_CLOSED",
    "Attacker",
    "ContinuationFrame",
    "DataFrame",
    "ExtensionFrame",
    "Fields",
    "Frame",
    "HeadersFrame",
    "PingFrame",
    "PriorityFrame",
    "RstStreamFrame",
    "SettingsFrame",
    "WindowUpdateFrame",
]


class Attacker:
    """Connected, with the preface and the peer's SETTINGS answered. A context: closed at its end.

    Frames that come are kept: what answers a stream in `status`, `body`, `resets` and `ended`, the
    end of the connection in `goaway`, the code of the last GOAWAY."""

    def __init__(self, address: Address, settings: dict[int, int] | None = None):
        self.sock = connect_to(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.encoder, self.decoder = Encoder(), Decoder()
        self.decoder.max_header_list_size = 1 << 20
        self.status: dict[int, str] = {}
        self.body: dict[int, bytes] = {}
        self.resets: dict[int, int] = {}
        self.ended: set[int] = set()
        self.goaway: int | None = None
        self.pongs = 0
        self.next_stream = 1
        self._received = b""
        self._is_closed = False
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", SettingsFrame(0, settings=settings or {}))

    def __enter__(self) -> "Attacker":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    # ---- Out.

    def send(self, *frames: Frame | bytes) -> bool:
        """False if the proxy has closed."""
        raw = b"".join(each if isinstance(each, bytes) else each.serialize() for each in frames)
        try:
            self.sock.sendall(raw)
        except OSError:
            return False
        return True

    def flood(self, frames: Frame | bytes, count: int) -> int:
        """Sends the same on and on, without reading, until the proxy takes no more: it has closed,
        or does not read. How often it was sent."""
        raw = frames if isinstance(frames, bytes) else frames.serialize()
        batch = max(1, 16384 // len(raw))
        self.sock.settimeout(2)
        sent = 0
        with contextlib.suppress(OSError):
            while sent < count:
                self.sock.sendall(raw * min(batch, count - sent))
                sent += batch
        self.sock.settimeout(DEADLINE)
        return sent

    def head(self, fields: Fields, end: bool = True, stream: int | None = None) -> HeadersFrame:
        """HEADERS for the next stream, in one frame; not sent."""
        if stream is None:
            stream, self.next_stream = self.next_stream, self.next_stream + 2
        flags = ["END_HEADERS"] + (["END_STREAM"] if end else [])
        # As they are: nothing is made lower-case, and nothing put into the table.
        block = b"".join(_literal(name, value) for name, value in fields)
        return HeadersFrame(stream, data=block, flags=flags)

    def request(self, target: str = "/", *more: tuple, end: bool = True) -> int:
        """Sends a good request; its stream."""
        frame = self.head([*GET, (":path", target), *more], end)
        self.send(frame)
        return frame.stream_id

    # ---- In.

    def read(self) -> bool:
        """Takes what comes. False at the end."""
        if self._is_closed:
            return False
        try:
            more = self.sock.recv(1 << 16)
        except TimeoutError:
            raise AssertionError("the proxy says nothing") from None
        except OSError:
            more = b""
        self._is_closed = not more
        self._received += more
        while len(self._received) >= 9:
            frame, size = Frame.parse_frame_header(memoryview(self._received[:9]))
            if len(self._received) < 9 + size:
                break
            body = memoryview(self._received[9 : 9 + size])
            self._received = self._received[9 + size :]
            frame.parse_body(body)
            self._take(frame)
        return not self._is_closed

    def wait_for(self, stream: int) -> None:
        """Until the stream has ended, in any way, or the connection has."""
        while stream not in self.ended and stream not in self.resets and self.read():
            pass

    def wait_for_end(self) -> int | None:
        """Until the proxy has closed: the code of the last GOAWAY."""
        while self.read():
            pass
        return self.goaway

    def ping(self) -> None:
        """Returns once the proxy has read all that was sent before."""
        expected = self.pongs + 1
        self.send(PingFrame(0, opaque_data=b"attacker"))
        while self.pongs < expected and self.read():
            pass

    def _take(self, frame: Frame) -> None:
        stream = frame.stream_id
        if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
            self.send(SettingsFrame(0, flags=["ACK"]))
        elif isinstance(frame, HeadersFrame):
            fields = dict(self.decoder.decode(frame.data))
            self.status.setdefault(stream, fields.get(":status", ""))
        elif isinstance(frame, DataFrame):
            self.body[stream] = self.body.get(stream, b"") + frame.data
        elif isinstance(frame, RstStreamFrame):
            self.resets[stream] = frame.error_code
        elif isinstance(frame, GoAwayFrame):
            self.goaway = frame.error_code
        elif isinstance(frame, PingFrame) and "ACK" in frame.flags:
            self.pongs += 1
        if "END_STREAM" in frame.flags:
            self.ended.add(stream)


def _literal(name: str | bytes, value: str | bytes) -> bytes:
    """A field that is not indexed, RFC 7541 §6.2.2."""
    return b"\0" + _string(name) + _string(value)


def _string(text: str | bytes) -> bytes:
    raw = text.encode("latin-1") if isinstance(text, str) else text
    size, rest = len(raw), b""
    if size < 127:
        return bytes([size]) + raw
    size -= 127
    while size >= 128:
        rest += bytes([size % 128 | 128])
        size //= 128
    return bytes([127]) + rest + bytes([size]) + raw
