# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs contenders in turn: all are started, then each round measures one after the other."""

import http.client
import subprocess
from dataclasses import dataclass

from bench import Bench
from peers import Job, Unavailable, start_proxy
from processes import StartError
from results import Result
from tls import client_context


@dataclass
class Contender:
    """A row of the table: a proxy with a job to do."""

    name: str
    peer: str
    job: Job


def floor(job, suffix=""):
    """What a request costs the machine at the least: a relay that does nothing else."""
    return Contender("relay" + suffix, "relay", job)


class WrongAnswer(Exception):
    """A proxy did not pass on what the origin has."""


def standard_contenders(job):
    """Every proxy with the same job."""
    return [Contender(name, name, job) for name in
            ("pingora_cpp", "nginx", "haproxy", "pingora_rust")]


def start_contenders(bench: Bench, result: Result, contenders):
    """Starts those that exist here: [(contender, proxy)]. Notes why others are absent."""
    started = []
    for contender in contenders:
        if not bench.wants(contender.name):
            continue
        row = result.row(contender.name)
        try:
            proxy = start_proxy(bench, contender.name, contender.peer, contender.job)
            started.append((contender, proxy))
        except Unavailable as missing:
            row.skipped = str(missing)
        except StartError as failure:
            row.fail(str(failure))
    return started


def run_rounds(bench: Bench, result: Result, contenders, measure, check):
    """Alternates the contenders. `check(proxy)` raises WrongAnswer, `measure(proxy)` gives a sample
    and its number of errors."""
    started = start_contenders(bench, result, contenders)
    healthy = []
    for contender, proxy in started:
        try:
            check(proxy)
            healthy.append((contender, proxy))
        except (WrongAnswer, OSError, http.client.HTTPException) as failure:
            result.row(contender.name).fail(f"wrong answer: {failure}")
    for number in range(bench.rounds):
        # Each round begins with another contender, so that none is always first.
        turn = number % max(1, len(healthy))
        for contender, proxy in healthy[turn:] + healthy[:turn]:
            try:
                result.row(contender.name).add(*measure(proxy))
            except (OSError, subprocess.SubprocessError) as failure:
                # Say, a proxy that is no longer there.
                result.row(contender.name).fail(f"round {number + 1}: {failure}")
    for _, proxy in started:
        bench.processes.end(proxy.process)
    return result


def expect_body(proxy, path, length, headers=None):
    """Raises WrongAnswer unless a GET gives a 200 with a body of that length; returns the fields
    of its head."""
    if proxy.is_tls:
        connection = http.client.HTTPSConnection("127.0.0.1", proxy.port, timeout=10,
                                                 context=client_context())
    else:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        body = response.read()
        if response.status != 200 or len(body) != length:
            raise WrongAnswer(f"{path}: status {response.status}, {len(body)} bytes")
        return response.headers
    finally:
        connection.close()
