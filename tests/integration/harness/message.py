# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""HTTP/1 messages as they were on the wire. Strict: what the proxy writes has to be right."""


class Malformed(AssertionError):
    """A message that the proxy should not have written."""


class Head:
    """The first line and the fields of a message, with their order, case and duplicates."""

    def __init__(self, raw: bytes):
        self.raw = raw
        if not raw.endswith(b"\r\n\r\n"):
            raise Malformed(f"a head without an end: {raw!r}")
        lines = raw[:-4].split(b"\r\n")
        if any(byte in line for line in lines for byte in (b"\r", b"\n", b"\0")):
            raise Malformed(f"CR, LF or NUL inside a line: {raw!r}")
        self.start_line = lines[0].decode("latin-1")
        self.fields: list[tuple[str, str]] = []
        for line in lines[1:]:
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or not name or name != name.strip():
                raise Malformed(f"a bad field line: {line!r}")
            self.fields.append((name, value.strip(" \t")))

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def first(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None

    def names(self) -> list[str]:
        """The names as they were written, in their order."""
        return [name for name, _ in self.fields]

    @property
    def is_chunked(self) -> bool:
        coding = self.all("transfer-encoding")
        if not coding:
            return False
        if coding != ["chunked"] or self.all("content-length"):
            raise Malformed(f"ambiguous framing: {self.fields}")
        return True

    @property
    def content_length(self) -> int | None:
        lengths = self.all("content-length")
        if not lengths:
            return None
        if len(lengths) != 1 or not lengths[0].isdigit():
            raise Malformed(f"ambiguous framing: {self.fields}")
        return int(lengths[0])

    def __repr__(self) -> str:
        return f"<{self.start_line} {self.fields}>"


class Message:
    """A head with what came behind it."""

    def __init__(self, head: Head):
        self.head = head
        self.body = b""
        self.trailers: list[tuple[str, str]] = []
        self.chunks: list[int] = []
        self.is_complete = False  # whether the framing says that nothing is missing

    def first(self, name: str) -> str | None:
        return self.head.first(name)

    def all(self, name: str) -> list[str]:
        return self.head.all(name)

    def __repr__(self) -> str:
        end = "" if self.is_complete else " (cut short)"
        return f"{self.head!r} + {len(self.body)} B{end} {self.body[:80]!r}"


class Request(Message):
    @property
    def method(self) -> str:
        return self.head.start_line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.head.start_line.split(" ")[1]


class Response(Message):
    def __init__(self, head: Head):
        super().__init__(head)
        version, space, rest = head.start_line.partition(" ")
        status, space, self.reason = rest.partition(" ")
        if version not in ("HTTP/1.1", "HTTP/1.0") or len(status) != 3 or not status.isdigit():
            raise Malformed(f"a bad status line: {head.start_line!r}")
        self.version = version
        self.status = int(status)

    def has_body(self, method: str) -> bool:
        if self.status < 200 or self.status in (204, 304):
            return False
        return method != "HEAD" and not (method == "CONNECT" and self.status < 300)
