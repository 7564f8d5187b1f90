# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""A client that says exactly the bytes it is told to."""

from .message import Response
from .wire import Address, Wire, connect_to


class Client(Wire):
    """Connected to a port of 127.0.0.1, or to what `connect_to` takes. A context: closed at its
    end."""

    def __init__(self, address: Address):
        super().__init__(connect_to(address))

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read_response(self, method: str = "GET") -> Response:
        """The next response, to a request with `method`; a 1xx is one too."""
        head = self.read_head()
        if head is None:
            how = "reset" if self.was_reset else "closed"
            raise AssertionError(f"no response: the connection was {how}")
        response = Response(head)
        if not response.has_body(method):
            response.is_complete = True
        elif head.is_chunked or head.content_length is not None:
            self.read_framed_body(response)
        else:
            response.body = self.read_to_end()
            response.is_complete = not self.was_reset
        return response

    def read_final_response(self, method: str = "GET") -> Response:
        """The next response that is no 1xx, except for a 101."""
        while True:
            response = self.read_response(method)
            if response.status >= 200 or response.status == 101:
                return response

    def exchange(self, *pieces: bytes, method: str = "GET") -> Response:
        self.send(*pieces)
        return self.read_final_response(method)

    def get(self, target: str = "/", *fields: str) -> Response:
        lines = [f"GET {target} HTTP/1.1", "Host: test.example", *fields, "", ""]
        return self.exchange("\r\n".join(lines).encode("latin-1"))
