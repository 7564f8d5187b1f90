# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Certificates and ticket keys that change while the proxy serves."""

import re
import ssl
import subprocess
import threading
import time
from signal import SIGHUP

from harness import DEADLINE, eventually, main
from harness.peers import require
from harness.tls import TlsTest, get


class Reload(TlsTest):
    """One certificate, which each test replaces."""

    def setUp(self) -> None:
        self.cert = self.authority.issue(f"c{self.id()}", ["a.test"])
        self.proxy, self.port = self.start(*self.cert.arguments())
        self.assert_shows(self.port, self.cert)

    def issue(self):
        return self.authority.issue(f"c{self.id()}", ["a.test"])

    def shows(self, certificate) -> bool:
        return self.shown(self.port) == self.der(certificate)

    def test_file_change(self):
        """files that are replaced are noticed"""
        new = self.issue()
        eventually(lambda: self.shows(new), "the new certificate is shown")

    def test_sighup(self):
        """SIGHUP has them read again, at once"""
        new = self.issue()
        self.proxy.send_signal(SIGHUP)
        eventually(lambda: self.shows(new), "the new certificate is shown")
        self.assertTrue(self.proxy.is_running)

    def test_bad_file(self):
        """a bad new file leaves the old certificate, and the log says so"""
        good = self.cert.cert.read_text()
        self.cert.cert.write_text("garbage\n")
        self.proxy.send_signal(SIGHUP)
        line = f"{self.cert.cert}: no certificate in it (PEM); what was there stays"
        eventually(lambda: line in self.proxy.stderr, "a line in the log")
        self.assertEqual(self.shown(self.port), ssl.PEM_cert_to_DER_cert(good))

        self.cert.cert.write_text(good)
        self.cert.key.write_text(self.a_test.key.read_text())
        self.proxy.send_signal(SIGHUP)
        line = f"{self.cert.cert}, {self.cert.key}: the private key is not that of the certificate"
        eventually(lambda: line in self.proxy.stderr, "a line in the log")
        self.assertEqual(self.shown(self.port), ssl.PEM_cert_to_DER_cert(good))

        new = self.issue()
        eventually(lambda: self.shows(new), "the new certificate is shown")

    def test_connections_stay(self):
        """connections go on with the certificate that they began with"""
        with self.connect(self.port) as client:
            get(client)
            new = self.issue()
            eventually(lambda: self.shows(new), "the new certificate is shown")
            self.assertTrue(get(client).endswith(b"hello"))

    def test_under_load(self):
        """no request fails while they change, by either way"""
        is_over = threading.Event()

        def change():
            while not is_over.is_set():
                self.issue()
                self.proxy.send_signal(SIGHUP)

        changing = threading.Thread(target=change)
        changing.start()
        try:
            for fields in ((), ("-H", "Connection: close")):
                done = subprocess.run(
                    [require("wrk"), "-t1", "-c16", "-d3s", *fields,
                     f"https://127.0.0.1:{self.port}/"],
                    capture_output=True, text=True, timeout=60,
                )  # fmt: skip
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn("Socket errors", done.stdout)
                self.assertNotIn("Non-2xx", done.stdout)
                count = int(re.search(r"(\d+) requests in", done.stdout).group(1))
                self.assertGreater(count, 100)
                for _ in range(5):  # with a client that verifies
                    self.assert_serves(self.port)
        finally:
            is_over.set()
            changing.join(DEADLINE)
        new = self.issue()
        eventually(lambda: self.shows(new), "the last certificate is shown")
        self.assertNotIn("ERROR", self.without_halves())

    def without_halves(self) -> str:
        """The log without what a reload between the two renames has rightly said."""
        return "\n".join(
            line for line in self.proxy.stderr.splitlines() if "is not that of the" not in line
        )


class Tickets(TlsTest):
    """Keys of session tickets that are rotated each second."""

    def test_rotated_under_load(self):
        """no connection fails, and nearly all resume"""
        _, port = self.start(*self.a_test.arguments(), "--rotate-after", "1", program="tls_proxy")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context(maximum_version=version)
            session, resumed, count = None, 0, 0
            end = time.monotonic() + 3.5  # over several rotations
            while time.monotonic() < end:
                with self.connect(port, context=context, session=session) as client:
                    self.assertTrue(get(client).endswith(b"hello"))
                    count += 1
                    resumed += client.session_reused
                    session = client.session
            self.assertGreater(count, 50)
            self.assertGreater(resumed, 0.95 * count, f"{resumed} of {count}")


if __name__ == "__main__":
    main()
