# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""One TCP connection, from either side: exact bytes out, bytes or messages in."""

import contextlib
import pathlib
import socket
import struct
import time
from collections.abc import Callable

from .message import Head, Malformed, Message

# What anything may take that is under way, in seconds. Far more than it takes, also on a busy
# machine and under a sanitizer; only failures wait for it.
DEADLINE = 15.0


def eventually(condition: Callable[[], object], what: str, deadline: float = DEADLINE):
    """Waits for what only shows by looking, and gives what `condition` then gave."""
    end = time.monotonic() + deadline
    while True:
        if value := condition():
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not happen within {deadline} s: {what}")
        time.sleep(0.005)


# A port of 127.0.0.1, a host with a port, or the path of a Unix socket.
Address = int | tuple[str, int] | pathlib.Path


def connect_to(address: Address, timeout: float = DEADLINE) -> socket.socket:
    if isinstance(address, pathlib.Path):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        try:
            sock.connect(str(address))
        except OSError:
            sock.close()
            raise
        return sock
    if isinstance(address, int):
        address = ("127.0.0.1", address)
    return socket.create_connection(address, timeout=timeout)


def address_text(address: Address) -> str:
    """As our programs take it."""
    if isinstance(address, pathlib.Path):
        return f"unix:{address}"
    if isinstance(address, int):
        return f"127.0.0.1:{address}"
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Wire:
    def __init__(self, sock: socket.socket):
        self.sock = sock
        self.sock.settimeout(DEADLINE)
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = bytearray()  # all that ever came
        self.was_reset = False
        self._used = 0  # of received, by what was read so far
        self._is_ended = False

    # ---- Out.

    def send(self, *pieces: bytes) -> None:
        """Sends the pieces, each with a system call of its own."""
        for piece in pieces:
            self.sock.sendall(piece)

    def send_slowly(self, data: bytes) -> None:
        """Byte by byte; a segment each, as there is no delay in TCP."""
        self.send(*(data[i : i + 1] for i in range(len(data))))

    def shutdown_write(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        """Closes with RST."""
        linger = struct.pack("ii", 1, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.sock.close()

    # ---- In. Each raises TimeoutError when nothing comes for DEADLINE.

    def pending(self) -> bytes:
        """What came and was not read."""
        return bytes(self.received[self._used :])

    def forget(self) -> None:
        """Drops what was read, where a test would pile it up."""
        del self.received[: self._used]
        self._used = 0

    def fill(self) -> bool:
        """Receives something. False at the end, also when that is a reset."""
        if self._is_ended:
            return False
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            self.was_reset = True
            data = b""
        self.received += data
        self._is_ended = not data
        return not self._is_ended

    def read_exactly(self, size: int) -> bytes:
        """As many bytes, or fewer at the end."""
        while len(self.received) - self._used < size and self.fill():
            pass
        return self._take(min(size, len(self.received) - self._used))

    def read_until(self, mark: bytes) -> bytes:
        """Up to and with `mark`, or all there is at the end."""
        start = self._used
        while True:
            at = self.received.find(mark, max(self._used, start - len(mark)))
            if at >= 0:
                return self._take(at + len(mark) - self._used)
            start = len(self.received)
            if not self.fill():
                return self._take(len(self.received) - self._used)

    def read_to_end(self) -> bytes:
        while self.fill():
            pass
        return self._take(len(self.received) - self._used)

    def wait_for_end(self) -> bytes:
        """Waits until the peer has closed; gives what came before and was not read."""
        return self.read_to_end()

    def read_head(self) -> Head | None:
        """None: the peer has closed before one began."""
        raw = self.read_until(b"\r\n\r\n")
        return Head(raw) if raw else None

    def read_framed_body(self, message: Message) -> None:
        """Reads what the head announces by Content-Length or chunks."""
        if message.head.is_chunked:
            self._read_chunks(message)
        else:
            length = message.head.content_length or 0
            message.body = self.read_exactly(length)
            message.is_complete = len(message.body) == length

    def _read_chunks(self, message: Message) -> None:
        body = bytearray()
        while True:
            line = self.read_until(b"\r\n")
            if not line.endswith(b"\r\n"):
                break
            try:
                size = int(line[:-2], 16)
            except ValueError:
                raise Malformed(f"a bad chunk size: {line!r}") from None
            if size == 0:
                self._read_trailers(message)
                break
            data = self.read_exactly(size + 2)
            body += data[:size]
            message.chunks.append(size)
            if len(data) < size + 2:
                break
            if data[size:] != b"\r\n":
                raise Malformed(f"a chunk that ends with {data[size:]!r}")
        message.body = bytes(body)

    def _read_trailers(self, message: Message) -> None:
        raw = bytearray(b"trailers\r\n")
        while True:
            line = self.read_until(b"\r\n")
            raw += line
            if line == b"\r\n":
                message.trailers = Head(bytes(raw)).fields
                message.is_complete = True
                return
            if not line.endswith(b"\r\n"):
                return

    def _take(self, size: int) -> bytes:
        data = bytes(self.received[self._used : self._used + size])
        self._used += size
        return data
