# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Where a proxy listens and goes: IPv4, IPv6 and Unix sockets, and by CONNECT."""

import pathlib
import socket
import tempfile
import threading
import unittest

from harness import DEADLINE, Address, Client, Origin, free_ports, main, start_proxy
from harness.wire import address_text

KINDS = ("ipv4", "ipv6", "unix")
CONNECT = b"CONNECT origin.example:443 HTTP/1.1\r\nHost: origin.example:443\r\n\r\n"


class AddressTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def address(self, kind: str, name: str) -> Address:
        """For a listener of that kind."""
        if kind == "unix":
            return self.folder / name
        (port,) = free_ports(1)
        return port if kind == "ipv4" else ("::1", port)

    def start_origin(self, kind: str, script=None) -> Origin:
        if kind == "unix":
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(self.folder / "origin"))
            listener.listen()
        elif kind == "ipv6":
            listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        else:
            listener = None
        origin = Origin(listener=listener)
        self.addCleanup(origin.stop)
        if script:
            origin.next_connections(script)
        return origin

    def start(self, kind: str, behind: Address, *arguments: str, name: str = "proxy", **more):
        proxy, address = start_proxy(
            behind, listen=self.address(kind, name), arguments=arguments, **more
        )
        self.addCleanup(proxy.stop_cleanly)
        return address

    def connect(self, address: Address) -> Client:
        client = Client(address)
        self.addCleanup(client.close)
        return client


class Requests(AddressTest):
    def test_each_to_each(self):
        """requests go from each kind of listener to each kind of upstream, on one connection"""
        for listens in KINDS:
            for goes in KINDS:
                with self.subTest(listens=listens, goes=goes):
                    self.setUp()
                    origin = self.start_origin(goes)
                    client = self.connect(self.start(listens, origin.address))
                    for _ in range(3):
                        self.assertEqual(client.get("/x").body, b"hello")
                    self.assertEqual(origin.targets, ["/x"] * 3)
                    self.assertEqual(len(origin.connections), 1)
                    forwarded = {"ipv4": ["127.0.0.1"], "ipv6": ["::1"], "unix": []}[listens]
                    self.assertEqual(origin.requests[0].all("x-forwarded-for"), forwarded)

    def test_dead_upstreams(self):
        """an upstream that is not there is 502, of whatever kind"""
        for kind in KINDS:
            with self.subTest(kind):
                port = self.start("ipv4", self.address(kind, "nobody"))
                self.assertEqual(self.connect(port).get().status, 502)

    def test_unix_file(self):
        """a Unix socket that a proxy has left behind is no bar to the next one"""
        origin = self.start_origin("ipv4")
        path = self.folder / "proxy"
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(str(path))
        stale.close()
        address = self.start("unix", origin.address)
        self.assertEqual(self.connect(address).get().body, b"hello")


class Connect(AddressTest):
    """CONNECT through a proxy that allows it, and through one to another."""

    ALLOWED = ("--set", "allow_connect_method_proxying=1")

    @staticmethod
    def echo(connection):
        while connection.fill():
            connection.send(connection.read_exactly(len(connection.pending())))

    def start_tunnel(self, script, kind: str = "ipv4", goes: str = "ipv4") -> Client:
        origin = self.start_origin(goes, script)
        address = self.start(kind, origin.address, *self.ALLOWED, program="tunable_proxy")
        client = self.connect(address)
        response = client.exchange(CONNECT, method="CONNECT")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.all("content-length") + response.all("transfer-encoding"), [])
        return client

    def test_not_allowed(self):
        """without leave it is 405, and nothing is connected"""
        origin = self.start_origin("ipv4")
        client = self.connect(self.start("ipv4", origin.address, program="tunable_proxy"))
        self.assertEqual(client.exchange(CONNECT, method="CONNECT").status, 405)
        self.assertEqual(origin.connections, [])

    def test_bytes(self):
        """bytes pass both ways as they are, between all kinds of addresses"""
        for kind in KINDS:
            with self.subTest(kind):
                self.setUp()
                client = self.start_tunnel(self.echo, kind, kind)
                for data in (b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 1000):
                    sending = threading.Thread(target=client.send, args=(data,), daemon=True)
                    sending.start()
                    self.assertEqual(client.read_exactly(len(data)), data)
                    sending.join(DEADLINE)

    def test_early_bytes(self):
        """what comes right behind the request is the first of the tunnel"""
        origin = self.start_origin("ipv4", self.echo)
        address = self.start("ipv4", origin.address, *self.ALLOWED, program="tunable_proxy")
        client = self.connect(address)
        client.send(CONNECT + b"early")
        self.assertEqual(client.read_response(method="CONNECT").status, 200)
        self.assertEqual(client.read_exactly(5), b"early")

    def test_half_close(self):
        """the end of one direction is passed on, and the other goes on"""
        seen, over = [], threading.Event()

        def client_first(connection):
            seen.append(connection.read_to_end())
            connection.send(b"behind ", b"the end")

        client = self.start_tunnel(client_first)
        client.send(b"a question")
        client.shutdown_write()
        self.assertEqual(client.wait_for_end(), b"behind the end")

        def origin_first(connection):
            connection.send(b"last words")
            connection.shutdown_write()
            seen.append(connection.read_to_end())
            over.set()

        client = self.start_tunnel(origin_first)
        self.assertEqual(client.wait_for_end(), b"last words")
        client.send(b"an answer")
        client.shutdown_write()
        self.assertTrue(over.wait(DEADLINE))
        self.assertEqual(seen, [b"a question", b"an answer"])

    def test_dead_origin(self):
        """a peer that is not there is 502"""
        dead = free_ports(1)[0]
        address = self.start("ipv4", dead, *self.ALLOWED, program="tunable_proxy")
        self.assertEqual(self.connect(address).exchange(CONNECT, method="CONNECT").status, 502)

    def test_via_a_proxy(self):
        """requests reach an origin behind another proxy by CONNECT, and use the tunnel again"""
        for kind in KINDS:
            with self.subTest(kind):
                self.setUp()
                origin = self.start_origin("ipv4")
                via = self.start(
                    kind, origin.address, *self.ALLOWED, program="tunable_proxy", name="via"
                )
                address = self.start(
                    "ipv4", origin.address, "--via", address_text(via), program="tunable_proxy"
                )
                client = self.connect(address)
                for _ in range(3):
                    self.assertEqual(client.get("/x").body, b"hello")
                self.assertEqual(origin.targets, ["/x"] * 3)
                self.assertEqual(len(origin.connections), 1)

    def test_via_a_proxy_that_refuses(self):
        """a proxy that does not allow CONNECT is 502"""
        origin = self.start_origin("ipv4")
        via = self.start("ipv4", origin.address, program="tunable_proxy")
        address = self.start(
            "ipv4", origin.address, "--via", address_text(via), program="tunable_proxy"
        )
        self.assertIn(self.connect(address).get().status, (405, 502))
        self.assertEqual(origin.connections, [])


if __name__ == "__main__":
    main()
