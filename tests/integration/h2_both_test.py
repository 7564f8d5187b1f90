# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 on both sides of the proxy: streams of clients become streams of shared connections."""

import random
import unittest

from harness import main, start_proxy, websocket
from harness.h2_client import H2Client
from harness.h2_origin import (
    CANCEL,
    INTERNAL_ERROR,
    NO_ERROR,
    REFUSED_STREAM,
    H2Origin,
    H2OriginConnection,
    answer,
)

ENABLE_CONNECT_PROTOCOL = 8
DATA = random.Random(5).randbytes(1024 * 1024)


class H2BothTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.origin = H2Origin()
        cls.addClassCleanup(cls.origin.stop)
        cls.proxy, cls.port = start_proxy(
            cls.origin.port, threads=2, arguments=["--h2c", "--upstream-http", "h2"]
        )
        cls.addClassCleanup(cls.proxy.stop_cleanly)

    def setUp(self) -> None:
        self.origin.forget()

    def tearDown(self) -> None:
        if self.origin.failures:
            raise self.origin.failures.pop(0)

    def client(self) -> H2Client:
        client = H2Client(self.port)
        self.addCleanup(client.close)
        return client

    def test_a_message_in_all_its_parts(self) -> None:
        def respond(connection: H2OriginConnection, request) -> None:
            connection.inform(request.stream, 103, [("link", "</a>")])
            connection.respond(
                request.stream, bytes(request.body), fields=[("x-a", "1")], trailers=[("x-b", "2")]
            )

        self.origin.respond = respond
        client = self.client()
        fields = (("te", "trailers"), ("cookie", "a=1"), ("cookie", "b=2"))
        stream = client.request("/a?b", "POST", fields=fields, end=False)
        client.h2.send_data(stream, b"body")
        client.h2.send_headers(stream, [("x-sum", "4")], end_stream=True)
        got = client.answers[stream]
        client.until(lambda: got.is_over)
        self.assertEqual((got.status, got.body, got.trailers), (200, b"body", {"x-b": "2"}))
        self.assertEqual((got.informational, got.fields["x-a"]), ([103], "1"))
        (request,) = self.origin.requests
        self.assertEqual(request.get(":path"), "/a?b")
        self.assertEqual(request.get("cookie"), "a=1; b=2")
        self.assertEqual(request.get("te"), "trailers")
        self.assertEqual(request.trailers, [("x-sum", "4")])

    def test_clients_share_one_connection(self) -> None:
        clients = [self.client() for _ in range(8)]
        for client in clients:
            streams = [client.request(f"/{number}") for number in range(10)]
            client.flush()
            client.until(lambda c=client, s=streams: all(c.answers[each].is_over for each in s))
            self.assertEqual({client.answers[each].body for each in streams}, {b"hello"})
        self.assertEqual(len(self.origin.connections), 1)

    def test_large_bodies_side_by_side(self) -> None:
        self.origin.respond = answer(DATA)
        client = self.client()
        streams = [client.request(f"/{number}") for number in range(6)]
        client.until(lambda: all(client.answers[each].is_over for each in streams))
        for each in streams:
            self.assertEqual(client.answers[each].body, DATA)

    def test_a_cancelled_stream_is_cancelled_behind_the_proxy(self) -> None:
        def script(connection: H2OriginConnection) -> None:
            stream = connection.wait_for_request()
            self.assertEqual(connection.wait_for_reset(stream), CANCEL)
            connection.serve()

        self.origin.next_connections(script)
        client = self.client()
        stream = client.request("/")
        client.flush()
        self.origin.wait_for_requests(1)
        client.h2.reset_stream(stream, CANCEL)
        client.flush()
        self.assertEqual(client.get("/next").body, b"hello")
        self.assertEqual(len(self.origin.connections), 1)

    def test_a_refused_stream_is_tried_again_unnoticed(self) -> None:
        def script(connection: H2OriginConnection) -> None:
            connection.reset(connection.wait_for_request(), REFUSED_STREAM)
            connection.serve()

        self.origin.next_connections(script)
        self.assertEqual(self.client().get("/").body, b"hello")

    def test_an_early_answer_ends_the_request(self) -> None:
        def script(connection: H2OriginConnection) -> None:
            stream = connection.wait_for_request()
            connection.respond(stream, b"enough")
            connection.reset(stream, NO_ERROR)
            connection.serve()

        self.origin.next_connections(script)
        client = self.client()
        stream = client.request("/", "POST", end=False)
        client.h2.send_data(stream, b"some of it")
        got = client.answers[stream]
        client.until(lambda: got.is_over)
        self.assertEqual((got.status, got.body), (200, b"enough"))
        self.assertEqual(client.get("/next").body, b"hello")

    def test_a_response_that_is_cut_off_is_reset(self) -> None:
        def script(connection: H2OriginConnection) -> None:
            stream = connection.wait_for_request()
            connection.respond(stream, b"hal", end=False)
            connection.reset(stream, INTERNAL_ERROR)
            connection.serve()

        self.origin.next_connections(script)
        client = self.client()
        got = client.get("/")
        self.assertFalse(got.is_complete)
        self.assertIsNotNone(got.reset)
        self.assertEqual(client.get("/next").body, b"hello")

    def test_a_websocket(self) -> None:
        self.origin.settings = {ENABLE_CONNECT_PROTOCOL: 1}
        self.origin.next_connections(websocket.h2_pong([("sec-websocket-protocol", "chat")]))
        client = self.client()
        stream = websocket.connect(client)
        got = client.answers[stream]
        client.until(lambda: got.status)
        self.assertEqual((got.status, got.fields["sec-websocket-protocol"]), (200, "chat"))
        client.h2.send_data(stream, b"ping")
        client.until(lambda: got.body == b"pong")
        client.h2.end_stream(stream)
        client.until(lambda: got.is_over)
        self.assertIsNone(got.reset)
        (request,) = self.origin.requests
        self.assertEqual(request.get(":protocol"), "websocket")
        self.assertEqual(client.get("/next").body, b"hello")


if __name__ == "__main__":
    main()
