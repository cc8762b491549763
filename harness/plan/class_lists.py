"""The classes that a cell trains on and those that it is tested on, compared by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.core.errors import DataError
from harness.sampling.class_names import SameName, name_key, same_names

#: How many classes a message names.
NAMED = 20


@dataclass(frozen=True)
class ClassList:
    """Classes of a data set, ascending: indices into it, and names.

    Of classes that are trained on while others are tested: `shared` are those that are tested under
    the same name, and `left_out` those that `exclude_shared` left out for that reason.
    """

    indices: tuple[int, ...]
    names: tuple[str, ...]
    shared: tuple[SameName, ...] = ()
    left_out: tuple[str, ...] = ()


def compared(trained: ClassList, tested: ClassList, *, exclude: bool) -> ClassList:
    """`trained` with what it shares with `tested`; without it if `exclude`.

    Raises DataError if no class would be left.
    """
    shared = same_names(trained.names, tested.names)
    if not shared or not exclude:
        return replace(trained, shared=shared)
    barred = {name_key(name.tested) for name in shared}
    pairs = list(zip(trained.indices, trained.names, strict=True))
    kept = [pair for pair in pairs if name_key(pair[1]) not in barred]
    left_out = tuple(name for _, name in pairs if name_key(name) in barred)
    if not kept:
        raise DataError(
            f"exclude_shared: would leave no class to train on, as all {len(left_out)} are tested: "
            f"{named(left_out)}"
        )
    return ClassList(tuple(c for c, _ in kept), tuple(name for _, name in kept), (), left_out)


def rows_among(trained: Sequence[str], tested: Sequence[str]) -> tuple[int, ...] | None:
    """The number of every tested class among the trained classes: that of the same spelling, or
    else of the same name. None if some class was not trained on.

    Raises DataError if names do not say which class is meant.
    """
    spelt = {name: i for i, name in enumerate(trained)}
    by_key: dict[str, list[int]] = {}
    for i, name in enumerate(trained):
        by_key.setdefault(name_key(name), []).append(i)
    found = [[spelt[name]] if name in spelt else by_key.get(name_key(name), []) for name in tested]
    if not all(found):
        return None
    owners: dict[int, str] = {}
    for name, rows in zip(tested, found, strict=True):
        if len(rows) > 1:
            both = " or ".join(f"'{trained[i]}'" for i in rows)
            raise DataError(f"the tested class '{name}' may be {both}, which are trained on")
        if rows[0] in owners:
            problem = f"the tested classes '{owners[rows[0]]}' and '{name}' are both named like"
            raise DataError(f"{problem} '{trained[rows[0]]}', which is trained on")
        owners[rows[0]] = name
    return tuple(rows[0] for rows in found)


def named(classes: Sequence[object]) -> str:
    """The first classes of a list, and how many more there are."""
    more = f", and {len(classes) - NAMED} more" if len(classes) > NAMED else ""
    return ", ".join(str(c) for c in classes[:NAMED]) + more
