# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""What testssl.sh has to say about a listener with the default settings."""

import json
import os
import shutil
import subprocess
import unittest

from harness import main
from harness.tls import TlsTest

# What is looked at: protocols, ciphers, forward secrecy, preference, what is shown by default, and
# known weaknesses. Not the fields of the response, which are the origin's.
LOOKED_AT = ["--protocols", "--std", "--fs", "--server-preference", "--server-defaults", "-U"]


@unittest.skipUnless(shutil.which("testssl"), "testssl.sh is not installed")
class Testssl(TlsTest):
    def findings(self, port: int) -> list[dict]:
        report = self.folder / f"{port}.json"
        done = subprocess.run(
            ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none",
             "--openssl-timeout", "10", "--add-ca", self.authority.cert, *LOOKED_AT,
             "--jsonfile", report, f"127.0.0.1:{port}"],
            capture_output=True, text=True, timeout=400,
            # What its own openssl lacks, an engine for GOST, is no finding about the listener.
            env={**os.environ, "NO_ENGINE": "true"},
        )  # fmt: skip
        self.assertIn("Done", done.stdout, done.stderr)
        return json.loads(report.read_text())

    def test_default(self):
        """nothing above low"""
        server = self.authority.issue(
            "testssl",
            days=90,
            extensions="subjectAltName=DNS:localhost,IP:127.0.0.1\n"
            "crlDistributionPoints=URI:http://crl.test/root.crl",
        )
        _, port = self.start(*server.arguments())
        findings = self.findings(port)
        self.assertGreater(len(findings), 40)
        bad = [
            (each["severity"], each["id"], each["finding"])
            for each in findings
            if each["severity"] not in ("OK", "INFO", "LOW")
        ]
        self.assertEqual(bad, [])


if __name__ == "__main__":
    main()
