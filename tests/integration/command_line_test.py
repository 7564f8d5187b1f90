# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""What pingora-proxy is told, by its command line and its configuration."""

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
    """A command line, and what the one line about it must name."""

    name: str
    arguments: list[str]
    named: str
    files: dict[str, str] = field(default_factory=dict)


GOOD = ["--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:1"]
MISTAKES = [
    Mistake("an unknown flag", [*GOOD, "--frobnicate"], "--frobnicate"),
    Mistake("a flag without its value", [*GOOD, "--threads"], "--threads"),
    Mistake("a number that is none", [*GOOD, "--threads", "many"], "--threads"),
    Mistake("a number out of range", [*GOOD, "--threads", "0"], "--threads"),
    Mistake("an argument that belongs to nothing", [*GOOD, "stray"], "stray"),
    Mistake("nowhere to listen", ["--upstream", "127.0.0.1:1"], "--listen"),
    Mistake("no upstream", ["--listen", "127.0.0.1:0"], "--upstream"),
    Mistake(
        "an address to listen on without a port",
        ["--listen", "127.0.0.1", "--upstream", "127.0.0.1:1"],
        "127.0.0.1",
    ),
    Mistake(
        "an address to listen on with a bad port",
        ["--listen", "127.0.0.1:70000", "--upstream", "127.0.0.1:1"],
        "127.0.0.1:70000",
    ),
    Mistake(
        "an address that is not ours",
        ["--listen", "192.0.2.1:8080", "--upstream", "127.0.0.1:1"],
        "192.0.2.1:8080",
    ),
    Mistake(
        "an upstream without a port",
        ["--listen", "127.0.0.1:0", "--upstream", "127.0.0.1"],
        "127.0.0.1",
    ),
    Mistake(
        "an upstream with a bad port",
        ["--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:x"],
        "127.0.0.1:x",
    ),
    Mistake("a missing file", [*GOOD, "-c", "missing.yaml"], "missing.yaml"),
    Mistake("a file that is a directory", [*GOOD, "-c", "/"], "/"),
    Mistake(
        "a file that is no YAML",
        [*GOOD, "-c", "bad.yaml"],
        "bad.yaml:2",
        {"bad.yaml": "threads: 1\n{]\n"},
    ),
    Mistake(
        "an unknown key",
        [*GOOD, "-c", "conf.yaml"],
        "conf.yaml:2",
        {"conf.yaml": "threads: 1\nthraeds: 2\n"},
    ),
    Mistake(
        "a key twice",
        [*GOOD, "-c", "conf.yaml"],
        "conf.yaml:2",
        {"conf.yaml": "threads: 1\nthreads: 2\n"},
    ),
    Mistake(
        "a value of the wrong type",
        [*GOOD, "-c", "conf.yaml"],
        "threads",
        {"conf.yaml": "threads: many\n"},
    ),
    Mistake(
        "a value out of range", [*GOOD, "-c", "conf.yaml"], "threads", {"conf.yaml": "threads: 0\n"}
    ),
]


class Mistakes(unittest.TestCase):
    """One line that says what and where, exit code 1."""

    def assert_refused(self, arguments: list[str], named: str, directory: str = "/") -> None:
        done = subprocess.run(
            [bin_dir() / "pingora-proxy", *arguments],
            cwd=directory,
            text=True,
            capture_output=True,
            timeout=DEADLINE,
            stdin=subprocess.DEVNULL,
        )
        self.assertEqual(done.returncode, 1, done)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(named, done.stderr)

    def test_port_in_use(self):
        """a port in use"""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.assert_refused(["--listen", address, "--upstream", "127.0.0.1:1"], address)

    def test_second_port_in_use(self):
        """a port in use, beside a free one"""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.assert_refused([*GOOD, "--listen", address], address)

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable(self):
        """a file that may not be read"""
        with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
            os.chmod(file.name, 0)
            self.assert_refused([*GOOD, "-c", file.name], file.name)


def is_refused(test: Mistakes, row: Mistake) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name, text in row.files.items():
            pathlib.Path(directory, name).write_text(text)
        test.assert_refused(row.arguments, row.named, directory)


add_cases(Mistakes, MISTAKES, is_refused)


class CommandLine(unittest.TestCase):
    def run_proxy(self, *arguments: str):
        return subprocess.run(
            [bin_dir() / "pingora-proxy", *arguments],
            text=True,
            capture_output=True,
            timeout=DEADLINE,
            stdin=subprocess.DEVNULL,
        )

    def test_help(self):
        """--help names the options and is no error"""
        done = self.run_proxy("--help")
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

    def test_configuration_is_tested(self):
        """-t checks and exits"""
        done = self.run_proxy(*GOOD, "-t")
        self.assertEqual(done.returncode, 0, done.stderr)

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
            self.addCleanup(proxy.stop)
            for port in (first, second):
                with Client(port) as client:
                    self.assertEqual(client.get(f"/{port}").status, 200)
            for port in (first, second):
                eventually(
                    lambda port=port: f"/{port}" in proxy.stdout + proxy.stderr, "a line in the log"
                )

    def test_access_log_escapes(self):
        """what a client sends can not forge a line of the log"""
        origin = Origin(answer_raw(OK + b"Content-Length: 0\r\n\r\n"))
        self.addCleanup(origin.stop)
        proxy, port = start_proxy(origin.port, arguments=["--access-log"])
        self.addCleanup(proxy.stop)
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
