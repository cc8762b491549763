"""Labels of tables that the datasets library reads: all that is wrong with them in one error."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.problems import MOST, Problems, and_more
from harness.data._hf_columns import kind_of
from harness.data._hf_messages import among, listed
from harness.data._items import tell_duplicate_names


@dataclass(frozen=True)
class Labels:
    """Class names, and that of every row."""

    classes: Sequence[str]
    of: Mapping[str, Sequence[str]]  # split -> class name of every row
    notes: tuple[str, ...] = ()


def labels_of(tables: Mapping[str, Any], column: str, shown: str, problems: Problems) -> Labels:
    """Class names, and that of every row. Rows without a label, labels that only one split has and
    duplicate class names are told as `problems`; such rows have the class ''.

    Raises DataError if a split lacks the column, or its kinds do not match or are no labels.
    """
    kinds, values = {}, {}
    for name, table in tables.items():
        among(column, table.column_names, f"{shown}: label: column")
        kinds[name] = table.features[column]
        values[name] = table.select_columns([column]).with_format("arrow")[:][column].to_pylist()
    kind = _one_kind(kinds, column, shown)
    if kind == "ClassLabel":
        labels = _of_class_labels(kinds, values, shown, problems)
    else:
        labels = _of_texts(values, shown, problems, key=int if kind == "integers" else None)
    tell_duplicate_names(labels.classes, f"{shown}, column '{column}'", problems)
    return labels


def _one_kind(kinds: Mapping[str, Any], column: str, shown: str) -> str:
    """What the column holds in every split.

    Raises DataError if that differs, or is no labels.
    """
    what = {name: kind_of(kind) for name, kind in kinds.items()}
    if len(set(what.values())) > 1:
        both = ", ".join(f"{kind} in split '{name}'" for name, kind in what.items())
        raise DataError(f"{shown}: label: the splits do not match: {both}")
    kind = next(iter(what.values()))
    if kind not in ("ClassLabel", "strings", "integers"):
        raise DataError(
            f"{shown}: label: column '{column}' holds {kind}; allowed: ClassLabel, strings, "
            "integers"
        )
    return kind


def _of_texts(
    values: Mapping[str, Sequence[Any]],
    shown: str,
    problems: Problems,
    key: Callable[[str], int] | None,
) -> Labels:
    """Strings and integers. The training split, where there is one, has all classes."""
    of = {
        split: ["" if label is None else str(label) for label in labels]
        for split, labels in values.items()
    }
    for split, labels in of.items():
        _tell_missing(
            [row for row, label in enumerate(labels) if not label], split, shown, problems
        )
    first = next(iter(of))
    known = set(of[first]) - {""}
    for split, labels in of.items():
        unknown = sorted(set(labels) - known - {""})
        _tell_unknown(unknown, (split, first), known, "label", shown, problems)
    return Labels(sorted(known, key=key), of)


def _of_class_labels(
    kinds: Mapping[str, Any], values: Mapping[str, Sequence[int | None]], shown: str,
    problems: Problems,
) -> Labels:  # fmt: skip
    """Labels by name: two splits may number the same names in another order."""
    first, *others = kinds
    names = list(kinds[first].names)
    for other in others:
        for one, two in ((first, other), (other, first)):
            known = kinds[two].names
            unknown = [name for name in kinds[one].names if name not in set(known)]
            _tell_unknown(unknown, (one, two), known, "class", shown, problems)
    of = {
        split: _names_of(labels, kinds[split].names, split, shown, problems)
        for split, labels in values.items()
    }
    used = {name for labels in of.values() for name in labels}
    spaced = [name.replace("_", " ") for name in names]
    unused = [name for name in spaced if name not in used]
    notes: tuple[str, ...] = ()
    if unused:
        notes = (f"Classes that {shown} declares, left out as the splits used hold no picture of "
                 f"them: {len(unused)} ({listed(unused, 5)}).",)  # fmt: skip
    return Labels([name for name in spaced if name in used], of, notes)


def _names_of(
    labels: Sequence[int | None], names: Sequence[str], split: str, shown: str, problems: Problems
) -> list[str]:
    """The class name of every row; '' where there is none. Hidden test labels are published as
    -1.
    """
    missing = [row for row, label in enumerate(labels) if label in (None, -1)]
    hidden = " (hidden test labels are published as -1)" if -1 in labels else ""
    _tell_missing(missing, split, shown, problems, hidden)
    spaced = [name.replace("_", " ") for name in names]
    of = []
    for row, label in enumerate(labels):
        known = label is not None and 0 <= label < len(spaced)
        of.append(spaced[label] if known and label is not None else "")
        if not known and label not in (None, -1):
            problems.add(
                "number",
                f"{shown}: label: row {row} of split '{split}' is {label}; there are "
                f"{len(spaced)} classes, from 0",
            )
    return of


def _tell_missing(
    rows: Sequence[int], split: str, shown: str, problems: Problems, why: str = ""
) -> None:
    """One problem for all rows of a split: of hidden labels all are missing."""
    if len(rows) == 1:
        what = f"row {rows[0]} of split '{split}' has no label"
    else:
        what = f"{len(rows)} rows of split '{split}' have no label: {and_more(map(str, rows))}"
    if rows:
        problems.add("missing", f"{shown}: label: {what}{why}")


def _tell_unknown(
    names: Iterable[str], splits: tuple[str, str], known: Collection[str], what: str, shown: str,
    problems: Problems,
) -> None:  # fmt: skip
    """Labels, or classes, of the first of two splits that the second lacks."""
    unknown, (where, elsewhere) = list(names), splits
    # What is allowed is told once, and the nearest name only of those that will be told.
    allowed = f"; allowed: {listed(sorted(known))}" if len(unknown) == 1 else ""
    for n, name in enumerate(unknown):
        close = did_you_mean(nearest(name, known)) if n < MOST else ""
        problems.add(
            "splits",
            f"{shown}: label: the splits do not match: '{name}' of split '{where}' is not a "
            f"{what} of split '{elsewhere}'{allowed}{close}",
        )
