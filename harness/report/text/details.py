"""What a reader sees who points at an entry of the leaderboard: its numbers in words."""

from __future__ import annotations

from harness.core.words import plural
from harness.report.model.entry import ABSENT, INFEASIBLE, Entry
from harness.report.model.mean_table import mean_table, mean_titles
from harness.report.model.table import Table
from harness.report.text.numbers import points
from harness.report.text.precision import table_digits
from harness.report.text.status import status_of

#: Of a reason for which there is no number, in characters.
_MOST = 200


def details(table: Table) -> list[list[str]]:
    """Plain text for every row and column of the leaderboard, those of means included."""
    digits, means = table_digits(table), mean_table(table)
    places = [(table, label, label) for label in table.labels]
    if means is not None:
        pairs = zip(means.labels, mean_titles(table), strict=True)
        places += [(means, label, title) for label, title in pairs]
    return [
        [f"{row}, {title}: {_detail(of, row, label, digits)}" for of, label, title in places]
        for row in table.rows
    ]


def _detail(table: Table, row: str, label: str, digits: int) -> str:
    columns = table.of_label(label)
    entries = [table.entries[row, c] for c in columns]
    summary = table.summary(row, label)
    if summary is None:
        return _without_number(entries)
    mean, low, high = summary
    text = f"mean {points(mean, digits)} points"
    if len(columns) > 1:
        ends = f", lowest {points(low or 0.0, digits)}, highest {points(high or 0.0, digits)}"
        return f"{text} over {plural(len(columns), 'class draw')}{ends}."
    if low is not None and high is not None:
        # Where seeds were added under a sequential rule, it is wider than 95%.
        covered = f"{100 * (1 - entries[0].level):.4g}%"
        text += f", {covered} interval from {points(low, digits)} to {points(high, digits)}"
    (column,) = columns
    parts = [text, _size(entries[0])]
    if (row, column) in table.ranks:
        parts.append(_rank(*table.ranks[row, column], len(table.rows)))
    if (row, column) in table.bold:
        parts.append("not significantly worse than the best row of the column")
    if mark := table.verdicts.marks.get((row, column)):
        parts.append(f"significantly {'above' if mark > 0 else 'below'} {table.reference}")
    return "; ".join(part for part in parts if part) + "."


def _size(entry: Entry) -> str:
    estimate = entry.estimate
    if estimate is None:
        return ""
    deterministic = entry.outcomes is not None and entry.outcomes.seeds == (None,)
    runs = "1 run (deterministic)" if deterministic else plural(entry.seeds_done, "seed")
    return f"{runs}, {plural(estimate.items, 'test item')} in {plural(estimate.groups, 'group')}"


def _rank(first: int, last: int, rows: int) -> str:
    place = f"rank {first}" if first == last else f"a rank between {first} and {last}"
    return f"{place} of {plural(rows, 'row')}"


def _without_number(entries: list[Entry]) -> str:
    statuses = {e.status for e in entries}
    if statuses <= {INFEASIBLE, ABSENT}:
        what = INFEASIBLE if INFEASIBLE in statuses else "not part of the grid"
    else:
        what = status_of(entries)
    reasons = "; ".join(dict.fromkeys(reason for e in entries for reason in e.reasons))
    text = f"{what}: {reasons}" if reasons else what
    return f"{text}." if len(text) <= _MOST else f"{text[:_MOST]} ..."
