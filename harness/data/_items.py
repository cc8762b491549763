"""Items of splits, hashes over all of them, and names of classes."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from harness.core.problems import Problems, and_more
from harness.core.samples import Items

#: (id, index of the class, group or '') of every item of a split
Rows = list[tuple[str, int, str]]


def items_of(rows: Rows) -> Items:
    """A split. A row without a group is a group of its own."""
    groups_N = np.arange(len(rows))
    if any(group for _, _, group in rows):
        groups: dict[str, int] = {}
        numbers = (groups.setdefault(group or item, len(groups)) for item, _, group in rows)
        groups_N = np.fromiter(numbers, np.int64, len(rows))
    labels_N = np.fromiter((label for _, label, _ in rows), np.int64, len(rows))
    return Items(tuple(item for item, _, _ in rows), labels_N, groups_N)


def manifest(root: Path, rows: Iterable[tuple[str, str, str, str]]) -> str:
    """sha256 over split, relative path, size, label and group of every item.

    It is cheap, and the same wherever the folder is. `rows` are (split, path, label, group or '').

    Raises OSError for a file that is not there.
    """
    return lines_hash(
        f"{split}|{item}|{(root / item).stat().st_size}|{label}|{group}"
        for split, item, label, group in rows
    )


def lines_hash(lines: Iterable[str]) -> str:
    """sha256 over lines, whatever their order."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def unused_split_note(items: Items | None, reference: str, split: str) -> tuple[str, ...]:
    """The note of a report on a split that is neither trained on nor tested; () without items."""
    if items is None or not items.ids:
        return ()
    return (
        f"Pictures of {reference} in its split '{split}', which is neither trained on nor "
        f"tested: {len(items.ids)}.",
    )


def refuse_duplicate_names(names: Sequence[str], where: object) -> None:
    """Raises DataError for names that a text encoder would read as one.

    They differ in case, underscores or the form of a letter, and are almost always a slip.
    """
    problems = Problems(str(where))
    tell_duplicate_names(names, where, problems)
    problems.refuse()


def tell_duplicate_names(names: Sequence[str], where: object, problems: Problems) -> None:
    """Like `refuse_duplicate_names`, but tells them as problems."""
    seen: dict[str, str] = {}
    for name in names:
        one_form = unicodedata.normalize("NFKC", name).casefold()
        plain = " ".join(one_form.replace("_", " ").split())
        if plain in seen:
            both = f"'{seen[plain]}' and '{name}'"
            problems.add("names", f"duplicate class names in {where}: {both}")
        seen.setdefault(plain, name)


def shared_groups_note(
    train: Iterable[str], test: Iterable[str], reference: str
) -> tuple[str, ...]:
    """The note of a report on groups that are in train and in test: what was sampled together, as
    clips of one film, is tested after it was trained on. () without any; '' is no group.
    """
    shared = sorted({*train} & {*test} - {""})
    if not shared:
        return ()
    return (f"Groups of {reference} that are in train and in test: {len(shared)} "
            f"({and_more(shared)}).",)  # fmt: skip
