# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""The driver of benchmarks/run.sh: runs scenarios, prints tables, writes the JSON file."""

import argparse
import json
import signal
import sys
from pathlib import Path

from bench import ROOT, Bench, usable_core
from budgets import judge
from processes import Processes, StartError, raise_open_files_limit
from report import print_result, print_verdicts
from results import Result
from scenarios import ALL


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="benchmarks/run.sh", description="Our proxy beside nginx, HAProxy and Pingora (Rust).")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO",
                        help="any of: " + " ".join(ALL) + " (default: all)")
    parser.add_argument("--rounds", type=int, help="times that every proxy is measured (default 3)")
    parser.add_argument("--seconds", type=float, help="length of one measurement (default 3)")
    parser.add_argument("--quick", action="store_true", help="one round of one second")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--only", help="contenders to run, separated by commas (default: all)")
    parser.add_argument("--core", type=int, help="the core of the single-core regime")
    parser.add_argument("--binaries", type=Path, default=ROOT / "build/release/bin",
                        help="folder of our own programs")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a budget is missed")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.scenarios if name not in ALL]
    if unknown:
        parser.error(f"no scenario {', '.join(unknown)}; there are {', '.join(ALL)}")
    return arguments


def run(bench: Bench, name):
    """One scenario, whose processes have ended when it returns."""
    with Processes() as processes:
        bench.processes = processes
        try:
            return ALL[name](bench)
        except StartError as failure:
            result = Result(name, "did not run", [])
            result.row("harness").fail(str(failure))
            return result


def main():
    arguments = parse_arguments()
    # So that `with` blocks end what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    raise_open_files_limit()
    work = ROOT / "build/bench"
    bench = Bench(
        rounds=arguments.rounds or (1 if arguments.quick else 3),
        seconds=arguments.seconds or (1 if arguments.quick else 3), warmup=1,
        core=usable_core() if arguments.core is None else arguments.core,
        work=work, binaries=arguments.binaries.resolve(),
        contenders=set(arguments.only.split(",")) if arguments.only else None, processes=None)
    results = {}
    for name in arguments.scenarios or ALL:
        results[name] = run(bench, name)
        print_result(results[name])
        if arguments.json:
            figures = {key: result.as_json() for key, result in results.items()}
            arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    verdicts = judge(results)
    print_verdicts(verdicts)
    clean = all(result.clean for result in results.values())
    if not clean:
        print("\nSome rounds had errors: those are no result.", file=sys.stderr)
    missed = arguments.gate and not all(verdict.kept for verdict in verdicts)
    return 0 if clean and not missed else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
