# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""gRPC through pingora-proxy: the library's own clients and servers (python3-grpcio) on both sides,
HTTP/2 all the way."""

import concurrent.futures
import os
import sys
import threading
import time
import unittest

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "grpc_proxy"):
    os.environ.pop(name, None)
try:
    import grpc
except ImportError:  # an interpreter beside Debian's, which has the package
    sys.path.append("/usr/lib/python3/dist-packages")
    import grpc

from harness import DEADLINE, eventually, free_ports, main, start_proxy
from harness.h2_origin import H2Origin

SERVICE = "test.Echo"
LARGE = os.urandom(1024 * 1024)


class Echo(grpc.GenericRpcHandler):
    """Messages are bytes: what is tested is the way of the frames, not protobuf."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.remaining: list[float] = []

    def service(self, details):
        method = details.method.rpartition("/")[2]
        return {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Wait": grpc.unary_unary_rpc_method_handler(self.wait),
            "Down": grpc.unary_stream_rpc_method_handler(self.down),
            "Up": grpc.stream_unary_rpc_method_handler(self.up),
            "Chat": grpc.stream_stream_rpc_method_handler(self.chat),
            "Endless": grpc.unary_stream_rpc_method_handler(self.endless),
        }.get(method)

    def unary(self, request, context):
        metadata = dict(context.invocation_metadata())
        context.send_initial_metadata((("x-head", metadata.get("x-sent", "")),))
        context.set_trailing_metadata((("x-tail", "1"), ("x-raw-bin", b"\x00\xff")))
        return request

    def fail(self, request, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no: 100% \u00fc")

    def wait(self, request, context):
        self.remaining.append(context.time_remaining())
        context.add_callback(self.cancelled.set)
        self.cancelled.wait(DEADLINE)
        return b""

    def down(self, request, context):
        for number in range(int(request)):
            yield b"%d" % number

    def up(self, requests, context):
        return b"%d" % sum(len(each) for each in requests)

    def chat(self, requests, context):
        for each in requests:
            yield each

    def endless(self, request, context):
        context.add_callback(self.cancelled.set)
        while not self.cancelled.is_set():
            yield b"x" * 1000


class GrpcTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.handler = Echo()
        cls.server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)]
        )
        cls.server.add_generic_rpc_handlers((cls.handler,))
        cls.server_port = cls.server.add_insecure_port("127.0.0.1:0")
        cls.server.start()
        cls.addClassCleanup(lambda: cls.server.stop(0).wait())
        cls.proxy, cls.port = cls.start(cls.server_port)

    @classmethod
    def start(cls, behind: int):
        proxy, port = start_proxy(behind, threads=2, arguments=["--h2c", "--upstream-http", "h2"])
        cls.addClassCleanup(proxy.stop_cleanly)
        return proxy, port

    def setUp(self) -> None:
        self.handler.cancelled.clear()
        self.handler.remaining.clear()
        self.channel = self.open_channel(self.port)

    def open_channel(self, port: int):
        options = [("grpc.enable_retries", 0), ("grpc.max_receive_message_length", -1)]
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)
        self.addCleanup(channel.close)
        return channel

    def method(self, name: str, kind: str = "unary_unary", channel=None):
        return getattr(channel or self.channel, kind)(f"/{SERVICE}/{name}")

    def assert_fails(self, call, code) -> grpc.RpcError:
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        self.assertEqual(caught.exception.code(), code, caught.exception)
        return caught.exception

    def test_unary(self) -> None:
        for message in (b"", b"hello", LARGE):
            response, call = self.method("Unary").with_call(
                message, metadata=(("x-sent", "1"),), timeout=DEADLINE
            )
            self.assertEqual(response, message)
            self.assertEqual(dict(call.initial_metadata())["x-head"], "1")
            trailers = dict(call.trailing_metadata())
            self.assertEqual((trailers["x-tail"], trailers["x-raw-bin"]), ("1", b"\x00\xff"))

    def test_many_at_once(self) -> None:
        futures = [
            self.method("Unary").future(b"%d" % number, timeout=DEADLINE) for number in range(300)
        ]
        self.assertEqual([each.result() for each in futures], [b"%d" % n for n in range(300)])

    def test_an_error_of_the_server(self) -> None:
        """Trailers-only, with a message that needs its encoding."""
        error = self.assert_fails(
            lambda: self.method("Fail")(b"", timeout=DEADLINE),
            grpc.StatusCode.FAILED_PRECONDITION,
        )
        self.assertEqual(error.details(), "no: 100% \u00fc")

    def test_a_method_that_is_not_there(self) -> None:
        self.assert_fails(
            lambda: self.method("Nothing")(b"", timeout=DEADLINE), grpc.StatusCode.UNIMPLEMENTED
        )

    def test_streaming_down(self) -> None:
        call = self.method("Down", "unary_stream")(b"500", timeout=DEADLINE)
        self.assertEqual([int(each) for each in call], list(range(500)))

    def test_streaming_up(self) -> None:
        call = self.method("Up", "stream_unary")
        self.assertEqual(call(iter([b"x" * 1000] * 500), timeout=DEADLINE), b"500000")

    def test_streaming_both_ways(self) -> None:
        """Each message is answered before the next is sent."""
        answered = threading.Semaphore(1)

        def messages():
            for number in range(50):
                self.assertTrue(answered.acquire(timeout=DEADLINE))
                yield b"%d" % number

        received = []
        for each in self.method("Chat", "stream_stream")(messages(), timeout=DEADLINE):
            received.append(int(each))
            answered.release()
        self.assertEqual(received, list(range(50)))

    def test_a_deadline_is_passed_on_and_kept(self) -> None:
        begin = time.monotonic()
        self.assert_fails(
            lambda: self.method("Wait")(b"", timeout=0.5), grpc.StatusCode.DEADLINE_EXCEEDED
        )
        self.assertLess(time.monotonic() - begin, DEADLINE / 2)
        self.assertTrue(self.handler.cancelled.wait(DEADLINE))
        self.assertLess(self.handler.remaining[0], 0.6)

    def test_a_cancelled_call_is_cancelled_at_the_server(self) -> None:
        future = self.method("Wait").future(b"", timeout=DEADLINE)
        eventually(lambda: self.handler.remaining, "the call at the server")
        future.cancel()
        self.assertTrue(self.handler.cancelled.wait(DEADLINE))

    def test_a_cancelled_stream_is_cancelled_at_the_server(self) -> None:
        call = self.method("Endless", "unary_stream")(b"", timeout=DEADLINE)
        next(call)
        call.cancel()
        self.assertTrue(self.handler.cancelled.wait(DEADLINE))

    def test_a_server_that_is_not_there(self) -> None:
        _, port = self.start(free_ports(1)[0])
        error = self.assert_fails(
            lambda: self.method("Unary", channel=self.open_channel(port))(b"", timeout=DEADLINE),
            grpc.StatusCode.UNAVAILABLE,
        )
        self.assertEqual(error.details(), "Bad Gateway")


