"""Contrasts of Records that were gathered under a sequential rule: see harness/stats/sequential.py.

Every look is computed anew from the outcomes on its seeds, by whatever test the contrast has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from harness.core.looks import LookRule
from harness.core.outcomes import Contrast, Outcomes
from harness.core.settled import rules_of
from harness.report.model.entry import Entry
from harness.stats.sequential import Seeds, common_seeds, on_seeds, sequential

#: An entry on the seeds of a look.
Cut = Callable[[Entry], Entry]


def in_looks(
    contrasts: Sequence[Contrast],
    entries: Callable[[str], Collection[Entry]],
    again: Callable[[Cut], Iterable[Contrast]],
) -> tuple[Contrast, ...]:
    """The contrasts with the p and the interval of the rules of their Records, where they have any.

    `entries` has those of a row; `again` makes the contrasts of the same rows from entries that
    were cut to the seeds of a look.
    """
    of_rows = {row: entries(row) for c in contrasts for row in (c.a, c.b)}
    rules = {row: _rules(found) for row, found in of_rows.items()}
    if not any(rules.values()):
        return tuple(contrasts)
    looks: dict[frozenset[int | None], Mapping[tuple[str, str], Contrast]] = {}

    def at(a: str, b: str, seeds: Seeds) -> Contrast | None:
        key = frozenset(seeds)
        if key not in looks:
            looks[key] = {(c.a, c.b): c for c in again(lambda entry: cut(entry, key))}
        return looks[key].get((a, b))

    out = []
    for c in contrasts:
        outcomes = [e.outcomes for row in (c.a, c.b) for e in of_rows[row] if e.outcomes]
        of_pair = tuple(dict.fromkeys((*rules[c.a], *rules[c.b])))
        out.append(sequential(partial(at, c.a, c.b), c, common_seeds(outcomes), of_pair))
    return tuple(out)


def in_looks_of_pair(
    again: Callable[[Outcomes, Outcomes], Contrast],
    a: Outcomes,
    b: Outcomes,
    rules: Collection[LookRule],
) -> Contrast:
    """One contrast of two rows, as `in_looks` has them."""
    return sequential(
        lambda seeds: again(on_seeds(a, seeds), on_seeds(b, seeds)),
        again(a, b), common_seeds((a, b)), rules,
    )  # fmt: skip


def cut(entry: Entry, seeds: Seeds) -> Entry:
    """The entry on fewer seeds; without Records, so that it has no rule of its own."""
    if entry.outcomes is None or entry.estimate is None:
        return replace(entry, records=())
    outcomes = on_seeds(entry.outcomes, seeds)
    if not len(outcomes.correct_SN):
        return replace(entry, records=(), outcomes=None, estimate=None)
    mean = float(outcomes.correct_SN.mean())
    return replace(
        entry, records=(), outcomes=outcomes, estimate=replace(entry.estimate, mean=mean)
    )


def _rules(entries: Iterable[Entry]) -> tuple[LookRule, ...]:
    """Deterministic rows have one run, under no rule."""
    return rules_of([record for entry in entries for record in entry.records])
