# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Responses: what reaches the client, in which form, and what does not."""

import threading

from harness import DEADLINE, Client, ProxyTest, add_cases, answer, main
from harness.cases import GET, POST, FieldsRow, other_fields
from harness.origin import answer_raw

OK = b"HTTP/1.1 200 OK\r\n"


class ResponseFields(ProxyTest):
    pass


def response_fields_pass(test: ProxyTest, row: FieldsRow) -> None:
    response = test.ask(GET + b"\r\n", answer_raw(OK + row.sent + b"Content-Length: 2\r\n\r\nhi"))
    test.assertEqual((response.status, response.body), (200, b"hi"))
    test.assertEqual(other_fields(response.head, "content-length", "date"), row.expected)


add_cases(
    ResponseFields,
    [
        FieldsRow(
            "order, case and duplicates stay",
            b"x-B: 2\r\nX-a: 1\r\nX-b: 3\r\nserver: s\r\nx-B: 2\r\n",
            [("x-B", "2"), ("X-a", "1"), ("X-b", "3"), ("server", "s"), ("x-B", "2")],
        ),
        FieldsRow(
            "several Set-Cookie fields stay several",
            b"Set-Cookie: a=1\r\nSet-Cookie: b=2, c\r\n",
            [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2, c")],
        ),
        FieldsRow(
            "hop-by-hop fields do not pass",
            b"Keep-Alive: timeout=5\r\nProxy-Connection: close\r\nProxy-Authenticate: Basic\r\n"
            b"Upgrade: h2c\r\nX: y\r\n",
            [("X", "y")],
        ),
        FieldsRow(
            "what Connection nominates does not pass",
            b"Connection: X-One, keep-alive\r\nx-one: 1\r\nX: y\r\n",
            [("X", "y")],
        ),
        FieldsRow(
            "what Connection nominates wrongly stays",
            b"Connection: Set-Cookie, Content-Type, Cache-Control\r\n"
            b"Set-Cookie: a=1\r\nContent-Type: t/t\r\n"
            b"Cache-Control: no-store\r\n",
            [("Set-Cookie", "a=1"), ("Content-Type", "t/t"), ("Cache-Control", "no-store")],
        ),
        FieldsRow(
            "Connection: close of the origin is not the client's",
            b"Connection: close\r\nX: y\r\n",
            [("X", "y")],
        ),
        FieldsRow("raw bytes in a value", b"X: \xe9\xff\r\n", [("X", "\xe9\xff")]),
    ],
    response_fields_pass,
)


class Responses(ProxyTest):
    def client_and_response(self, raw: bytes, request: bytes = GET + b"\r\n", method: str = "GET"):
        self.origin.respond = answer_raw(raw)
        client = self.connect()
        return client, client.exchange(request, method=method)

    def assert_open(self, client: Client) -> None:
        self.origin.respond = answer()
        self.assertEqual(client.get("/still").body, b"hello")

    def test_status_lines(self):
        """a status and its reason pass as they are"""
        for line in (
            "200 OK",
            "200 ",
            "404 Nothing Here, really",
            "299 Caf\xe9",
            "418 I'm a teapot",
            "599 x",
            "600 Odd",
            "999 The End",
            "451 \tx",
        ):
            with self.subTest(line):
                raw = f"HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
                client, response = self.client_and_response(raw)
                self.assertEqual(response.head.start_line.rstrip(), f"HTTP/1.1 {line}".rstrip())
                self.assert_open(client)

    def test_status_line_without_blank(self):
        """a status line without even the space behind the status"""
        _, response = self.client_and_response(b"HTTP/1.1 204\r\n\r\n")
        self.assertEqual(response.status, 204)

    def test_date(self):
        """Date is added where there is none, and left where there is one"""
        _, response = self.client_and_response(OK + b"Content-Length: 0\r\n\r\n")
        self.assertEqual(len(response.all("date")), 1)
        _, response = self.client_and_response(OK + b"Date: then\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(response.all("date"), ["then"])

    def test_head(self):
        """the answer to HEAD has the fields of a body and none"""
        client, response = self.client_and_response(
            OK + b"Content-Length: 12345\r\n\r\n", b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD"
        )
        self.assertEqual(response.all("content-length"), ["12345"])
        self.assert_open(client)

    def test_head_chunked(self):
        """the answer to HEAD may say chunked"""
        client, response = self.client_and_response(
            OK + b"Transfer-Encoding: chunked\r\n\r\n",
            b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
            "HEAD",
        )
        self.assertEqual(response.status, 200)
        self.assert_open(client)

    def test_204(self):
        """204 ends with its head"""
        client, response = self.client_and_response(b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n")
        self.assertEqual((response.status, response.all("transfer-encoding")), (204, []))
        self.assert_open(client)

    def test_304(self):
        """304 ends with its head, whatever length it tells"""
        client, response = self.client_and_response(
            b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 77\r\n\r\n'
        )
        self.assertEqual((response.status, response.first("etag")), (304, '"a"'))
        self.assert_open(client)

    def test_chunked(self):
        """a chunked body passes, without its extensions"""
        client, response = self.client_and_response(
            OK + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n00004\r\ndefg\r\n0;z\r\n\r\n"
        )
        self.assertEqual((response.body, response.is_complete), (b"abcdefg", True))
        self.assertNotIn(b";", bytes(client.received).split(b"\r\n\r\n", 1)[1])
        self.assert_open(client)

    def test_trailers_wanted(self):
        """trailers reach a client that announced TE: trailers, but for the forbidden ones"""
        _, response = self.client_and_response(
            OK + b"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n1\r\na\r\n0\r\n"
            b"X-Sum: 9\r\nContent-Length: 5\r\nSet-Cookie: evil\r\nX-End: z\r\n\r\n",
            GET + b"TE: trailers\r\nConnection: TE\r\n\r\n",
        )
        self.assertEqual(response.body, b"a")
        self.assertEqual(
            [each for each in response.trailers if each[0].startswith("X-")],
            [("X-Sum", "9"), ("X-End", "z")],
        )
        self.assertNotIn("Content-Length", dict(response.trailers))

    def test_trailers_unwanted(self):
        """trailers do not reach a client that did not"""
        client, response = self.client_and_response(
            OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 9\r\n\r\n"
        )
        self.assertEqual((response.body, response.trailers, response.is_complete), (b"a", [], True))
        self.assert_open(client)

    def test_until_close(self):
        """a body that ends with the connection becomes chunked, and the client stays connected"""

        def script(connection):
            connection.read_request()
            connection.send(OK + b"X: y\r\n\r\n", b"all ", b"of ", b"this")

        self.origin.next_connections(script)
        client = self.connect()
        response = client.get()
        self.assertEqual((response.body, response.is_complete), (b"all of this", True))
        self.assertTrue(response.head.is_chunked)
        self.assert_open(client)

    def test_until_close_http10(self):
        """the same to a client of HTTP/1.0 ends with its connection"""

        def script(connection):
            connection.read_request()
            connection.send(OK + b"\r\nall of this")

        self.origin.next_connections(script)
        client = self.connect()
        response = client.exchange(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        self.assertEqual((response.body, response.is_complete), (b"all of this", True))
        self.assertEqual(response.all("transfer-encoding"), [])

    def test_chunked_to_http10(self):
        """a chunked body to a client of HTTP/1.0 comes without chunks"""
        _, response = self.client_and_response(
            OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        )
        self.assertEqual((response.body, response.all("transfer-encoding")), (b"abc", []))

    def test_http10_origin(self):
        """an origin of HTTP/1.0 that closes is answered from, and its connection not used again"""

        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold")
            connection.read_to_end()

        self.origin.next_connections(script)
        client = self.connect()
        response = client.get()
        self.assertEqual((response.version, response.body), ("HTTP/1.1", b"old"))
        self.assert_open(client)
        self.assertEqual([len(each.requests) for each in self.origin.connections], [1, 1])

    def test_http10_origin_keep_alive(self):
        """an origin of HTTP/1.0 that says keep-alive is kept"""
        client, response = self.client_and_response(
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold"
        )
        self.assertEqual(response.body, b"old")
        self.assert_open(client)
        self.assertEqual(len(self.origin.connections), 1)

    def test_origin_closes(self):
        """an origin that says close is not asked again on that connection"""
        client, response = self.client_and_response(
            OK + b"Connection: close\r\nContent-Length: 3\r\n\r\nend"
        )
        self.assertEqual(response.body, b"end")
        self.assert_open(client)
        self.assertEqual([len(each.requests) for each in self.origin.connections], [1, 1])

    def test_origin_is_kept(self):
        """requests of different clients share one connection to the origin, one after the other"""
        for _ in range(5):
            self.assertEqual(self.ask(GET + b"\r\n").body, b"hello")
        self.assertEqual([len(each.requests) for each in self.origin.connections], [5])

    def test_streams(self):
        """the beginning of a response arrives before its end is there"""
        has_first = threading.Event()

        def script(connection):
            connection.read_request()
            connection.send(OK + b"Content-Length: 10\r\n\r\nfirst")
            has_first.wait(DEADLINE)
            connection.send(b"other")

        self.origin.next_connections(script)
        client = self.connect()
        client.send(GET + b"\r\n")
        client.read_head()
        self.assertEqual(client.read_exactly(5), b"first")
        has_first.set()
        self.assertEqual(client.read_exactly(5), b"other")

    def test_dribbled(self):
        """a response that comes byte by byte"""

        def script(connection):
            connection.read_request()
            connection.send_slowly(
                b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                + OK
                + b"Transfer-Encoding: chunked\r\nX: y\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\n"
            )

        self.origin.next_connections(script)
        client = self.connect()
        client.send(GET + b"TE: trailers\r\n\r\n")
        self.assertEqual(client.read_response().all("link"), ["</a>"])
        response = client.read_response()
        self.assertEqual((response.body, response.all("x")), (b"hello", ["y"]))
        self.assertEqual(response.trailers, [("T", "1")])


class Informational(ProxyTest):
    def test_103(self):
        """103 passes with its fields, at once"""
        has_hints = threading.Event()

        def script(connection):
            connection.read_request()
            connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nlink: </b>\r\n\r\n")
            has_hints.wait(DEADLINE)
            answer()(connection, connection.requests[0])

        self.origin.next_connections(script)
        client = self.connect()
        client.send(GET + b"\r\n")
        hints = client.read_response()
        self.assertEqual((hints.status, hints.all("link")), (103, ["</a>", "</b>"]))
        has_hints.set()
        self.assertEqual(client.read_response().body, b"hello")

    def test_103_to_http10(self):
        """103 does not reach a client of HTTP/1.0"""
        self.origin.respond = answer_raw(
            b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi"
        )
        client = self.connect()
        client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        self.assertEqual(client.read_response().status, 200)

    def expect(self, script, *more: bytes) -> Client:
        self.origin.next_connections(script)
        client = self.connect()
        client.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", *more)
        return client

    def test_100_continue(self):
        """a client that waits for 100 gets it before it sends the body"""

        def script(connection):
            request = connection.read_request_head()
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.read_framed_body(request)
            answer(request.body)(connection, request)

        client = self.expect(script)
        self.assertEqual(client.read_response().status, 100)
        client.send(b"hello")
        self.assertEqual(client.read_response().body, b"hello")
        self.assertEqual(client.get("/next").status, 200)

    def test_100_continue_not_waited_for(self):
        """a client that expects 100 and does not wait for it"""

        def script(connection):
            request = connection.read_request()
            answer(request.body)(connection, request)

        client = self.expect(script, b"hello")
        self.assertEqual(client.read_final_response().body, b"hello")

    def test_early_final_response(self):
        """a final response in place of 100: delivered, and neither side is used again"""
        ended = threading.Event()

        def script(connection):
            connection.read_request_head()
            connection.send(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno")
            connection.read_to_end()
            ended.set()

        client = self.expect(script)
        response = client.read_response()
        self.assertEqual((response.status, response.body), (417, b"no"))
        self.assertEqual((response.first("connection") or "").lower(), "close")
        self.assertEqual(client.wait_for_end(), b"")
        self.assertTrue(ended.wait(DEADLINE))
        self.assertEqual(len(self.origin.requests), 1)

    def test_early_final_response_during_upload(self):
        """a final response while the body is under way: delivered; the rest is no request"""

        def script(connection):
            connection.read_request_head()
            connection.read_until(b"begin")
            connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
            connection.read_to_end()

        self.origin.next_connections(script)
        client = self.connect()
        client.send(POST + b"Content-Length: 70\r\n\r\nbegin")
        response = client.read_response()
        self.assertEqual((response.status, response.body), (413, b"no"))
        rest = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        try:
            client.send(rest + b"x" * (65 - len(rest)), GET.replace(b"/ ", b"/2 ") + b"\r\n")
        except OSError:
            pass  # closed: just as good
        self.ask_fence()
        self.assertNotIn("/smuggled", self.origin.targets)


if __name__ == "__main__":
    main()
