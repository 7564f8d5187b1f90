# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""What pingora-proxy is told, by its command line and its configuration."""

import contextlib
import os
import pathlib
import socket
import subprocess
import tempfile
import unittest
from dataclasses import dataclass, field

from harness import (
    DEADLINE,
    Client,
    Origin,
    Program,
    add_cases,
    bin_dir,
    eventually,
    free_ports,
    main,
    start_proxy,
)
from harness.origin import answer_raw

OK = b"HTTP/1.1 200 OK\r\n"


@dataclass
class Mistake:
    """A command line, and the line about it; where it ends with `...`, only its beginning."""

    name: str
    arguments: list[str]
    line: str
    files: dict[str, str] = field(default_factory=dict)


LISTEN = ["--listen", "127.0.0.1:0"]
UPSTREAM = ["--upstream", "127.0.0.1:1"]
GOOD = [*LISTEN, *UPSTREAM]
EXAMPLES = "(expected: 127.0.0.1:6188, [::1]:6188)"


def mistake_in_file(name: str, text: str, line: str) -> Mistake:
    return Mistake(name, [*GOOD, "-c", "conf.yaml"], "conf.yaml" + line, {"conf.yaml": text})


MISTAKES = [
    Mistake("an unknown flag", [*GOOD, "--frobnicate"], "unknown option '--frobnicate'; see --help"),
    Mistake(
        "an unknown flag with a value",
        ["--lisen", "127.0.0.1:0", *UPSTREAM],
        "unknown option '--lisen'; see --help",
    ),
    Mistake("a flag without its value", [*GOOD, "--threads"], "--threads: ..."),
    Mistake(
        "a number that is none",
        [*GOOD, "--threads", "many"],
        "--threads: 'many' is no whole number from 1 to 1024; see --help",
    ),
    Mistake("a number out of range", [*GOOD, "--threads", "0"], "--threads: ..."),
    Mistake("an argument that belongs to nothing", [*GOOD, "stray"], "unexpected argument 'stray'; see --help"),
    Mistake("nowhere to listen", UPSTREAM, "--listen is missing; see --help"),
    Mistake("no upstream", LISTEN, "--upstream is missing; see --help"),
    Mistake(
        "an address to listen on without a port",
        ["--listen", "127.0.0.1", *UPSTREAM],
        f"cannot listen on '127.0.0.1': the port is missing {EXAMPLES}",
    ),
    Mistake(
        "an address to listen on with a bad port",
        ["--listen", "127.0.0.1:70000", *UPSTREAM],
        f"cannot listen on '127.0.0.1:70000': the port is no number from 0 to 65535 {EXAMPLES}",
    ),
    Mistake(
        "a name to listen on",
        ["--listen", "localhost:80", *UPSTREAM],
        "cannot listen on 'localhost:80': no IP address, and a host name is not allowed here "
        + EXAMPLES,
    ),
    Mistake(
        "an address that is not ours",
        ["--listen", "192.0.2.1:8080", *UPSTREAM],
        "cannot listen on 192.0.2.1:8080: Cannot assign requested address",
    ),
    Mistake("an upstream without a port", [*LISTEN, "--upstream", "127.0.0.1"], "--upstream: ..."),
    Mistake(
        "an upstream with a bad port", [*LISTEN, "--upstream", "127.0.0.1:x"], "--upstream: ..."
    ),
    Mistake(
        "an upstream with port 0",
        [*LISTEN, "--upstream", "127.0.0.1:0"],
        "--upstream: '127.0.0.1:0': 0 is no port to connect to",
    ),
    Mistake(
        "a user in a file, for now",
        [*GOOD, "-c", "conf.yaml"],
        "user: not supported yet",
        {"conf.yaml": "user: nobody\n"},
    ),
    Mistake("an upgrade, for now", [*GOOD, "-u"], "--upgrade: not supported yet"),
    Mistake("a daemon, for now", [*GOOD, "-d"], "daemon: not supported yet"),
    Mistake(
        "a daemon in a file, for now",
        [*GOOD, "-c", "conf.yaml"],
        "daemon: not supported yet",
        {"conf.yaml": "daemon: true\n"},
    ),
    Mistake(
        "a missing file",
        [*GOOD, "-c", "missing.yaml"],
        "missing.yaml: cannot open: No such file or directory",
    ),
    Mistake("a file that is a directory", [*GOOD, "-c", "/"], "/: ..."),
    mistake_in_file("a file that is no YAML", "threads: 1\n{]\n", ":2..."),
    mistake_in_file("an unknown key", "threads: 1\nthraeds: 2\n", ":2: unknown key 'thraeds'"),
    mistake_in_file("a key twice", "threads: 1\nthreads: 2\n", ":2..."),
    mistake_in_file(
        "a value of the wrong type",
        "threads: many\n",
        ":1: threads: expected an integer, found 'many'",
    ),
    mistake_in_file(
        "a value out of range", "threads: 0\n", ":1: threads: 0 is out of range (1 to 1024)"
    ),
    mistake_in_file(
        "what is spoken to upstreams",
        "upstream: 127.0.0.1:1\nupstream_http: h3\n",
        ":2: upstream_http: 'h3' is none of h1, h2 and auto",
    ),
    Mistake(
        "what is spoken to upstreams, on the command line",
        [*GOOD, "--upstream-http", "h3"],
        "--upstream-http: 'h3' is none of h1, h2 and auto; see --help",
    ),
    mistake_in_file(
        "TLS to upstreams that is not said to be there",
        "sni: a.test\n",
        ": options of TLS to upstreams need --upstream-tls",
    ),
    mistake_in_file(
        "a certificate without a key",
        "tls_listen: 127.0.0.1:0\ncert: a.pem\n",
        ": each --cert goes with a --key; see --help",
    ),
    mistake_in_file(
        "a flag that is none", "upstream_tls: 1\n",
        ":1: upstream_tls: expected true or false, found '1'",
    ),
    mistake_in_file(
        "a flag that the file has another key for", "no_work_stealing: true\n",
        ":1: unknown key 'no_work_stealing'",
    ),
]