class CutOffTest(unittest.TestCase):
    """Servers that fail in the middle of a call."""

    def call(self, script, kind: str = "unary_unary"):
        origin = H2Origin()
        self.addCleanup(origin.stop)
        origin.next_connections(script)
        proxy, port = start_proxy(origin.port, arguments=["--h2c", "--upstream-http", "h2"])
        self.addCleanup(proxy.stop_cleanly)
        channel = grpc.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.enable_retries", 0)]
        )
        self.addCleanup(channel.close)
        return getattr(channel, kind)("/test.Echo/Any")(b"", timeout=DEADLINE)

    def test_before_the_response(self) -> None:
        def script(connection) -> None:
            connection.reset(connection.wait_for_request(), 2)
            connection.serve()

        with self.assertRaises(grpc.RpcError) as caught:
            self.call(script)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_within_the_response(self) -> None:
        """What came is delivered, and trailers say that the rest will not come."""

        def script(connection) -> None:
            stream = connection.wait_for_request()
            head = [("content-type", "application/grpc")]
            connection.respond(stream, b"\0\0\0\0\5hello", fields=head, end=False)
            connection.reset(stream, 2)
            connection.serve()

        call = self.call(script, "unary_stream")
        self.assertEqual(next(call), b"hello")
        with self.assertRaises(grpc.RpcError) as caught:
            next(call)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(caught.exception.details(), "the response was cut off")


if __name__ == "__main__":
    main()
