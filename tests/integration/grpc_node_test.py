# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""gRPC through pingora-proxy: the library for node (@grpc/grpc-js) on both sides."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from harness import main, start_proxy
from harness.go_tools import TOOLS

PROGRAM = pathlib.Path(__file__).parent / "programs" / "grpc_node.js"
MODULES = TOOLS / "node" / "node_modules"
FAILED_PRECONDITION, DEADLINE_EXCEEDED = 9, 4


class GrpcNodeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.node = shutil.which("node")
        if self.node is None or not (MODULES / "@grpc" / "grpc-js").is_dir():
            self.skipTest("grpc-js is not installed")
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        self.environment = {**environment, "NODE_PATH": str(MODULES)}

    def start_server(self) -> int:
        server = subprocess.Popen(
            [self.node, PROGRAM, "server"], env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

        def stop() -> None:
            server.stdin.close()
            server.stdout.close()
            server.wait(30)

        self.addCleanup(stop)
        return int(server.stdout.readline())

    def test_every_kind_of_call(self) -> None:
        arguments = ["--h2c", "--upstream-http", "h2"]
        proxy, port = start_proxy(self.start_server(), threads=2, arguments=arguments)
        self.addCleanup(proxy.stop_cleanly)
        done = subprocess.run(
            [self.node, PROGRAM, "client", f"127.0.0.1:{port}"], env=self.environment,
            capture_output=True, timeout=90,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        results = json.loads(done.stdout)
        for name, size in (("small", 5), ("large", 1 << 20)):
            expected = {"code": 0, "details": None, "size": size, "tail": "1"}
            self.assertEqual(results[name], expected)
        self.assertEqual(results["fail"]["code"], FAILED_PRECONDITION)
        self.assertEqual(results["fail"]["details"], "no: 100% \u00fc")
        self.assertEqual(results["deadline"]["code"], DEADLINE_EXCEEDED)
        self.assertGreaterEqual(results["cancelled"], 1)
        self.assertEqual(
            {name: results[name] for name in ("many", "down", "up", "chat")},
            {"many": True, "down": True, "up": "500000", "chat": 50},
        )


if __name__ == "__main__":
    main()
