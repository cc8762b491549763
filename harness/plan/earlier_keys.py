"""Records from before keys held the bytes of the data: which cells of a plan have one.

Their keys hold names and sizes of the researcher's data (`of_manifest`); the rest is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.core.cells import Cell
from harness.core.errors import BadInput
from harness.core.store import Store
from harness.plan.catalogue import Catalogue
from harness.plan.keys import content_hashes, keys_of_row, of_bytes, of_manifest, used_items
from harness.plan.resolve import ResolvedCell, Setup


@dataclass(frozen=True)
class Earlier:
    """A cell, the keys that it had before, and the data of which those held names and sizes."""

    resolved: ResolvedCell
    key: str
    train_key: str
    data: tuple[str, ...]


def earlier_records(cells: Iterable[ResolvedCell], store: Store, where: str) -> list[Earlier]:
    """Those of the cells that have a done Record under their earlier key."""
    wanted = list(cells)
    if not wanted or not any(store.root.glob("cells/*/*.json")):
        return []  # names and sizes of a large data set take a while to list
    found = list(_earlier(wanted, where))
    statuses = store.statuses(each.key for each in found)
    return [each for each in found if statuses.get(each.key) == "done"]


def _earlier(cells: Sequence[ResolvedCell], where: str) -> Iterator[Earlier]:
    """The cells whose key was another."""
    rows: dict[tuple[Cell, int], list[ResolvedCell]] = {}
    for resolved in cells:
        row = (replace(resolved.cell, seed=None), id(resolved.setup))
        rows.setdefault(row, []).append(resolved)
    hashes = Catalogue()
    for (cell, _), of_row in rows.items():
        setup = of_row[0].setup
        try:
            data = _hashed_otherwise(cell, setup)
            if not data:
                continue
            training, evaluation = content_hashes(cell, setup, hashes, where, of_manifest)
        except (OSError, BadInput):
            continue  # the sizes of items that no cell uses are in the earlier keys as well
        keys = keys_of_row(cell, [r.cell.seed for r in of_row], training, evaluation)
        for resolved, (key, train_key) in zip(of_row, keys, strict=True):
            yield Earlier(resolved, key, train_key, data)


def _hashed_otherwise(cell: Cell, setup: Setup) -> tuple[str, ...]:
    """The data of a cell of which keys hold something else now."""
    trained_on, tested_on = used_items(cell, setup)
    data = (
        (cell.dataset, setup.dataset, trained_on),
        (cell.test_dataset or cell.dataset, setup.test_dataset, tested_on),
    )
    other = (str(c) for c, d, used in data if of_bytes(d, used) != of_manifest(d, used))
    return tuple(dict.fromkeys(other))


def note_on_earlier(earlier: Sequence[Earlier], command: str) -> str:
    """The note of a plan on Records that `command` would take over."""
    data = ", ".join(dict.fromkeys(name for each in earlier for name in each.data))
    one = len(earlier) == 1
    records, are = ("Record", "is") if one else ("Records", "are")
    them, they_are = ("it", "it is") if one else ("them", "they are")
    return (
        f"{len(earlier)} {records} of this task {are} under the size-based key of {data}, from "
        "before keys held the bytes; if the data have not changed since, "
        f"`{command}` takes {them} over; else {they_are} run again"
    )
