# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests are made of.

A test starts one of our programs (`program`) between a client that says exactly the bytes it is
told to (`client`) and an origin that does the same (`origin`). Every wait has a deadline, every
port is the test's own, and nothing sleeps to let something happen: tests run side by side.
"""

from .cases import ProxyTest, add_cases, main, start_proxy
from .client import Client
from .message import Head
from .origin import Origin, answer
from .program import Program, bin_dir, free_ports, is_instrumented
from .wire import DEADLINE, Address, Wire, eventually

__all__ = [
    "Address",
    "DEADLINE",
    "Client",
    "Head",
    "Origin",
    "Program",
    "ProxyTest",
    "Wire",
    "add_cases",
    "answer",
    "bin_dir",
    "eventually",
    "free_ports",
    "is_instrumented",
    "main",
    "start_proxy",
]
