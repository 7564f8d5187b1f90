# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what the harness makes of figures; they measure nothing."""

import json
import socket
import tempfile
import threading
import unittest
from pathlib import Path

import budgets
from bench import BENCHMARKS, render
from h2 import parse_h2load
from origin import Origin
from processes import free_ports
from results import Metric, Result
from scenarios import ALL
from scenarios.idle import hold

CPU = Metric("cpu_us_per_request", "CPU")


def h1_128(ours, nginx):
    """A result with these samples of the two."""
    result = Result("h1_128", "", [CPU])
    for contender, samples in {"pingora_cpp": ours, "nginx": nginx}.items():
        for sample in samples:
            result.row(contender).add({CPU.key: sample}, 0)
    return result


H2LOAD = """finished in 1.03s, {done}.00 req/s, 393.97KB/s
requests: {done} total, 2312 started, {done} done, 2056 succeeded, 0 failed, 0 errored, {late} timeout
status codes: 2057 2xx, 0 3xx, 0 4xx, {bad} 5xx
traffic: 393.97KB (403427) total, 100.44KB (102850) headers (space savings 50.00%), 257.00KB (263168) data
"""


class H2loadTest(unittest.TestCase):
    def test_what_is_done_counts(self):
        load = parse_h2load(H2LOAD.format(done=2056, late=0, bad=0))
        self.assertEqual((load.requests, load.seconds, load.bytes, load.errors),
                         (2056, 1.03, 263168, 0))

    def test_every_kind_of_error_counts(self):
        load = parse_h2load(H2LOAD.format(done=2057, late=2, bad=3))
        self.assertEqual(load.errors, 6)

    def test_no_report_is_an_error(self):
        self.assertEqual(parse_h2load("").errors, 1)


class ResultTest(unittest.TestCase):
    def test_a_figure_is_the_median_of_the_rounds(self):
        figures = h1_128([5, 3, 4], [8]).as_json()
        self.assertEqual(figures["pingora_cpp"][CPU.key], 4)
        self.assertEqual(figures["pingora_cpp"]["spread"][CPU.key], [3, 5])

    def test_a_round_with_an_error_is_no_result(self):
        result = h1_128([4], [8])
        result.row("pingora_cpp").add({CPU.key: 1}, 2)
        self.assertFalse(result.clean)
        self.assertEqual(result.as_json()["pingora_cpp"][CPU.key], 4)
        self.assertEqual(result.as_json()["pingora_cpp"]["errors"], 2)

    def test_a_contender_that_is_not_here_is_no_failure_and_no_figure(self):
        result = h1_128([4], [])
        result.row("haproxy").skipped = "not installed"
        self.assertTrue(result.clean)
        self.assertNotIn("haproxy", result.as_json())


class BudgetTest(unittest.TestCase):
    def verdict(self, result):
        return next(verdict for verdict in budgets.judge({"h1_128": result})
                    if verdict.what == "h1_128 CPU per request against nginx")

    def test_the_best_of_several_is_the_one_that_counts(self):
        result = h1_128([6], [10])
        result.row("haproxy").add({CPU.key: 8}, 0)
        budget = {"metric": CPU.key, "ratio_to_best_of": ["nginx", "haproxy", "h2o"]}
        self.assertEqual(budgets._value(result, budget), 0.75)

    def test_a_ratio_at_its_budget_is_kept(self):
        self.assertTrue(self.verdict(h1_128([6.5], [10])).kept)

    def test_a_ratio_above_its_budget_is_not(self):
        self.assertFalse(self.verdict(h1_128([6.6], [10])).kept)

    def test_a_missing_figure_keeps_no_budget(self):
        verdict = self.verdict(h1_128([], [10]))
        self.assertIsNone(verdict.value)
        self.assertFalse(verdict.kept)

    def test_a_budget_may_be_a_lower_bound(self):
        self.assertTrue(budgets.Verdict("", 99, at_least=99).kept)
        self.assertFalse(budgets.Verdict("", 98.9, at_least=99).kept)

    def test_every_budget_is_of_a_scenario(self):
        for budget in json.loads((BENCHMARKS / "budgets.json").read_text())["budgets"]:
            self.assertIn(budget["scenario"], ALL)


class PiecesTest(unittest.TestCase):
    def test_a_template_is_left_with_no_placeholder_of_those_given(self):
        with tempfile.TemporaryDirectory() as folder:
            template = Path(folder, "in")
            template.write_text("listen @PORT@; # @PORT@ $host")
            rendered = render(template, Path(folder, "out"), PORT=80)
            self.assertEqual(rendered.read_text(), "listen 80; # 80 $host")

    def test_ports_are_distinct(self):
        self.assertEqual(len(set(free_ports(20))), 20)

    def test_the_origin_counts_connections_of_one_port(self):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "log")
            log.write_text("81 1 .\n81 2 r\n82 1 r\n81 1 r\n")
            origin = Origin([], [81, 82], log)
            self.assertEqual(origin.connections_and_requests(81), (2, 3))
            self.assertEqual(origin.resumed_connections(81), 1)

    def test_a_connection_that_the_proxy_closes_while_idle_is_an_error(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            def answer_and_close():
                peer, _ = server.accept()
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 128\r\n\r\n" + b"x" * 128)
                peer.close()
            thread = threading.Thread(target=answer_and_close)
            thread.start()
            self.assertEqual(hold(server.getsockname()[1], 1, lambda: "seen"), ("seen", 1))
            thread.join()


if __name__ == "__main__":
    unittest.main()