def run_proxy(*arguments: str, directory: str = "/"):
    return subprocess.run(
        [bin_dir() / "pingora-proxy", *arguments],
        cwd=directory,
        text=True,
        capture_output=True,
        timeout=DEADLINE,
        stdin=subprocess.DEVNULL,
    )


class Mistakes(unittest.TestCase):
    """One line that says what and where, exit code 1."""

    def assert_refused(self, arguments: list[str], line: str, directory: str = "/") -> None:
        done = run_proxy(*arguments, directory=directory)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        beginning = f"pingora-proxy: {line.removesuffix('...')}"
        said = done.stderr.removesuffix("\n")
        self.assertEqual(said[: len(beginning)] if line.endswith("...") else said, beginning)

    def test_port_in_use(self):
        """a port in use, also beside a free one"""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            line = f"cannot listen on {address}: Address already in use"
            self.assert_refused(["--listen", address, *UPSTREAM], line)
            self.assert_refused([*GOOD, "--listen", address], line)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable(self):
        """a file that may not be read"""
        with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
            os.chmod(file.name, 0)
            self.assert_refused([*GOOD, "-c", file.name], f"{file.name}: ...")


def is_refused(test: Mistakes, row: Mistake) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, text in row.files.items():
            pathlib.Path(directory, name).write_text(text)
        test.assert_refused(row.arguments, row.line, directory)
        if row.files:
            test.assert_refused([*row.arguments, "-t"], row.line, directory)


add_cases(Mistakes, MISTAKES, is_refused)


