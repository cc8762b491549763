"""What a page says of numbers whose seeds were added under a sequential rule."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.looks import LookRule
from harness.core.settled import rules_of
from harness.core.words import plural
from harness.report.model.entry import Entry
from harness.report.model.table import Table
from harness.report.text.numbers import span
from harness.report.text.prose import escape, listing
from harness.stats.holm import ALPHA


def sequential_caption(table: Table) -> str:
    """The rules of the Records, and the level of every column; nothing without a rule."""
    ruled = [e for e in table.entries.values() if e.level < ALPHA]
    rules = rules_of([record for e in ruled for record in e.records])
    if not rules:
        return ""
    parts = [_rule(rule) for rule in rules]
    if len(rules) > 1:
        parts.append("The most cautious of these rules counts.")
    parts.append(
        f"p is the smallest, over the looks so far, of p times {ALPHA}/level, before Holm's "
        "correction: it counts every look. Intervals, also in figures, are wider than their "
        f"heading says: {listing(_levels(table))}. Means and differences are those of all seeds."
    )
    declared = table.task.seed_list()
    if any(seed not in declared for e in ruled if e.outcomes for seed in e.outcomes.seeds):
        parts.append(f"The task declares {plural(len(declared), 'seed')}; the others were added.")
    return " ".join(parts)


def _rule(rule: LookRule) -> str:
    sizes = listing([str(size) for size in rule.sizes])
    levels = listing([f"{level:.2g}" for level in rule.levels])
    return (
        "Sequential: seeds were added where pairs were undecided (`grid --settle`; rule: "
        f"{escape(rule.name)}), with looks at {sizes} seeds at the levels {levels}, together "
        f"{sum(rule.levels):.2g}."
    )


def _levels(table: Table) -> list[str]:
    """`99.9% at 5 seeds (1 shot)`, a part for every level."""
    columns: dict[float, list[str]] = {}
    seeds: dict[float, list[Entry]] = {}
    for (_, column), entry in table.entries.items():
        if entry.level < ALPHA:
            columns.setdefault(entry.level, []).append(str(column))
            seeds.setdefault(entry.level, []).append(entry)
    return [
        f"{100 * (1 - level):.4g}% at {_seeds(seeds[level])} seeds{_where(columns[level])}"
        for level in sorted(columns)
    ]


def _seeds(entries: Sequence[Entry]) -> str:
    return span(e.seeds_done for e in entries)


def _where(labels: Sequence[str]) -> str:
    named = list(dict.fromkeys(labels))
    return "" if named == ["all"] else f" ({escape(listing(named))})"
