# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""WebSockets as the tests open them, over either version (RFC 6455, RFC 8441), and origins that
have them."""

import base64
import hashlib

from .client import Client
from .h2_client import H2Client
from .h2_origin import Fields, H2OriginConnection
from .origin import OriginConnection

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def accept_of(key: str) -> str:
    """RFC 6455 §4.2.2."""
    text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()


def upgrade(client: Client, *fields: str) -> None:
    """Asks for one on HTTP/1."""
    lines = ["GET /chat HTTP/1.1", "Host: test.example", "Connection: Upgrade"]
    lines += ["Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"]
    client.send("\r\n".join([*lines, *fields, "", ""]).encode())


def connect(client: H2Client, *fields: tuple[str, str]) -> int:
    """Asks for one on HTTP/2, once the proxy has said that it may; gives the stream's id."""
    client.until(lambda: client.h2.remote_settings.enable_connect_protocol == 1)
    return client.request(
        "/chat",
        "CONNECT",
        pseudo=((":protocol", "websocket"),),
        fields=(("sec-websocket-version", "13"), *fields),
        end=False,
    )


def h1_echo(*fields: str):
    """The script of an origin of HTTP/1: says welcome, and repeats in capitals what comes."""

    def script(connection: OriginConnection) -> None:
        request = connection.read_request_head()
        lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket"]
        lines += [f"Sec-WebSocket-Accept: {accept_of(request.first('Sec-WebSocket-Key'))}", *fields]
        connection.send("\r\n".join([*lines, "", "welcome"]).encode())
        while connection.fill():
            connection.send(connection.read_exactly(len(connection.pending())).upper())

    return script


def h2_pong(fields: Fields = ()):
    """The script of an origin of HTTP/2: answers "ping" with "pong", and the end with the end."""

    def script(connection: H2OriginConnection) -> None:
        stream = connection.wait_for_request()
        request = connection.requests[stream]
        connection.respond(stream, b"", fields=fields, end=False)
        connection.wait(lambda: request.body == b"ping", "bytes")
        connection.send_body(stream, b"pong", end=False)
        connection.wait_for_body(stream)
        connection.h2.end_stream(stream)
        connection.serve()

    return script
