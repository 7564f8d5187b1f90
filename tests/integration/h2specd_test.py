# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""h2specd against the upstream side of HTTP/2. It listens, one port for each case, and has this
program run with the URL of each: what then asks it is one of our proxies."""

import contextlib
import re
import subprocess
import sys
import unittest

from harness import Client, free_ports, main, start_proxy
from harness.go_tools import find_go_tool

CASES = 57


def ask(url: str) -> None:
    """One request through a proxy to that URL; what becomes of it is for h2specd to judge."""
    port = int(url.split(":")[2].rstrip("/"))
    proxy, front = start_proxy(port, arguments=["--upstream-http", "h2"])
    try:
        with Client(front) as client, contextlib.suppress(AssertionError, OSError):
            client.sock.settimeout(2.5)
            client.get("/")
    finally:
        proxy.stop()


class H2SpecdTest(unittest.TestCase):
    def test_all_cases(self) -> None:
        h2specd = find_go_tool("h2specd")
        if h2specd is None:
            self.skipTest("h2specd is not installed")
        # It takes a port for each case from this one on, which nobody can reserve for it.
        (first,) = free_ports(1)
        first = 20000 + first % 10000
        me = f"{sys.executable} {__file__}"
        command = [h2specd, "--from-port", str(first), "--exec", me]
        done = subprocess.run(command, capture_output=True, timeout=300)
        # It goes on accepting, in vain, once it has closed its listeners.
        lines = done.stdout.decode().splitlines()
        output = "\n".join(line for line in lines if not line.startswith("accept tcp "))
        summary = re.search(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed", output)
        self.assertIsNotNone(summary, output[-3000:])
        self.assertEqual(summary.groups(), (str(CASES), str(CASES), "0", "0"), output[-6000:])


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1].startswith("http://"):
        ask(sys.argv[1])
    else:
        main()
