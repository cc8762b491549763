"""The classes of samples in shards: their names, and which label means which."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.problems import Problems
from harness.data._items import tell_duplicate_names
from harness.data._shard_files import is_there, read_small
from harness.data._shard_lists import is_absolute

CLASS_NAMES = "classnames.txt"
NUMBER = re.compile(r"-?\d+", re.ASCII)


def class_names(base: str, file: str | None) -> list[str]:
    """Those of the option classes, or of classnames.txt beside the shards; [] without either. A
    relative path begins at `base`.

    Raises DataError for a file that is not there or cannot be read.
    """
    name = file or CLASS_NAMES
    place = name if is_absolute(name) else base + name
    if not is_there(place):
        if file:
            raise DataError(f"option classes: there is no file {place}")
        return []
    try:
        lines = read_small(place).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{place} is not UTF-8") from error
    names = [line.strip() for line in lines]
    while names and not names[-1]:
        names.pop()
    if "" in names:
        raise DataError(
            f"{place}, line {names.index('') + 1} is empty, and lines count the classes"
        )
    return names


def classes_of(
    names: Sequence[str], first: Mapping[str, str], reference: str, problems: Problems
) -> tuple[tuple[str, ...], dict[str, int]]:
    """The class names, and the class of every label. `first` is a sample of each.

    Raises DataError for numbers without names.
    """
    tell_duplicate_names(names, f"the class names of {reference}", problems)
    # Of numbers some may be wrong, as -1 is; names may be numbers too, where all are known.
    if all(NUMBER.fullmatch(label) for label in first) and not {*first} <= {*names}:
        if not names:
            raise DataError(
                f"dataset {reference}: labels are numbers, and there is no {CLASS_NAMES} beside "
                "the shards: name a file of class names, one a line, with the option classes"
            )
        index = {label: int(label) for label in first if 0 <= int(label) < len(names)}
    elif names:
        index = {name: c for c, name in enumerate(names) if name in first}
    else:
        names = sorted(first)
        tell_duplicate_names(names, f"the labels of {reference}", problems)
        index = {label: c for c, label in enumerate(names)}
    for label, item in first.items():
        if label not in index:
            close = did_you_mean(nearest(label, names))
            known = (
                f"the numbers 0 to {len(names) - 1}" if NUMBER.fullmatch(label) else "no such name"
            )
            problems.add("label", f"sample {item} of {reference} has the label '{label}'; the "
                         f"class names have {known}{close}")  # fmt: skip
    return tuple(names), index
