# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""h2spec, in strict mode, against a listener: by prior knowledge, and over TLS."""

import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from harness import Origin, Program, answer, bin_dir, free_ports, main, start_proxy
from harness.certificates import Authority
from harness.go_tools import find_go_tool

CASES = 146
# What does not begin as HTTP/2 does is HTTP/1 on a port for both, and is answered with 400.
PREFACE = "http2/3.5: Sends invalid connection preface"


class H2SpecTest(unittest.TestCase):
    def setUp(self) -> None:
        self.h2spec = find_go_tool("h2spec")
        if self.h2spec is None:
            self.skipTest("h2spec is not installed")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # Long enough to be several frames where a case wants few bytes of window.
        self.origin = Origin(answer(b"hello" * 100))
        self.addCleanup(self.origin.stop)

    def failures(self, port: int, *arguments: str) -> set[str]:
        """What h2spec found."""
        report = self.folder / "report.xml"
        command = [self.h2spec, "-h", "127.0.0.1", "-p", str(port), "--strict", "-j", report]
        command += ["--timeout", "5", *arguments]
        subprocess.run(command, capture_output=True, timeout=500)
        cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
        self.assertEqual(len(cases), CASES)
        return {
            f"{case.get('package')}: {case.get('classname')}"
            for case in cases
            if case.find("failure") is not None or case.find("error") is not None
        }

    def test_clear_text(self):
        """by prior knowledge all cases pass but one, which HTTP/1 answers"""
        proxy, port = start_proxy(self.origin.port, arguments=["--h2c"])
        self.addCleanup(proxy.stop_cleanly)
        self.assertEqual(self.failures(port), {PREFACE})

    def test_tls(self):
        """over TLS all cases pass"""
        (port,) = free_ports(1)
        certificate = Authority(self.folder).issue("localhost")
        argv = [bin_dir() / "pingora-proxy", "--tls-listen", f"127.0.0.1:{port}", "--threads", "1"]
        argv += [*certificate.arguments(), "--upstream", f"127.0.0.1:{self.origin.port}"]
        proxy = Program(argv, [port])
        self.addCleanup(proxy.stop_cleanly)
        self.assertEqual(self.failures(port, "--tls", "--insecure"), set())


if __name__ == "__main__":
    main()
