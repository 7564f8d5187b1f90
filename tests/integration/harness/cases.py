# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Tests between a client and an origin, and tables of them."""

import contextlib
import unittest
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .client import Client
from .message import Head
from .origin import Origin, Respond, answer
from .program import Program, bin_dir, free_ports
from .wire import Address, address_text

GET = b"GET / HTTP/1.1\r\nHost: test.example\r\n"
POST = b"POST / HTTP/1.1\r\nHost: test.example\r\n"


def start_proxy(
    *origins: Address,
    program: str = "pingora-proxy",
    threads: int = 1,
    arguments: Iterable[str] = (),
    listen: Address | None = None,
    **more,
) -> tuple[Program, Address]:
    """Starts a proxy in front of `origins`; gives it and where it listens: `listen`, or a port of
    its own. On one thread, so that what was asked first is done first."""
    listen = listen or free_ports(1)[0]
    argv = [bin_dir() / program, "--listen", address_text(listen), "--threads", f"{threads}"]
    argv += arguments
    for origin in origins:
        argv += ["--upstream", address_text(origin)]
    return Program(argv, [listen], **more), listen


class ProxyTest(unittest.TestCase):
    """A proxy and its origin, for all tests of a class. A sanitizer that has something to say about
    the proxy, or an exit code that is not 0, fails the class."""

    program = "pingora-proxy"
    arguments: Iterable[str] = ()
    maxDiff = 4000

    @classmethod
    def setUpClass(cls) -> None:
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)
        cls.proxy, cls.port = start_proxy(
            cls.origin.port, program=cls.program, arguments=cls.arguments
        )
        cls.addClassCleanup(cls.proxy.stop_cleanly)

    def setUp(self) -> None:
        self.origin.forget()
        self.origin.respond = answer()

    def tearDown(self) -> None:
        if not self.proxy.is_running:
            self.fail(f"the proxy is dead:\n{self.proxy.stderr[-6000:]}")
        if self.origin.failures:
            raise self.origin.failures.pop(0)

    def connect(self) -> Client:
        client = Client(self.port)
        self.addCleanup(client.close)
        return client

    def ask(self, raw: bytes, respond: Respond | None = None, method: str = "GET"):
        """The response to one request on a connection of its own."""
        if respond is not None:
            self.origin.respond = respond
        with Client(self.port) as client:
            return client.exchange(raw, method=method)

    def ask_fence(self) -> None:
        """A good request, behind which all that the proxy did with earlier ones has been seen."""
        with contextlib.closing(Client(self.port)) as client:
            response = client.get("/fence")
            self.assertEqual((response.status, response.body), (200, b"hello"))


@dataclass
class FieldsRow:
    """Lines of a head, and those that are expected behind the proxy: (name, value)."""

    name: str
    sent: bytes
    expected: list[tuple[str, str]]


def other_fields(head: Head, *ignored: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in head.fields if name.lower() not in ignored]


def add_cases(cls: type, rows: Iterable, check: Callable) -> None:
    """Makes a test of each row, under its `name`: `check(test, row)`."""
    for number, row in enumerate(rows):

        def method(self, row=row):
            check(self, row)

        method.__doc__ = row.name
        setattr(cls, f"test_{number:03}", method)


def main() -> None:
    unittest.main(verbosity=2, warnings="ignore")
