"""The plan of `power` for means over data sets, as text."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.words import plural
from harness.report.model.mean_rows import NEW
from harness.report.model.needs_of_means import MeanNeed
from harness.report.text.needs import seeds_text
from harness.report.text.numbers import percent, points
from harness.stats.pairwise import LEAST_SEEDS


def needs_of_means_text(needs: Sequence[MeanNeed]) -> str:
    """Two lines for every undecided pair of means."""
    if not needs:
        return "means over data sets: no comparison is undecided"
    over = (
        "the data sets are the sample, so only more data sets help"
        if needs[0].kind == NEW
        else "these data sets, with more seeds or items"
    )
    head = f"means over data sets: {plural(len(needs), 'comparison')} undecided ({over}):"
    return "\n".join([head, *(line for need in needs for line in _lines(need))])


def _lines(n: MeanNeed) -> list[str]:
    first = (
        f"  {n.title}: {n.a} minus {n.b}: {points(n.difference, 1, sign=True)} points "
        f"({plural(n.seeds, 'seed')})"
    )
    if n.why:
        return [first, f"    {n.why}"]
    find = f"    to find {points(n.target, 1)}: "
    if n.kind == NEW:
        return [first, find + _units(n)]
    now = "no test today" if n.power is None else f"power today {percent(n.power)}"
    return [first, f"{find}{seeds_text(n)}; {_items(n)}; {now}"]


def _units(n: MeanNeed) -> str:
    kind = n.noun.partition(" of ")[0]
    if n.units_needed is None:
        return f"no number of {kind} is enough"
    if n.units_needed <= n.units:
        return f"the {kind} of today are enough"
    return f"{n.units_needed:,} {kind} that differ as these do ({n.units_needed - n.units:,} more)"


def _items(n: MeanNeed) -> str:
    seeds = f" with {max(n.seeds, LEAST_SEEDS)} seeds" if n.random_seeds else ""
    if n.items_factor is None:
        return f"no number of items is enough{seeds}"
    if n.items_factor <= 1:
        return f"the items of today are enough{seeds}"
    return f"or {n.items_factor:.1f} times the items of every data set{seeds}"
