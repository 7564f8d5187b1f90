# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""TLS to clients: curl, openssl, GnuTLS, Python and nginx in front of pingora-proxy."""

import re
import subprocess
import time

from harness import DEADLINE, Program, answer, bin_dir, eventually, free_ports, main
from harness.certificates import Authority, openssl
from harness.h2_client import whole_conversation
from harness.peers import require, start_nginx
from harness.tls import TlsTest, get

BODY = bytes(range(256)) * 4096  # 1 MiB


class Names(TlsTest):
    """Certificates by the name that the client asks for."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        issue = cls.authority.issue
        cls.wildcard = issue("wildcard", ["*.example.test"])
        cls.rsa = issue("rsa", ["both.test"], kind="rsa")
        cls.ecdsa = issue("ecdsa", ["both.test"])
        arguments = []
        for each in (cls.a_test, cls.wildcard, cls.rsa, cls.ecdsa):
            arguments += each.arguments()
        cls.proxy, cls.port = cls.start(*arguments)

    def test_exact(self):
        """the certificate with the very name"""
        self.assert_serves(self.port, "a.test")
        self.assert_serves(self.port, "A.Test")

    def test_wildcard(self):
        """a wildcard stands for one label"""
        self.assert_serves(self.port, "www.example.test")
        self.assert_shows(self.port, self.wildcard, "www.example.test")
        for other in ("example.test", "a.b.example.test"):
            self.assert_shows(self.port, self.a_test, other)

    def test_default(self):
        """without a name, or with an unknown one, the first"""
        self.assert_shows(self.port, self.a_test, None)
        self.assert_shows(self.port, self.a_test, "unknown.test")
        done = self.run_curl(self.port, "unknown.test")
        self.assertEqual(done.returncode, 60)  # not for that name

    def test_two_keys(self):
        """ECDSA for those who know it, RSA for the others"""
        self.assert_shows(self.port, self.ecdsa, "both.test")
        text = self.s_client(
            self.port, "-servername", "both.test", "-tls1_2", "-cipher", "aRSA", "-showcerts"
        )
        self.assertIn(self.rsa.cert.read_text().strip(), text)
        text = self.s_client(
            self.port, "-servername", "both.test", "-tls1_3", "-sigalgs",
            "rsa_pss_rsae_sha256", "-showcerts",
        )  # fmt: skip
        self.assertIn(self.rsa.cert.read_text().strip(), text)

    def test_chain(self):
        """openssl is satisfied with what it is shown"""
        text = self.s_client(self.port, "-servername", "a.test", "-verify_return_error")
        self.assertIn("Verify return code: 0 (ok)", text)

    def test_gnutls(self):
        """gnutls-cli too"""
        client = subprocess.Popen(
            [require("gnutls-cli"), "--x509cafile", self.authority.cert, "--port", f"{self.port}",
             "--sni-hostname", "a.test", "--verify-hostname", "a.test", "127.0.0.1"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        with client:
            # It leaves at the end of its input, so that stays open until the proxy closes.
            client.stdin.write(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
            client.stdin.flush()
            said = client.stdout.read()
        self.assertEqual(client.returncode, 0, said)
        self.assertIn(b"- Status: The certificate is trusted.", said)
        self.assertIn(b"HTTP/1.1 200 OK", said)


class Protocol(TlsTest):
    """Versions, ciphers, ALPN, sessions, bodies."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.proxy, cls.port = cls.start(*cls.a_test.arguments())

    def setUp(self) -> None:
        self.origin.respond = answer()

    def test_versions(self):
        """TLS 1.2 and 1.3, nothing older"""
        for version in ("1.2", "1.3"):
            self.assert_serves(self.port, "a.test", f"--tlsv{version}", "--tls-max", version)
        for version in ("-tls1", "-tls1_1"):
            text = self.s_client(self.port, version, "-cipher", "DEFAULT@SECLEVEL=0")
            self.assertIn("protocol version", text)

    def test_ciphers(self):
        """with forward secrecy and authenticated encryption only"""
        for cipher in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"):
            text = self.s_client(self.port, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
            self.assertIn("handshake failure", text, cipher)
        for cipher in ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"):
            text = self.s_client(self.port, "-tls1_2", "-cipher", cipher)
            self.assertIn(f"Cipher is {cipher}", text)

    def test_cipher_preference(self):
        """the listener's, but for what the client's hardware decides"""
        strong, fast, chacha = (
            f"ECDHE-ECDSA-{name}"
            for name in ("AES256-GCM-SHA384", "AES128-GCM-SHA256", "CHACHA20-POLY1305")
        )
        for offered, taken in (
            (f"{strong}:{fast}", fast),
            (f"{fast}:{chacha}", fast),
            (f"{strong}:{chacha}:{fast}", chacha),
        ):
            text = self.s_client(self.port, "-tls1_2", "-cipher", offered)
            self.assertIn(f"Cipher is {taken}", text, offered)

    def test_alpn(self):
        """HTTP/1.1 is agreed on; a client that speaks only something else is refused"""
        self.assertIn("ALPN protocol: http/1.1", self.s_client(self.port, "-alpn", "x,http/1.1"))
        self.assertIn("no application protocol", self.s_client(self.port, "-alpn", "imap"))
        self.assertIn("No ALPN negotiated", self.s_client(self.port))

    def test_renegotiation(self):
        """is refused"""
        text = self.s_client(self.port, "-tls1_2", send=b"R\n")
        self.assertRegex(text, "no renegotiation|unexpected message|closed")
        self.assertNotIn("HTTP/1.1", text)

    def test_resumed_12(self):
        """TLS 1.2: each reconnection resumes"""
        text = self.s_client(self.port, "-tls1_2", "-reconnect")
        self.assertEqual((text.count("\nNew, TLSv1.2"), text.count("\nReused, TLSv1.2")), (1, 5))

    def test_resumed_13(self):
        """TLS 1.3: a session of one process is resumed by another"""
        file = self.folder / "session"
        request = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
        common = ("-servername", "a.test", "-tls1_3", "-ign_eof")
        first = self.s_client(self.port, *common, "-sess_out", file, send=request)
        self.assertIn("New, TLSv1.3", first)
        again = self.s_client(self.port, *common, "-sess_in", file, send=request)
        self.assertIn("Reused, TLSv1.3", again)
        self.assertIn("hello", again)

    def test_bodies(self):
        """a megabyte each way"""
        received = []

        def echo(connection, request):
            received.append(request.body)
            answer(BODY)(connection, request)

        self.origin.respond = echo
        file = self.folder / "body"
        file.write_bytes(BODY)
        got = self.run_curl(self.port, "a.test", "--data-binary", f"@{file}")
        self.assertEqual(got.stdout, BODY)
        self.assertEqual(received, [BODY])

    def test_one_connection(self):
        """curl stays on one connection"""
        url = f"https://a.test:{self.port}/"
        more = [part for _ in range(4) for part in ("-o", "/dev/null", url)]
        made = self.curl(self.port, "a.test", "-w", "%{num_connects} ", "-o", "/dev/null", *more)
        self.assertEqual(sum(map(int, made.split())), 1)

    def test_idle(self):
        """a connection that was idle for longer than it takes to be parked goes on"""
        with self.connect(self.port) as client:
            for _ in range(4):
                self.assertTrue(get(client).endswith(b"hello"))
                time.sleep(0.05)  # the client's, in which it asks for nothing

    def test_close_notify(self):
        """a connection that ends is ended properly"""
        with self.connect(self.port) as client:
            get(client, ["Connection: close"])
            self.assertEqual(client.recv(1), b"")  # an SSLError without close_notify

    def test_forwarded(self):
        """the origin is told that it was HTTPS"""
        self.origin.forget()
        self.assert_serves(self.port)
        self.assertEqual(self.origin.requests[-1].first("X-Forwarded-Proto"), "https")

    def test_behind_nginx(self):
        """nginx as a client that verifies, with sessions"""
        (port,) = free_ports(1)
        http = f"""
          server {{
            listen 127.0.0.1:{port};
            location / {{
              proxy_pass https://127.0.0.1:{self.port};
              proxy_http_version 1.1;
              proxy_set_header Host a.test;
              proxy_ssl_server_name on;
              proxy_ssl_name a.test;
              proxy_ssl_verify on;
              proxy_ssl_trusted_certificate {self.authority.cert};
            }}
          }}
        """
        nginx = start_nginx(self.folder / "nginx", http, port)
        self.addCleanup(nginx.stop)
        for _ in range(3):
            done = subprocess.run(
                [require("curl"), "-sS", "--noproxy", "*", f"http://127.0.0.1:{port}/"],
                capture_output=True, timeout=DEADLINE,
            )  # fmt: skip
            self.assertEqual(done.stdout, b"hello", done.stderr + nginx.stderr.encode())

    def test_plain_http(self):
        """HTTP without TLS is told so"""
        done = subprocess.run(
            [require("curl"), "-sSi", "--noproxy", "*", f"http://127.0.0.1:{self.port}/"],
            capture_output=True, timeout=DEADLINE,
        )  # fmt: skip
        self.assertTrue(done.stdout.startswith(b"HTTP/1.1 400 Bad Request\r\n"), done.stdout)
        self.assertIn(b"HTTPS", done.stdout)


class ClientCertificates(TlsTest):
    """Clients that must show a certificate."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.clients = Authority(cls.folder, "clients")
        cls.good = cls.clients.issue("good", subject="/O=Acme/CN=good", usage="clientAuth")
        cls.expired = cls.clients.issue("expired", days=-1, usage="clientAuth")
        cls.refused = cls.clients.issue("refused", subject="/CN=refused", usage="clientAuth")
        cls.other = Authority(cls.folder, "others").issue("other", usage="clientAuth")
        cls.server = cls.clients.issue("server", ["server.test"])  # not for clients
        common = (*cls.a_test.arguments(), "--client-ca", cls.clients.cert)
        cls.proxy, cls.port = cls.start(*common)
        directory = cls.folder / "callback"
        directory.mkdir()
        cls.called = cls.authority.issue("called", ["called.test"], directory=directory)
        cls.tls_proxy, cls.optional = cls.start(
            *common, "--client-optional", "--callback-cert-dir", directory, program="tls_proxy"
        )

    def assert_refused(self, port: int, certificate=None, host: str = "a.test") -> None:
        shown = certificate.arguments() if certificate else []
        for version in ("1.2", "1.3"):
            done = self.run_curl(port, host, *shown, "--tlsv1.2", "--tls-max", version)
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertEqual(done.stdout, b"")

    def test_required(self):
        """of the right issuer, or none at all is served"""
        self.assert_serves(self.port, "a.test", *self.good.arguments())
        self.assert_serves(self.port, "a.test", *self.good.arguments(), "--tls-max", "1.2")
        for bad in (None, self.other, self.expired, self.server):
            self.assert_refused(self.port, bad)

    def test_optional(self):
        """none is served too, a bad one is not"""
        text = self.curl(self.optional, "a.test", "-i")
        self.assertRegex(text, r"X-TLS: TLSv1.3 .* subject= kept=for a.test\r\n")
        text = self.curl(self.optional, "a.test", "-i", *self.good.arguments())
        self.assertRegex(text, r"X-TLS: .* serial=[0-9A-F]+ subject=\S*CN=good")
        for bad in (self.other, self.expired):
            self.assert_refused(self.optional, bad)

    def test_callback_refuses(self):
        """the program has the last word"""
        self.assert_refused(self.optional, self.refused)
        eventually(lambda: "refused by the program" in self.tls_proxy.stderr, "a line in the log")

    def test_callback_certificate(self):
        """a certificate that a coroutine gives; without one, the store's"""
        self.assert_serves(self.optional, "called.test")
        self.assert_shows(self.optional, self.a_test, "a.test")
        self.assert_refused(self.optional, host="nobody.test")


class Options(TlsTest):
    """What the settings can be set to."""

    def start_with(self, *arguments, certificate=True):
        shown = self.a_test.arguments() if certificate else []
        return self.start(*shown, *arguments, program="tls_proxy")

    def test_modern(self):
        """the modern profile is TLS 1.3 alone"""
        _, port = self.start_with("--modern")
        self.assert_serves(port)
        done = self.run_curl(port, "a.test", "--tls-max", "1.2")
        self.assertEqual(done.returncode, 35)

    def test_unknown_name(self):
        """an alert for names that no certificate is for; none for clients without one"""
        _, port = self.start_with("--unknown-name-alert")
        self.assert_serves(port)
        text = self.s_client(port, "-servername", "unknown.test")
        self.assertIn("unrecognized name", text)
        self.assert_shows(port, self.a_test, None)

    def test_no_tickets(self):
        """without tickets nothing is resumed"""
        _, port = self.start_with("--no-tickets")
        text = self.s_client(port, "-tls1_2", "-reconnect")
        self.assertEqual((text.count("\nNew, TLSv1.2"), text.count("\nReused, ")), (6, 0))

    def test_key_log(self):
        """keys are logged, for those who may read the file"""
        file = self.folder / "keys"
        _, port = self.start_with("--key-log", file)
        self.assert_serves(port)
        self.assertIn("CLIENT_TRAFFIC_SECRET_0 ", file.read_text())
        self.assertEqual(file.stat().st_mode & 0o077, 0)

    def early(self, port: int, method: str, session, *more: str) -> str:
        """What openssl gets for a request in early data."""
        request = self.folder / "early"
        request.write_text(
            f"{method} / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n"
            "Connection: close\r\n\r\n"
        )
        return self.s_client(
            port, "-servername", "a.test", "-tls1_3", "-alpn", "http/1.1",
            "-sess_in", session, "-early_data", request, *more,
        )  # fmt: skip

    def test_early_data(self):
        """safe requests in early data are marked, others are refused with 425"""
        session = self.folder / "early_session"
        get_request = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
        arguments = ("-servername", "a.test", "-tls1_3", "-ign_eof", "-alpn", "http/1.1")
        _, port = self.start_with("--early-data")
        self.s_client(port, *arguments, "-sess_out", session, send=get_request)
        self.origin.forget()

        # The rest of the handshake may be there before the request is looked at: then it is not
        # early any more.
        def is_marked() -> bool:
            said = self.early(port, "GET", session, "-ign_eof")
            self.assertIn("Early data was accepted", said)
            self.assertIn("hello", said)
            return self.origin.requests[-1].all("Early-Data") == ["1"]

        def is_refused() -> bool:
            said = self.early(port, "POST", session, "-ign_eof")
            return "HTTP/1.1 425 Too Early" in said

        eventually(is_marked, "a request that is marked as early")
        eventually(is_refused, "a POST in early data that is refused")

    def test_early_data_over_http2(self):
        """the same for streams: what is not safe never reaches the origin as early data"""
        session = self.folder / "early_h2_session"
        requests = self.folder / "early_h2"
        rest = [(":path", "/"), (":scheme", "https"), (":authority", "a.test")]
        heads = [[(":method", method), *rest] for method in ("GET", "POST")]
        requests.write_bytes(whole_conversation(heads))
        arguments = ("-servername", "a.test", "-tls1_3", "-alpn", "h2", "-ign_eof")
        _, port = self.start_with("--early-data", "--h2")
        self.s_client(port, *arguments, "-sess_out", session, send=requests.read_bytes())

        # As above: it may be early no more. What is early is so for both, as they come together.
        def is_marked() -> bool:
            self.origin.forget()
            arguments_early = (*arguments, "-sess_in", session, "-early_data", requests)
            said = self.s_client(port, *arguments_early)
            self.assertIn("Early data was accepted", said)
            marks = {each.method: each.all("Early-Data") for each in self.origin.requests}
            if marks == {"GET": [], "POST": []}:
                return False
            self.assertEqual(marks, {"GET": ["1"]})
            return True

        eventually(is_marked, "requests that are early")

    def test_no_early_data(self):
        """by default there is none"""
        session = self.folder / "no_early_session"
        _, port = self.start_with()
        get_request = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
        self.s_client(port, "-servername", "a.test", "-tls1_3", "-ign_eof", "-sess_out", session,
                      send=get_request)  # fmt: skip
        self.origin.forget()
        self.assertNotIn("Early data was accepted", self.early(port, "GET", session))
        self.assert_serves(port)
        self.assertEqual(len(self.origin.requests), 1)

    def test_directory(self):
        """certificates of a directory"""
        directory = self.folder / "certs"
        directory.mkdir()
        b_test = self.authority.issue("b", ["b.test"], directory=directory)
        c_test = self.authority.issue("c", ["c.test"], directory=directory)
        _, port = self.start_with("--cert-dir", directory, certificate=False)
        self.assert_shows(port, b_test, "b.test")
        self.assert_shows(port, c_test, "c.test")

    def test_ocsp(self):
        """the OCSP response is stapled for those who ask"""
        response = self.ocsp_response()
        _, port = self.start_with("--ocsp", response)
        text = self.s_client(port, "-status", "-servername", "a.test")
        self.assertIn("OCSP Response Status: successful", text)
        self.assertIn("Cert Status: good", text)
        self.assertIn("OCSP response: no response sent",
                      self.s_client(self.start_with()[1], "-status"))  # fmt: skip

    def ocsp_response(self):
        serial = openssl("x509", "-in", self.a_test.cert, "-noout", "-serial").decode()
        serial = serial.strip().partition("=")[2]
        index = self.folder / "index.txt"
        index.write_text(f"V\t491231235959Z\t\t{serial}\tunknown\t/CN=leaf\n")
        response = self.folder / "a.ocsp"
        openssl(
            "ocsp", "-index", index, "-rsigner", self.authority.cert,
            "-rkey", self.folder / "root.key", "-CA", self.authority.cert,
            "-issuer", self.authority.cert, "-cert", self.a_test.cert, "-ndays", "2",
            "-respout", response, "-noverify",
        )  # fmt: skip
        return response


class Start(TlsTest):
    """Mistakes are named before anything is served."""

    def refused(self, *arguments, listen: bool = True) -> str:
        (port,) = free_ports(1)
        argv = [bin_dir() / "pingora-proxy", "--upstream", "127.0.0.1:1", *arguments]
        if listen:
            argv += ["--tls-listen", f"127.0.0.1:{port}"]
        proxy = Program(argv)
        self.assertEqual(proxy.wait(), 1)
        self.assertEqual(len(proxy.stderr.splitlines()), 1, proxy.stderr)
        return proxy.stderr.strip().removeprefix("pingora-proxy: ")

    def test_mismatch(self):
        """a key that is not the certificate's, with both names"""
        other = self.authority.issue("other", ["other.test"])
        self.assertEqual(
            self.refused("--cert", self.a_test.cert, "--key", other.key),
            f"{self.a_test.cert}, {other.key}: the private key is not that of the certificate",
        )
        self.assertIn("not that of", self.refused("-t", "--cert", self.a_test.cert, "--key",
                                                  other.key))  # fmt: skip

    def test_missing(self):
        """files that are not there"""
        missing = self.folder / "missing"
        self.assertEqual(
            self.refused("--cert", missing, "--key", self.a_test.key),
            f"{missing}: No such file or directory",
        )
        self.assertIn(
            f"{missing}: No such file", self.refused(*self.a_test.arguments(), "--client-ca", missing)
        )
        self.assertIn(
            "there is no PEM certificate",
            self.refused(*self.a_test.arguments(), "--client-ca", self.a_test.key)
        )

    def test_command_line(self):
        """options that do not fit together"""
        self.assertEqual(self.refused(), "--cert is missing; see --help")
        self.assertEqual(
            self.refused("--cert", self.a_test.cert), "each --cert goes with a --key; see --help"
        )
        self.assertEqual(
            self.refused("--listen", "127.0.0.1:0", *self.a_test.arguments(), listen=False),
            "--cert, --key and --client-ca are for --tls-listen; see --help",
        )


if __name__ == "__main__":
    main()
