# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""Budgets: what our own figures are to reach, from benchmarks/budgets.json."""

import json
from dataclasses import dataclass

from bench import BENCHMARKS


@dataclass
class Verdict:
    """One budget against one run. It has an upper or a lower bound."""

    what: str
    value: float | None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def kept(self):
        # A ratio is kept at the precision it is shown with.
        if self.value is None:
            return False
        if self.at_most is None:
            return round(self.value, 2) >= self.at_least
        return round(self.value, 2) <= self.at_most

    @property
    def bound(self):
        """For people: "at most 0.65"."""
        if self.at_most is None:
            return f"at least {self.at_least:>4,g}"
        return f"at most {self.at_most:>5,g}"


def judge(results):
    """A verdict for each budget whose scenario ran; `results` is {scenario: Result}."""
    verdicts = []
    for budget in json.loads((BENCHMARKS / "budgets.json").read_text())["budgets"]:
        if budget["scenario"] in results:
            value = _value(results[budget["scenario"]], budget)
            verdicts.append(Verdict(budget["what"], value, budget.get("at_most"),
                                    budget.get("at_least")))
    return verdicts


def _value(result, budget):
    ours = _median(result, budget.get("contender", "pingora_cpp"), budget["metric"])
    if ours is None:
        return None
    if "ratio_to" in budget:
        theirs = _median(result, budget["ratio_to"], budget["metric"])
        return ours / theirs if theirs else None
    if "ratio_to_best_of" in budget:
        medians = (_median(result, name, budget["metric"]) for name in budget["ratio_to_best_of"])
        best = min(filter(None, medians), default=None)
        return ours / best if best else None
    if "difference_to" in budget:
        theirs = _median(result, budget["difference_to"], budget["metric"])
        return None if theirs is None else ours - theirs
    return ours


def _median(result, contender, metric):
    row = result.rows.get(contender)
    return row.median(metric) if row else None
