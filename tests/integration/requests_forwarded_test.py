# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Requests: what reaches the origin, in which form, and what does not."""

from harness import ProxyTest, add_cases, main
from harness.cases import GET, POST, FieldsRow, other_fields

# The example of RFC 6455 §1.3.
KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


class RequestFields(ProxyTest):
    pass


def request_fields_pass(test: ProxyTest, row: FieldsRow) -> None:
    test.assertEqual(test.ask(GET + row.sent + b"\r\n").status, 200)
    head = test.origin.requests[0].head
    test.assertEqual(
        other_fields(head, "host", "x-forwarded-for", "x-forwarded-proto"), row.expected
    )


add_cases(
    RequestFields,
    [
        FieldsRow(
            "order, case and duplicates stay",
            b"x-B: 2\r\nX-a: 1\r\nX-b: 3\r\naccept: */*\r\nx-B: 2\r\n",
            [("x-B", "2"), ("X-a", "1"), ("X-b", "3"), ("accept", "*/*"), ("x-B", "2")],
        ),
        FieldsRow(
            "empty values, blanks around values, tabs and raw bytes in them",
            b"X-A:\r\nX-B: \t  b \t\r\nX-C: c\tc\r\nX-D: \xe9\xff\r\n",
            [("X-A", ""), ("X-B", "b"), ("X-C", "c\tc"), ("X-D", "\xe9\xff")],
        ),
        FieldsRow(
            "all characters of a token in a name",
            b"!#$%&'*+-.^_`|~09aZ: 1\r\n",
            [("!#$%&'*+-.^_`|~09aZ", "1")],
        ),
        FieldsRow(
            "several Cookie fields stay several",
            b"Cookie: a=1\r\nCookie: b=2\r\n",
            [("Cookie", "a=1"), ("Cookie", "b=2")],
        ),
        FieldsRow(
            "credentials pass", b"Authorization: Basic Zm9v\r\n", [("Authorization", "Basic Zm9v")]
        ),
        FieldsRow(
            "hop-by-hop fields do not",
            b"Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n"
            b"Proxy-Authorization: Basic eA==\r\nTE: gzip\r\nX: y\r\n",
            [("X", "y")],
        ),
        FieldsRow(
            "what Connection nominates does not, in any case and place",
            b"x-one: 1\r\nConnection: X-One, x-TWO\r\nX-Two: 2\r\n"
            b"X-Three: 3\r\nConnection: x-three\r\nX: y\r\n",
            [("X", "y")],
        ),
        FieldsRow("Connection: close is for us", b"Connection: close\r\nX: y\r\n", [("X", "y")]),
        FieldsRow(
            "Connection: keep-alive is for us", b"Connection: keep-alive\r\nX: y\r\n", [("X", "y")]
        ),
        FieldsRow(
            "Connection with odd list syntax",
            b"Connection: ,, x-one ,\tclose,\r\nX-One: 1\r\nX: y\r\n",
            [("X", "y")],
        ),
        FieldsRow(
            "what Connection nominates wrongly stays",
            b"Connection: Host, Cookie, Authorization, Content-Type, Cache-Control, Range\r\n"
            b"Cookie: a=1\r\nAuthorization: x\r\nContent-Type: t/t\r\n"
            b"Cache-Control: no-cache\r\nRange: bytes=0-\r\n",
            [
                ("Cookie", "a=1"),
                ("Authorization", "x"),
                ("Content-Type", "t/t"),
                ("Cache-Control", "no-cache"),
                ("Range", "bytes=0-"),
            ],
        ),
        FieldsRow(
            "TE: trailers is said for our own hop",
            b"TE: gzip;q=0.5, Trailers\r\nConnection: TE\r\n",
            [("Connection", "TE"), ("TE", "trailers")],
        ),
        FieldsRow(
            "Upgrade: h2c and HTTP2-Settings do not pass",
            b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nX: y\r\n",
            [("X", "y")],
        ),
        FieldsRow(
            "Upgrade to a protocol that is not on the list does not pass",
            b"Connection: Upgrade\r\nUpgrade: TLS/1.0, IRC/6.9\r\nX: y\r\n",
            [("X", "y")],
        ),
        FieldsRow(
            "Upgrade without Connection does not pass",
            b"Upgrade: websocket\r\n" + KEY,
            [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")],
        ),
        FieldsRow(
            "Forwarded from a stranger is dropped",
            b"Forwarded: for=1.2.3.4\r\nX: y\r\n",
            [("X", "y")],
        ),
        FieldsRow(
            "conditions and ranges pass",
            b'If-None-Match: "a", W/"b"\r\nIf-Range: "a"\r\nRange: bytes=1-2\r\n',
            [("If-None-Match", '"a", W/"b"'), ("If-Range", '"a"'), ("Range", "bytes=1-2")],
        ),
    ],
    request_fields_pass,
)


class Requests(ProxyTest):
    def seen(self, raw: bytes):
        """The request as the origin saw it."""
        self.assertEqual(self.ask(raw).status, 200)
        self.assertEqual(len(self.origin.requests), 1)
        return self.origin.requests[0]

    def test_forwarded_for(self):
        """X-Forwarded-For and -Proto are ours, whatever a stranger says, also when nominated"""
        request = self.seen(
            GET + b"X-Forwarded-For: 1.2.3.4\r\nx-forwarded-for: 5.6.7.8\r\n"
            b"X-Forwarded-Proto: https\r\nConnection: X-Forwarded-For\r\n\r\n"
        )
        self.assertEqual(request.all("x-forwarded-for"), ["127.0.0.1"])
        self.assertEqual(request.all("x-forwarded-proto"), ["http"])

    def test_targets(self):
        """a target passes byte by byte"""
        for target in (
            "/",
            "//a//b/../c/./",
            "/%2e%2E/%41",
            "/?",
            "/?a=b&c=%00",
            "/a;b=c,d:e@f!$&'()*+",
            "/" + "x" * 4000,
            "/?http://evil.example/",
        ):
            with self.subTest(target[:40]):
                self.origin.forget()
                request = self.seen(f"GET {target} HTTP/1.1\r\nHost: test.example\r\n\r\n".encode())
                self.assertEqual(request.head.start_line, f"GET {target} HTTP/1.1")

    def test_methods(self):
        """any method passes"""
        for method in ("PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get", "X-1!"):
            with self.subTest(method):
                self.origin.forget()
                request = self.seen(f"{method} /x HTTP/1.1\r\nHost: test.example\r\n\r\n".encode())
                self.assertEqual(request.head.start_line, f"{method} /x HTTP/1.1")

    def test_absolute_form(self):
        """absolute-form becomes origin-form, and decides about Host"""
        for target, expected, host in (
            ("http://other.example/a?b", "/a?b", "other.example"),
            ("HTTP://Other.Example:8080", "/", "Other.Example:8080"),
            ("http://other.example?q", "/?q", "other.example"),
            ("http://[::1]:81/", "/", "[::1]:81"),
        ):
            with self.subTest(target):
                self.origin.forget()
                request = self.seen(f"GET {target} HTTP/1.1\r\nHost: test.example\r\n\r\n".encode())
                self.assertEqual(request.target, expected)
                self.assertEqual([value.lower() for value in request.all("host")], [host.lower()])

    def test_options_asterisk(self):
        """OPTIONS * stays what it is"""
        self.assertEqual(self.seen(b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n").target, "*")

    def test_host(self):
        """Host passes, also a nominated one"""
        request = self.seen(b"GET / HTTP/1.1\r\nHost: A.Example:81\r\nConnection: host\r\n\r\n")
        self.assertEqual(request.all("host"), ["A.Example:81"])

    def test_http10(self):
        """a request of HTTP/1.0 goes on as HTTP/1.1; the answer closes"""
        client = self.connect()
        response = client.exchange(b"GET /old HTTP/1.0\r\nHost: a.example\r\nX: y\r\n\r\n")
        self.assertEqual((response.status, response.body), (200, b"hello"))
        self.assertEqual(client.wait_for_end(), b"")
        (request,) = self.origin.requests
        self.assertEqual(request.head.start_line, "GET /old HTTP/1.1")
        self.assertEqual((request.all("host"), request.all("x")), (["a.example"], ["y"]))

    def test_http10_keep_alive(self):
        """HTTP/1.0 with Connection: keep-alive stays open and is told so"""
        client = self.connect()
        for _ in range(2):
            response = client.exchange(
                b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
            )
            self.assertEqual(response.body, b"hello")
            self.assertEqual(response.first("connection").lower(), "keep-alive")

    def test_http10_without_host(self):
        """HTTP/1.0 without Host gets an answer"""
        self.assertIn(self.ask(b"GET / HTTP/1.0\r\n\r\n").status, (200, 400))

    def test_dribbled(self):
        """a request that comes byte by byte"""
        client = self.connect()
        client.send_slowly(
            POST + b"Transfer-Encoding: chunked\r\nX: y\r\n\r\n"
            b"5\r\nhello\r\n3;a=b\r\nabc\r\n0\r\nT: 1\r\n\r\n"
        )
        self.assertEqual(client.read_response().status, 200)
        self.assertEqual(self.origin.requests[0].body, b"helloabc")
        self.assertEqual(self.origin.requests[0].all("x"), ["y"])

    def test_empty_lines_before(self):
        """an empty line before a request is skipped"""
        client = self.connect()
        for _ in range(2):
            self.assertEqual(client.exchange(b"\r\n" + GET + b"\r\n").status, 200)

    def test_body_on_get(self):
        """a body on GET, HEAD, OPTIONS and DELETE is a body"""
        for method in ("GET", "HEAD", "OPTIONS", "DELETE"):
            for framing, body in (
                (b"Content-Length: 3\r\n\r\n", b"abc"),
                (b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
            ):
                with self.subTest(method, framing=framing):
                    self.origin.forget()
                    client = self.connect()
                    raw = f"{method} / HTTP/1.1\r\nHost: a\r\n".encode() + framing + body
                    self.assertEqual(client.exchange(raw, method=method).status, 200)
                    self.assertEqual(self.origin.requests[0].body, b"abc")
                    self.assertEqual(client.get("/next").status, 200)
                    self.assertEqual(self.origin.targets, ["/", "/next"])

    def test_content_length_zero(self):
        """a request right behind Content-Length: 0 is the next request"""
        client = self.connect()
        client.send(POST + b"Content-Length: 0\r\n\r\n" + GET.replace(b"/ ", b"/2 ") + b"\r\n")
        self.assertEqual([client.read_response().status for _ in range(2)], [200, 200])
        self.assertEqual(self.origin.targets, ["/", "/2"])

    def test_content_length_stays(self):
        """a length that was announced is announced"""
        request = self.seen(POST + b"Content-Length: 5\r\n\r\nhello")
        self.assertEqual((request.all("content-length"), request.body), (["5"], b"hello"))

    def test_chunks_are_ours(self):
        """chunk extensions and sizes of the client do not reach the origin"""
        request = self.seen(
            POST + b"Transfer-Encoding: CHUNKED\r\n\r\n0003;a=b;c=\"d\"\r\nabc\r\n0;x\r\n\r\n"
        )
        self.assertEqual(request.body, b"abc")
        self.assertNotIn(b";", self.origin.received)

    def test_request_trailers(self):
        """trailers of a request pass, but for those that frame, route or identify"""
        request = self.seen(
            POST + b"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n1\r\na\r\n0\r\n"
            b"X-Sum: 9\r\nHost: evil\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n"
            b"Authorization: evil\r\nX-Forwarded-For: evil\r\nCookie: evil\r\n\r\n"
        )
        self.assertEqual(request.trailers, [("X-Sum", "9")])

    def test_garbage_behind_chunked(self):
        """a byte behind a chunked body begins the next request"""
        client = self.connect()
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nX")
        self.assertEqual(client.read_response().status, 200)
        client.send(b"YZ /next HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(client.read_response().status, 200)
        self.assertEqual(self.origin.requests[1].method, "XYZ")


if __name__ == "__main__":
    main()
