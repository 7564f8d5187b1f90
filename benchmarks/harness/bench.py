# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Everything one run of the benchmarks shares: folders, options, the processes it owns."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from processes import Processes

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
BODY_128 = "x" * 128


@dataclass
class Bench:
    """One run. `seconds` is the length of one measurement, `warmup` of what goes before it."""

    rounds: int
    seconds: float
    warmup: float
    core: int
    work: Path
    binaries: Path
    contenders: set | None
    processes: Processes

    def folder(self, name):
        """A fresh folder of this run."""
        path = self.work / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def wants(self, contender):
        """Whether the command line asks for this contender (by default it asks for all)."""
        return self.contenders is None or contender in self.contenders


def usable_core():
    """The core of the single-core regime: the last one, where interrupts are rarest."""
    return max(os.sched_getaffinity(0))


def render(template: Path, target: Path, **values):
    """Writes `template` to `target` with every @NAME@ replaced."""
    text = template.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    target.write_text(text)
    return target


def compiled(source: Path, work: Path, *flags):
    """A helper program or library of the harness, compiled when its source is newer."""
    compilers = {".cc": ["clang++-19", "c++"], ".c": ["clang-19", "cc"]}[source.suffix]
    compiler = next(filter(shutil.which, compilers), compilers[-1])
    target = work / (source.stem + (".so" if "-shared" in flags else ""))
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        work.mkdir(parents=True, exist_ok=True)
        command = [compiler, "-O2", "-Wall", *flags, "-o", str(target), str(source)]
        subprocess.run(command, check=True)
    return target
