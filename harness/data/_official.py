"""Counting a data set, and what its authors say there should be (official.json, with sources)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.problems import and_more
from harness.core.protocols.dataset import Dataset

OFFICIAL_FILE = Path(__file__).with_name("official.json")


def official() -> dict[str, dict[str, Any]]:
    """The official counts with their source, by the name of the data set."""
    known: dict[str, dict[str, Any]] = json.loads(OFFICIAL_FILE.read_text(encoding="utf-8"))
    return known


@dataclass(frozen=True)
class Count:
    """One split: how many items are listed, and how many of every class are there."""

    listed: int
    missing: int
    per_class: Mapping[str, int]

    @property
    def there(self) -> int:
        """Items that are listed and are there."""
        return self.listed - self.missing

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "listed": self.listed, "there": self.there, "missing": self.missing,
            "per_class": dict(self.per_class),
        }  # fmt: skip


def count(data: Dataset, missing: Collection[str]) -> dict[str, Count]:
    """The splits train and test; `missing` are items that are listed and are not there."""
    counts = {}
    missing = set(missing)
    for use, items in (("train", data.train), ("test", data.test)):
        per_class = dict.fromkeys(data.classes, 0)
        for item, label in zip(items.ids, items.labels.tolist(), strict=True):
            per_class[data.classes[label]] += item not in missing
        lacking = sum(item in missing for item in items.ids)
        counts[use] = Count(len(items.ids), lacking, per_class)
    return counts


def differences(
    counts: Mapping[str, Count], known: Mapping[str, Any], split: int
) -> tuple[list[str], list[str]]:
    """(problems, remarks) of what differs from the official counts.

    Fewer than there should be is a remark where a data set is known to lose items.
    """
    problems: list[str] = []
    remarks: list[str] = []
    classes = len(counts["train"].per_class)
    if classes != known["classes"]:
        problems.append(f"{classes} classes; officially {known['classes']}")
    for use, seen in counts.items():
        if use == "train" and seen.listed == 0:
            remarks.append("there is no training split")
            continue
        where = remarks if known["loses_items"] else problems
        official_count = known["splits"][str(split)][use]
        if official_count is not None and seen.there != official_count:
            target = problems if seen.there > official_count else where
            target.append(f"{use}: {seen.there} items; officially {official_count}")
        low, high = known["per_class"].get(use, (0, None))
        few = {name: n for name, n in seen.per_class.items() if n < low}
        many = {name: n for name, n in seen.per_class.items() if high is not None and n > high}
        if few:
            where.append(f"{use}: {len(few)} classes have fewer than {low} items: {_some(few)}")
        if many:
            problems.append(f"{use}: {len(many)} classes have more than {high} items: "
                            + _some(many))  # fmt: skip
    return problems, remarks


def without_items(counts: Mapping[str, Count]) -> list[str]:
    """Problems of one class alone, and of classes that have no item in a split."""
    names = list(counts["test"].per_class)
    problems = []
    if len(names) == 1:
        problems.append(f"'{names[0]}' is the only class: the accuracy would always be 100")
    if not counts["test"].listed:
        problems.append("there is no test split: only another data set can be tested")
    for use, seen in counts.items():
        empty = [name for name, n in seen.per_class.items() if n == 0]
        if seen.listed and empty:
            problems.append(f"{use}: {len(empty)} classes have no item: {and_more(empty)}")
    return problems


def _some(classes: Mapping[str, int]) -> str:
    """The classes with the fewest items, and how many these are."""
    first: Sequence[tuple[str, int]] = sorted(classes.items(), key=lambda c: (c[1], c[0]))[:5]
    return ", ".join(f"{name} {n}" for name, n in first) + (", ..." if len(classes) > 5 else "")
