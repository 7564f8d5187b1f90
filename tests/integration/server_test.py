# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""pingora-proxy as a process: how it starts, what it says when it can not, and how it ends."""

import contextlib
import os
import queue
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

PROGRAM = str(Path(os.environ["PINGORA_BIN_DIR"]) / "pingora-proxy")
TIMEOUT = 20
# To look at an object's type, UBSan opens a pipe, and takes a process without descriptors for one
# with a broken object.
NEEDS_DESCRIPTORS = b"__ubsan_handle" in Path(PROGRAM).read_bytes()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def receive_head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


class Origin:
    """Answers a request for / at once, and others when the test calls `answer`."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.waiting = queue.Queue()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            while head := receive_head(connection):
                if head.startswith(b"GET / "):
                    self.answer(connection)
                else:
                    self.waiting.put(connection)

    @staticmethod
    def answer(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def close(self):
        self.listener.close()


class Proxy:
    """A pingora-proxy that listens."""

    def __init__(self, *arguments, upstream, files=None):
        self.port = free_port()
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) if files else None
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [PROGRAM, "--listen", f"127.0.0.1:{self.port}", "--upstream", f"127.0.0.1:{upstream}",
             "--threads", "2", *arguments],
            stderr=self.errors, stdout=subprocess.PIPE, preexec_fn=limit)
        while True:  # it listens before it does anything else
            assert self.process.poll() is None, self.error_text()
            with contextlib.suppress(ConnectionRefusedError):
                self.connect().close()
                break

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)

    def get(self, path="/"):
        connection = self.connect()
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        return connection

    def refuses(self):
        try:
            self.connect().close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:  # it was closing
            pass
        return False

    def wait(self):
        return self.process.wait(TIMEOUT)

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def read_response(connection):
    data = receive_head(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    while len(body) < 2 and b"Content-Length: 2" in head:
        body += connection.recv(10)
    return head.decode(), body


class ServerTest(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)

    def start(self, *arguments, **options):
        proxy = Proxy(*arguments, upstream=self.origin.port, **options)
        self.addCleanup(proxy.close)
        return proxy

    def closing(self, connection):
        self.addCleanup(connection.close)
        return connection

    def file(self, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "conf.yaml"
        path.write_text(text)
        return str(path)

    def test_a_graceful_signal_drains(self):
        for number in (signal.SIGTERM, signal.SIGQUIT):
            with self.subTest(number):
                proxy = self.start()
                idle = self.closing(proxy.get())
                self.assertTrue(read_response(idle)[0].startswith("HTTP/1.1 200"))
                busy = self.closing(proxy.get("/slow"))
                upstream = self.origin.waiting.get(timeout=TIMEOUT)
                proxy.process.send_signal(number)
                self.assertEqual(idle.recv(1), b"")
                while not proxy.refuses():
                    pass
                self.origin.answer(upstream)
                head, body = read_response(busy)
                self.assertIn("\r\nConnection: close", head)
                self.assertEqual(body, b"ok")
                self.assertEqual(busy.recv(1), b"")
                self.assertEqual(proxy.wait(), 0)
                self.assertEqual(proxy.error_text(), "")

    def test_a_fast_signal_cuts_off(self):
        proxy = self.start()
        busy = self.closing(proxy.get("/slow"))
        self.origin.waiting.get(timeout=TIMEOUT)
        proxy.process.send_signal(signal.SIGINT)
        self.assertEqual(proxy.wait(), 0)
        self.assertEqual(busy.recv(1), b"")

    def test_a_second_signal_ends_the_wait(self):
        for second in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(second):
                proxy = self.start()
                busy = self.closing(proxy.get("/slow"))
                self.origin.waiting.get(timeout=TIMEOUT)
                proxy.process.send_signal(signal.SIGTERM)
                while not proxy.refuses():
                    pass
                self.assertIsNone(proxy.process.poll())
                proxy.process.send_signal(second)
                self.assertEqual(proxy.wait(), 0)
                self.assertEqual(busy.recv(1), b"")

    def test_the_grace_period_ends_the_wait(self):
        proxy = self.start("-c", self.file("grace_period_seconds: 0\n"))
        busy = self.closing(proxy.get("/slow"))
        self.origin.waiting.get(timeout=TIMEOUT)
        proxy.process.terminate()
        self.assertEqual(proxy.wait(), 0)
        self.assertEqual(busy.recv(1), b"")

    def test_a_broken_pipe_is_no_reason_to_die(self):
        proxy = self.start()
        proxy.process.send_signal(signal.SIGPIPE)
        with proxy.get() as connection:
            self.assertTrue(read_response(connection)[0].startswith("HTTP/1.1 200"))

    def test_the_process_id_stands_in_the_file(self):
        path = self.file("").replace("conf.yaml", "pid")
        proxy = self.start("-c", self.file(f"pid_file: {path}\n"))
        # Written before anything is accepted.
        with proxy.get() as connection:
            read_response(connection)
        self.assertEqual(Path(path).read_text(), f"{proxy.process.pid}\n")
        proxy.process.terminate()
        self.assertEqual(proxy.wait(), 0)
        self.assertFalse(Path(path).exists())

    @unittest.skipIf(NEEDS_DESCRIPTORS, "UBSan needs descriptors")
    def test_out_of_descriptors_accepting_pauses_and_recovers(self):
        proxy = self.start(files=48)
        connections = [proxy.get("/slow") for _ in range(60)]  # more than there are descriptors
        with contextlib.suppress(queue.Empty):
            while True:  # those that got through
                self.origin.answer(self.origin.waiting.get(timeout=0.3))
        served = []
        for connection in connections:
            connection.settimeout(0.01)
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                served.append(connection.recv(12))
        for connection in connections:
            connection.close()
        # Afterwards it serves as before.
        for _ in range(20):
            with proxy.get() as connection:
                self.assertTrue(read_response(connection)[0].startswith("HTTP/1.1 200"))
        self.assertIsNone(proxy.process.poll())
        lines = [line for line in proxy.error_text().splitlines() if "accepting pauses" in line]
        self.assertEqual(len(lines), 1, proxy.error_text())
        self.assertIn("Too many open files", lines[0])
        self.assertIn("127.0.0.1:", lines[0])

    def test_the_access_log_has_a_line_for_each_request(self):
        proxy = self.start("--access-log")
        with proxy.get() as connection:
            client = "%s:%d" % connection.getsockname()
            read_response(connection)
        with proxy.connect() as connection:
            refused = "%s:%d" % connection.getsockname()
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            read_response(connection)
        proxy.process.terminate()
        output = proxy.process.communicate(timeout=TIMEOUT)[0].decode()
        self.assertIn(f'{client} "GET /" 200 2\n', output)
        self.assertIn(f'{refused} "GET /" 400 0', output)
        self.assertEqual(output.count("\n"), 2)


class MistakesTest(unittest.TestCase):
    """First mistakes: one line that says what and where, and exit code 1."""

    def run_program(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        return done.returncode, done.stdout, done.stderr

    def expect(self, line, *arguments):
        with self.subTest(arguments):
            code, output, errors = self.run_program(*arguments)
            self.assertEqual(errors, f"pingora-proxy: {line}\n")
            self.assertEqual((code, output), (1, ""))

    LISTEN = ("--listen", "127.0.0.1:1")
    UPSTREAM = ("--upstream", "127.0.0.1:2")

    def test_the_command_line(self):
        self.expect("--listen is missing; see --help", *self.UPSTREAM)
        self.expect("--upstream is missing; see --help", *self.LISTEN)
        self.expect("cannot listen on 'nowhere': no address (such as 127.0.0.1:6188, [::1]:6188)",
                    "--listen", "nowhere", *self.UPSTREAM)
        self.expect("--upgrade: not supported yet", "-u", *self.LISTEN, *self.UPSTREAM)
        self.expect("daemon: not supported yet", "-d", *self.LISTEN, *self.UPSTREAM)
        code, _, errors = self.run_program("--lisen", "x")
        self.assertEqual(code, 1)
        self.assertIn("--lisen", errors)
        self.assertEqual(errors.count("\n"), 1)
        code, _, errors = self.run_program(*self.LISTEN, "--upstream", "host:port")
        self.assertEqual(code, 1)
        self.assertTrue(errors.startswith("pingora-proxy: --upstream: "), errors)
        self.assertEqual(errors.count("\n"), 1)
        code, output, errors = self.run_program("--help")
        self.assertEqual((code, errors), (0, ""))
        self.assertIn("--no-work-stealing", output)

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.expect(f"cannot listen on 127.0.0.1:{port}: Address already in use",
                        "--listen", f"127.0.0.1:{port}", *self.UPSTREAM)

    def test_the_configuration(self):
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "conf.yaml")
            options = ("-c", path, *self.LISTEN, *self.UPSTREAM)
            self.expect(f"{path}: cannot open: No such file or directory", *options)
            for text, line in (
                    ("threads: 2\nthraeds: 3\n", "2: unknown key 'thraeds'"),
                    ("threads: many\n", "1: threads: expected an integer, found 'many'"),
                    ("threads: 0\n", "1: threads: 0 is out of range (1 to 1024)"),
            ):
                Path(path).write_text(text)
                self.expect(f"{path}:{line}", *options)
                self.expect(f"{path}:{line}", "-t", *options)
            Path(path).write_text("daemon: true\n")
            self.expect("daemon: not supported yet", *options)

    def test_only_checking(self):
        self.assertEqual(self.run_program("-t", *self.LISTEN, *self.UPSTREAM), (0, "", ""))
        with socket.create_server(("127.0.0.1", 0)) as taken:  # nothing is bound
            port = taken.getsockname()[1]
            self.assertEqual(
                self.run_program("-t", "--listen", f"127.0.0.1:{port}", *self.UPSTREAM), (0, "", ""))


if __name__ == "__main__":
    unittest.main()
