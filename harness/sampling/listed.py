"""Support sets of a published list (`support: {file: PATH}`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.problems import Problems
from harness.core.protocols.dataset import Dataset
from harness.core.published_lists import Entry, ItemsByPath, read_list
from harness.core.samples import SupportSet


def list_path(pattern: str, shots: int, seed: int | None) -> Path:
    """PATH with its placeholders {shots} and {seed} filled in."""
    filled = pattern.replace("{shots}", str(shots)).replace("{seed}", str(seed))
    return Path(filled).expanduser()


def listed_support(
    dataset: Dataset, classes: Sequence[int], path: Path, shots: int, seed: int | None
) -> SupportSet:
    """The samples of `classes` that the list trains on, in its order. Labels count from 0 in the
    order of `classes`. Items that were left out of the data set as damaged are left out.

    Raises DataError for a list with an entry that is not in the train split, is of an unknown or
    another class or is listed twice, and for a class of `classes` without min(K, n) of its n
    samples.
    """
    entries = read_list(path).get("train", ())
    listed = dataset.listed("train")
    class_of = dict(zip(listed.ids, listed.labels.tolist(), strict=True))
    items = _items(entries, dataset.classes, class_of, path)
    _check_counts(items, dataset.classes, classes, class_of, (path, shots))
    label_of = {c: label for label, c in enumerate(classes)}
    there = set(dataset.train.ids)
    kept = [i for i in items if class_of[i] in label_of and i in there]
    return SupportSet(tuple(kept), tuple(label_of[class_of[i]] for i in kept), seed)


def _items(
    entries: Sequence[Entry], names: Sequence[str], class_of: Mapping[str, int], path: Path
) -> list[str]:
    by_path = ItemsByPath(class_of)
    known = {_key(name): c for c, name in enumerate(names)}
    problems = Problems(str(path))
    items: dict[str, None] = {}
    for entry in entries:
        item = by_path.of(entry.path)
        what = f"{entry.where} ({entry.path})"
        if item is None:
            problems.add("item", f"{what}: there is no such item in the train split")
        elif (c := known.get(_key(entry.name))) is None:
            close = did_you_mean(nearest(entry.name, names))
            problems.add("class", f"{what}: there is no class '{entry.name}'{close}")
        elif c != class_of[item]:
            problems.add(
                "label", f"{what} is of class '{entry.name}' there and of "
                f"'{names[class_of[item]]}' in the dataset",
            )  # fmt: skip
        elif item in items:
            problems.add("twice", f"{what} is listed before")
        else:
            items[item] = None
    problems.refuse()
    return list(items)


def _check_counts(
    items: Sequence[str],
    names: Sequence[str],
    classes: Sequence[int],
    class_of: Mapping[str, int],
    where: tuple[Path, int],
) -> None:
    path, shots = where
    listed, available = Counter(class_of[item] for item in items), Counter(class_of.values())
    wrong = [
        f"'{names[c]}' {listed[c]} (expected: {expected})"
        for c in classes
        if listed[c] != (expected := min(shots, available[c]))
    ]
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise DataError(
            f"{path} does not list {shots} samples of every class: {', '.join(wrong[:5])}{more}"
        )


def _key(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())
