# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
"""What the terminal shows: a table per scenario and the verdicts on the budgets."""

from results import Result

OURS = "pingora_cpp"


def print_result(result: Result):
    """The table of a scenario: medians, with (min-max) over the rounds."""
    print(f"\n{result.scenario}: {result.note}")
    primary = result.metrics[0] if result.metrics else None
    ours = result.rows[OURS].median(primary.key) if primary and OURS in result.rows else None
    lines = [["", *(metric.heading for metric in result.metrics), "ours/this", "errors"]]
    notes = []
    for contender, row in result.rows.items():
        if row.skipped:
            notes.append(f"  {contender}: {row.skipped}")
            continue
        theirs = row.median(primary.key) if primary else None
        ratio = f"{ours / theirs:.2f}" if ours is not None and theirs else "-"
        lines.append([contender, *(_cell(row, metric) for metric in result.metrics), ratio,
                      str(row.errors)])
        notes += [f"  {contender}: {failure}" for failure in row.failures]
        if row.failed_rounds:
            notes.append(f"  {contender}: {row.failed_rounds} round(s) had errors and do not count")
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        cells = [line[0].ljust(widths[0])] + [cell.rjust(width)
                                              for cell, width in zip(line[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())
    print(*notes, sep="\n", end="\n" if notes else "", flush=True)


def _cell(row, metric):
    values = row.values(metric.key)
    if not values:
        return "-"
    text = f"{row.median(metric.key):,.{metric.digits}f}"
    if len(values) > 1:
        text += f" ({min(values):,.{metric.digits}f}-{max(values):,.{metric.digits}f})"
    return text


def print_verdicts(verdicts):
    """One line per budget."""
    if verdicts:
        print("\nBudgets")
    for verdict in verdicts:
        word = "none" if verdict.value is None else "PASS" if verdict.kept else "FAIL"
        value = "no figure" if verdict.value is None else f"{verdict.value:,.2f}"
        print(f"  {word}  {value:>9}  {verdict.bound}  {verdict.what}")
