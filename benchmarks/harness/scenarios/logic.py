# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""logic: a proxy with some work to do on every request, beside the same rules in the peers."""

from bench import Bench
from origin import start_origin
from peers import Job
from results import Result
from rounds import Contender, WrongAnswer, expect_body, floor, run_rounds
from scenarios.plain_get import CPU, P99, RATE, cpu_sample

UPSTREAMS = 4
FIELDS = {"X-User": "alice", "X-Tenant": "north", "X-Internal": "secret", "User-Agent": "bench"}


def logic(bench: Bench):
    """Reads three request fields, sets two, removes one, picks one of four upstreams by a hash of a
    field and adds a response field. Our plain proxy and the relay, which have no rules, run too,
    under the same load."""
    result = Result("logic", "kept-alive GET, 128-byte response, with rules on every request; "
                    f"one core; {bench.rounds} x {bench.seconds:g} s", [CPU, RATE, P99])
    origin = start_origin(bench, bench.core, ports=UPSTREAMS)
    rules = Job("logic", origin.ports, core=bench.core)
    plain = Job("plain", origin.ports, core=bench.core)
    contenders = [Contender("pingora_cpp", "pingora_cpp", rules),
                  Contender("pingora_cpp_plain", "pingora_cpp", plain),
                  Contender("nginx", "nginx", rules), Contender("haproxy", "haproxy", rules),
                  floor(plain)]
    headers = tuple(f"{name}: {value}" for name, value in FIELDS.items())

    def check(proxy):
        fields = expect_body(proxy, "/", 128, FIELDS)
        has_rules = proxy.name not in ("pingora_cpp_plain", "relay")
        if has_rules and fields["X-Served-By"] != "bench":
            raise WrongAnswer("the response has no X-Served-By: bench")

    return run_rounds(bench, result, contenders,
                      lambda proxy: cpu_sample(bench, proxy, "/", 128, headers), check)
