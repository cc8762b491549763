"""Pairs of rows with other numbers of seeds: their difference is over the seeds that both have."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.outcomes import Contrast
from harness.report.model.entry import Entry
from harness.report.text.counts import counted
from harness.report.text.prose import escape, listing

#: A contrast with the entries of its rows a and b.
Pair = tuple[Contrast, Entry, Entry]


def shared_seeds(pairs: Iterable[Pair]) -> list[str]:
    """A sentence for every row whose differences are over fewer seeds than the means of the others.

    A reader who subtracts these means does not get the difference.
    """
    others: dict[tuple[str, int, bool], dict[str, int]] = {}
    for c, a, b in pairs:
        longer = {row: e.seeds_done for row, e in ((c.a, a), (c.b, b)) if e.seeds_done > c.seeds}
        if not longer or not c.seeds:  # without common seeds the contrast says so itself
            continue
        row = c.b if c.b not in longer else c.a
        others.setdefault((row, c.seeds, row in longer), {}).update(longer)
    return [_sentence(*key, longer) for key, longer in others.items()]


def _sentence(row: str, seeds: int, has_more: bool, longer: dict[str, int]) -> str:
    of_pair = counted([seeds], "seed")
    which = f"the {of_pair} that both rows have" if has_more else f"its {of_pair}"
    one = len(longer) == 1
    return (
        f"Differences of {escape(row)} are over {which}, and the {'mean' if one else 'means'} of "
        f"{listing([escape(name) for name in longer])} over {counted(longer.values(), 'seed')}: "
        f"they are not differences of the means of the rows."
    )
