"""The progress of `grid --settle` in words, and as settle.json keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.core.looks import LookRule
from harness.core.settled import ColumnLook
from harness.core.words import plural
from harness.report.model.contrasts import ColumnContrast
from harness.report.model.settling import BUDGET, ITEMS, NOTHING, SEEDS, Undecided, Verdict
from harness.report.text.numbers import equals
from harness.report.text.prose import listing

#: Of more undecided pairs of a column the first few are named.
_MOST_NAMED = 6


def outcome_of(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """What a look decided, for settle.json."""
    return {
        "decided": [_pair(v, c) for v in verdicts for c in v.decided],
        "undecided": [
            _pair(v, u.pair)
            | {"by": u.by, "seeds_needed": u.seeds_needed, "items_needed": u.items_needed}
            for v in verdicts
            for u in v.undecided
        ],
    }


def _pair(v: Verdict, c: ColumnContrast) -> dict[str, Any]:
    label = c.column.label if v.units is None else v.name
    return {"column": label, "draw": c.column.draw, "a": c.contrast.a, "b": c.contrast.b,
            "p_adjusted": c.contrast.p_adjusted}  # fmt: skip


def look_line(columns: Sequence[ColumnLook], rule: LookRule, number: int, cells: int) -> str:
    """What a look runs, before it runs."""
    sizes = listing([str(n) for n in sorted({rule.sizes[c.look] for c in columns})])
    levels = listing([f"{v:.2g}" for v in dict.fromkeys(rule.levels[c.look] for c in columns)])
    names = [c.name for c in columns if c.name != "all"]
    where = f" in {listing(names)}" if names else ""
    return (
        f"look {number}: {sizes} seeds of every row{where}, at level {levels} of "
        f"{sum(rule.levels):.2g}; {plural(cells, 'cell')} to run"
    )


def verdict_lines(verdicts: Sequence[Verdict], number: int) -> list[str]:
    """What a look decided: a line for all columns, and one for each with undecided pairs; means
    over data sets are columns too.
    """
    decided = sum(len(v.decided) for v in verdicts)
    pairs = decided + sum(len(v.undecided) for v in verdicts)
    lines = [f"look {number}: {decided} of {plural(pairs, 'pair')} decided"]
    for v in verdicts:
        if v.undecided:
            where = f"{v.name}: " if v.name else ""
            named = [_undecided(u) for u in v.undecided[:_MOST_NAMED]]
            if more := len(v.undecided) - len(named):
                named.append(f"{more} more")
            lines.append(f"  {where}undecided: {listing(named)}")
    return lines


def _undecided(u: Undecided) -> str:
    c = u.pair.contrast
    p = "no p" if c.p_adjusted is None else f"p {equals(c.p_adjusted)}"
    return f"{c.a} minus {c.b} ({p}; {_what_decides(u)})"


def _what_decides(u: Undecided) -> str:
    if u.by == SEEDS:
        return "seeds may decide"
    if u.pair.contrast.difference == 0:
        return "the means are equal"
    if u.by == BUDGET:
        return f"about {u.seeds_needed:,} seeds would do"
    if u.by == ITEMS:
        return f"the items decide: about {u.items_needed:,} would do"
    return "no number of seeds or of items would do"


def end_line(verdicts: Sequence[Verdict], rule: LookRule) -> str:
    """Why no more seeds are added."""
    undecided = [u for v in verdicts for u in v.undecided]
    if not undecided:
        return "settled: every pair is decided"
    said = {
        SEEDS: "more seeds",
        BUDGET: f"more than {rule.sizes[-1]} seeds",
        ITEMS: "more test items",
        NOTHING: "more of both",
    }
    counts = {text: sum(u.by == by for u in undecided) for by, text in said.items()}
    needs = listing([f"{text} ({count})" for text, count in counts.items() if count])
    return f"settled: {plural(len(undecided), 'pair')} undecided; needed: {needs}"
