# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""What a scenario found: samples per contender, and their medians."""

from dataclasses import dataclass, field
from statistics import median


@dataclass
class Metric:
    """One column: its key in the JSON file, its heading, and how many digits it is shown with."""

    key: str
    heading: str
    digits: int = 2


@dataclass
class Row:
    """One contender: a sample (metric key -> value) per round that had no error."""

    samples: list = field(default_factory=list)
    errors: int = 0
    failed_rounds: int = 0
    failures: list = field(default_factory=list)
    skipped: str = ""

    def add(self, sample, errors):
        """Takes a round's sample, unless an error in it makes it no result."""
        self.errors += errors
        if errors:
            self.failed_rounds += 1
        else:
            self.samples.append(sample)

    def fail(self, message):
        """Notes that a round, or the start, failed for a reason other than errors counted in it."""
        self.errors += 1
        self.failed_rounds += 1
        self.failures.append(message)

    def median(self, key):
        """Median over the rounds, or None without one."""
        values = self.values(key)
        return median(values) if values else None

    def values(self, key):
        return [sample[key] for sample in self.samples if sample.get(key) is not None]


@dataclass
class Result:
    """A scenario's outcome. The first metric is the one that ratios are of."""

    scenario: str
    note: str
    metrics: list
    rows: dict = field(default_factory=dict)

    def row(self, contender):
        return self.rows.setdefault(contender, Row())

    def as_json(self):
        """Medians, as `benchmarks/README.md` describes the file."""
        out = {}
        for contender, row in self.rows.items():
            if row.skipped:
                continue
            entry = {metric.key: row.median(metric.key) for metric in self.metrics}
            entry["errors"] = row.errors
            entry["rounds"] = len(row.samples)
            entry["spread"] = {metric.key: [min(values), max(values)] for metric in self.metrics
                               if (values := row.values(metric.key))}
            out[contender] = entry
        return out

    @property
    def clean(self):
        """Whether every contender that ran did so without an error."""
        return all(not row.failed_rounds for row in self.rows.values())