class CommandLine(unittest.TestCase):
    def test_help(self):
        """--help names the options and is no error"""
        done = run_proxy("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for option in (
            "--listen",
            "--upstream",
            "--threads",
            "--no-work-stealing",
            "--access-log",
            "--conf",
        ):
            self.assertIn(option, done.stdout)

    def test_only_checking(self):
        """-t checks, says nothing, and binds nothing"""
        done = run_proxy(*GOOD, "-t")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.assertEqual(run_proxy("-t", "--listen", address, *UPSTREAM).returncode, 0)

    def test_several_addresses(self):
        """several --listen, a configuration file, no work stealing, an access log"""
        origin = Origin()
        self.addCleanup(origin.stop)
        first, second = free_ports(2)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("version: 1\nthreads: 2\nupstream_keepalive_pool_size: 3\n")
            file.flush()
            proxy = Program(
                [
                    bin_dir() / "pingora-proxy",
                    "--listen",
                    f"127.0.0.1:{first}",
                    "--listen",
                    f"127.0.0.1:{second}",
                    "--upstream",
                    f"127.0.0.1:{origin.port}",
                    "-c",
                    file.name,
                    "--no-work-stealing",
                    "--access-log",
                ],
                [first, second],
            )
            self.addCleanup(proxy.stop_cleanly)
            for port in (first, second):
                with Client(port) as client:
                    self.assertEqual(client.get(f"/{port}").status, 200)
            for port in (first, second):
                eventually(
                    lambda port=port: f"/{port}" in proxy.stdout + proxy.stderr, "a line in the log"
                )

    def test_all_in_the_file(self):
        """where to listen and where requests go, from the file; the command line goes before it"""
        first, second = Origin(), Origin(answer_raw(OK + b"Content-Length: 3\r\n\r\nbye"))
        self.addCleanup(first.stop)
        self.addCleanup(second.stop)
        ports = free_ports(2)
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory, "conf.yaml")
            file.write_text(
                f"threads: 1\nlisten:\n  - 127.0.0.1:{ports[0]}\n  - 127.0.0.1:{ports[1]}\n"
                f"upstream: 127.0.0.1:{first.port}\naccess_log: true\nh2c: false\n"
            )
            argv = [bin_dir() / "pingora-proxy", "-c", file]
            with contextlib.closing(self.Running(argv, ports)) as running:
                for port in ports:
                    self.assertEqual(running.body(port), b"hello")
                eventually(lambda: '"GET /" 200' in running.proxy.stdout, "a line in the log")
            argv += ["--upstream", f"127.0.0.1:{second.port}"]
            with contextlib.closing(self.Running(argv, ports)) as running:
                self.assertEqual(running.body(ports[0]), b"bye")

    class Running:
        """A proxy that is to stop cleanly."""

        def __init__(self, argv: list, ports: list[int]):
            self.proxy = Program(argv, ports)

        def body(self, port: int) -> bytes:
            with Client(port) as client:
                return client.get().body

        def close(self) -> None:
            self.proxy.stop_cleanly()

    def test_name(self):
        """an upstream may be a name"""
        origin = Origin()
        self.addCleanup(origin.stop)
        proxy, port = start_proxy(arguments=["--upstream", f"localhost:{origin.port}"])
        self.addCleanup(proxy.stop_cleanly)
        with Client(port) as client:
            self.assertEqual(client.get().status, 200)

    def test_access_log(self):
        """a line for each request: who, what, the status and the bytes of the body"""
        origin = Origin()
        self.addCleanup(origin.stop)
        proxy, port = start_proxy(origin.port, arguments=["--access-log"])
        self.addCleanup(proxy.stop_cleanly)
        with Client(port) as client:
            served = "%s:%d" % client.sock.getsockname()
            client.get("/x?y")
            client.get("/again")
        with Client(port) as client:
            refused = "%s:%d" % client.sock.getsockname()
            client.exchange(b"GET /bad HTTP/1.1\r\n\r\n")
        self.assertEqual(proxy.stop(), 0)
        first, second, third = sorted(proxy.stdout.splitlines(), key=lambda line: "/bad" in line)
        self.assertEqual(first, f'{served} "GET /x?y" 200 5')
        self.assertEqual(second, f'{served} "GET /again" 200 5')
        self.assertTrue(third.startswith(f'{refused} "GET /bad" 400 0'), third)

    def test_access_log_escapes(self):
        """what a client sends can not forge a line of the log"""
        origin = Origin(answer_raw(OK + b"Content-Length: 0\r\n\r\n"))
        self.addCleanup(origin.stop)
        proxy, port = start_proxy(origin.port, arguments=["--access-log"])
        self.addCleanup(proxy.stop_cleanly)
        with Client(port) as client:
            client.send(b"GET /\x1b[2J\nforged HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.read_response().status, 400)
        with Client(port) as client:
            client.get("/good")
        eventually(lambda: "/good" in proxy.stdout, "the line of the good request")
        self.assertNotIn("\x1b", proxy.stdout + proxy.stderr)
        self.assertFalse(
            [
                each
                for each in (proxy.stdout + proxy.stderr).splitlines()
                if each.startswith("forged")
            ]
        )


if __name__ == "__main__":
    main()
