"""`recipe.by`: which of its entries change the recipe of a row.

An entry is named by a tuned part, a paradigm or a classifier, or by several of them, joined by `/`
in any order: `head/text`. It changes the rows that have all its names. Of two entries that set the
same key the one with more names wins, and of two that differ only in naming the paradigm or the
classifier the one with the classifier. Any other two that set one key of a row are an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from harness.core.cells import Choice
from harness.core.errors import TaskError
from harness.task.schema import RecipeModel

#: Joins the names of an entry.
AND = "/"


def names_of(entry: str) -> frozenset[str]:
    """The names that a row must have."""
    return frozenset(entry.split(AND))


def names_of_row(tuning: str, paradigm: Choice | None, classifier: Choice | None) -> dict[str, str]:
    """The names that a row has, by the key of the task that they are values of."""
    named = {"paradigm": paradigm, "classifier": classifier}
    return {"tuning": tuning} | {key: c.name for key, c in named.items() if c is not None}


def changes_of(recipe: RecipeModel, row: Mapping[str, str], key: str, where: str) -> dict[str, Any]:
    """Key of a recipe -> its values, for the keys that `recipe.by` sets for a row.

    `row` is that of `names_of_row`, `key` that of the recipe in messages.

    Raises TaskError for two entries that set the same key, neither of which is more specific.
    """
    matching = {e: c for e, c in recipe.by.items() if names_of(e) <= set(row.values())}
    setting: dict[str, list[str]] = {}
    for entry, changes in matching.items():
        for name in changes.model_fields_set:
            setting.setdefault(name, []).append(entry)
    found = {}
    for name, entries in setting.items():
        most = max(len(names_of(e)) for e in entries)
        longest = [e for e in entries if len(names_of(e)) == most]
        winners = [e for e in longest if all(e == o or _beats(e, o, row) for o in longest)]
        if not winners:
            raise _undecided(longest, name, row, key, where)
        found[name] = getattr(matching[winners[0]], name)
    return found


def _beats(a: str, b: str, row: Mapping[str, str]) -> bool:
    """Whether `a` is `b` with the classifier of the row in place of its paradigm."""
    only_a, only_b = names_of(a) - names_of(b), names_of(b) - names_of(a)
    return only_a == {row.get("classifier")} and only_b == {row.get("paradigm")}


def _undecided(
    entries: Sequence[str], name: str, row: Mapping[str, str], key: str, where: str
) -> TaskError:
    pairs = combinations(entries, 2)
    a, b = next((a, b) for a, b in pairs if not (_beats(a, b, row) or _beats(b, a, row)))
    both = names_of(a) | names_of(b)
    more = AND.join(value for value in row.values() if value in both)
    what = ", ".join(f"{axis} {value}" for axis, value in row.items())
    return TaskError(
        where, f"{key}.by",
        f"'{a}' and '{b}' both set {name} of rows with {what}, and neither is more specific: set "
        f"it in one of them only, or in '{more}' as well",
    )  # fmt: skip
