"""Leakage: test items that are also in a support set, counted per cell and named in notes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from harness.core.cells import Choice
from harness.plan.resolve import ResolvedCell
from harness.run.alike import Alike

#: The fingerprint of an item of a cell's data set, or of its test set.
Fingerprint = Callable[[Choice, str], str]
MOST_NAMED = 5


@dataclass(frozen=True)
class Leakage:
    """How many test items of a cell (by key) are also in its support set, and a note for every pair
    of datasets that shares items; with the warnings of a cell's Record.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: The warnings of a cell once it has been tested, with what was read for it alone.
    tested: Callable[[ResolvedCell], tuple[str, ...]] = lambda _: ()


def find_leakage(
    cells: Iterable[ResolvedCell], fingerprint: Fingerprint, alike: Alike | None = None
) -> Leakage:
    """Count test items with the fingerprint of a support item; their names may differ."""
    alike = alike or Alike()
    counts: dict[str, int] = {}
    tested: dict[tuple[Choice, int], dict[str, list[str]]] = {}
    shared: dict[tuple[Choice, Choice], dict[str, None]] = {}
    for resolved in cells:
        cell = resolved.cell
        other = cell.test_dataset or cell.dataset
        if resolved.support is None:
            counts[resolved.key] = 0
            continue
        sets = alike.of(resolved)
        test_set = (other, id(sets.test))
        if test_set not in tested:
            tested[test_set] = _by_fingerprint(other, sets.test.items, fingerprint)
        items = sets.support.items if sets.support else ()
        trained = _by_fingerprint(cell.dataset, items, fingerprint)
        leaked = [item for print_ in trained for item in tested[test_set].get(print_, ())]
        counts[resolved.key] = len(leaked)
        shared.setdefault((cell.dataset, other), {}).update(dict.fromkeys(leaked))
    notes = tuple(_note(*pair, sorted(items)) for pair, items in shared.items() if items)
    return Leakage(counts, notes)


def _note(dataset: Choice, other: Choice, items: list[str]) -> str:
    more = ", ..." if len(items) > MOST_NAMED else ""
    return (
        f"test items of {other} that are also in a support set of {dataset}, byte for byte: "
        f"{len(items)} ({', '.join(items[:MOST_NAMED])}{more})"
    )


def _by_fingerprint(
    choice: Choice, items: Iterable[str], fingerprint: Fingerprint
) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for item in items:
        grouped.setdefault(fingerprint(choice, item), []).append(item)
    return grouped
