"""The plan of `power` as text."""

from __future__ import annotations

from typing import Protocol

from harness.core.words import plural
from harness.report.model.needs import Need, Needs
from harness.report.text.counts import counted
from harness.report.text.numbers import detectable, percent, points
from harness.stats.pairwise import LEAST_SEEDS


def needs_text(needs: Needs, task: str) -> str:
    """A line for the family, and two for every undecided pair."""
    head = (
        f"{task}: {len(needs.of)} of {plural(needs.compared, 'comparison')} undecided (family: "
        f"{needs.family}, m = {needs.m}; each is tested at 0.05/m). What they need for a power of "
        f"{percent(needs.power)}:"
    )
    if not needs.of:
        return f"{task}: no comparison is undecided ({needs.compared} in the family)."
    return "\n".join([head, *(line for need in needs.of for line in _lines(need))])


def _lines(n: Need) -> list[str]:
    where = "" if n.column.label == "all" else f"{n.column}: "
    size = f"{plural(n.seeds, 'seed')}, {plural(n.items, 'item')} in {plural(n.groups, 'group')}"
    first = f"  {where}{n.a} minus {n.b}: {points(n.difference, 1, sign=True)} points ({size})"
    if n.why:
        return [first, f"    {n.why}"]
    now = "no test today" if n.power is None else f"power today {percent(n.power)}"
    return [first, f"    to find {points(n.target, 1)}: {seeds_text(n)}; {_items(n)}; {now}"]


class SeedsNeed(Protocol):
    """What `seeds_text` reads of a plan."""

    @property
    def random_seeds(self) -> bool: ...
    @property
    def seeds(self) -> int: ...
    @property
    def seeds_needed(self) -> int | None: ...
    @property
    def floor(self) -> float | None: ...
    @property
    def seconds(self) -> float | None: ...


def seeds_text(n: SeedsNeed) -> str:
    """How many seeds, how many more than today, and what they cost."""
    if not n.random_seeds:
        return "seeds change nothing, as both rows are deterministic"
    if n.seeds_needed is None:
        return f"no number of seeds is enough (infinitely many find {detectable(n.floor, 1)})"
    if n.seeds_needed <= n.seeds:
        return "the seeds of today are enough"
    more = n.seeds_needed - n.seeds
    cost = "" if n.seconds is None else f", about {n.seconds:.0f} s"
    return f"{counted([n.seeds_needed], 'seed')} ({more:,} more{cost})"


def _items(n: Need) -> str:
    if n.groups_needed is None or n.items_needed is None:
        return f"no number of items is enough{_with_seeds(n)}"
    if n.groups_needed <= n.groups:
        return f"the items of today are enough{_with_seeds(n)}"
    items, groups = counted([n.items_needed], "item"), counted([n.groups_needed], "group")
    return f"or {items} in {groups}{_with_seeds(n)}"


def _with_seeds(n: Need) -> str:
    return f" with {max(n.seeds, LEAST_SEEDS)} seeds" if n.random_seeds else ""
