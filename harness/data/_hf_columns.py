"""Columns of tables that the datasets library reads: pictures, labels, groups, and their hashes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.identity import Identity, identity
from harness.data._hf_messages import among, guarded, listed

#: Bytes at the end of a picture that its part of the manifest holds, beside its length: cheap.
TAIL = 64


def pictures(table: Any, column: str, shown: str) -> Any:
    """The column as structs of bytes and path, nothing decoded.

    Raises DataError if there is no such column, or it holds no pictures.
    """
    import datasets

    among(column, table.column_names, f"{shown}: image: column")
    kind = table.features[column]
    encoded = isinstance(kind, Mapping) and "bytes" in kind
    plain = isinstance(kind, datasets.Value) and kind.dtype in ("binary", "large_binary")
    if not (isinstance(kind, datasets.Image) or encoded or plain):
        able = [n for n, k in table.features.items() if isinstance(k, datasets.Image)]
        raise DataError(
            f"{shown}: image: column '{column}' holds {_kind(kind)}, no pictures; columns of "
            f"pictures: {listed(able) or 'none'}"
        )
    alone = table.select_columns([column])
    undecoded = guarded(
        shown, lambda: alone.cast_column(column, datasets.Image(decode=False)).with_format("arrow")
    )
    return undecoded[:][column]


@dataclass(frozen=True)
class Labels:
    """Class names, and that of every row."""

    classes: Sequence[str]
    of: Mapping[str, Sequence[str]]  # split -> class name of every row
    notes: tuple[str, ...] = ()


def labels_of(tables: Mapping[str, Any], column: str, shown: str) -> Labels:
    """Class names, and that of every row.

    Raises DataError if a split lacks the column or a label, or the splits do not match.
    """
    import datasets

    kinds, values = {}, {}
    for name, table in tables.items():
        among(column, table.column_names, f"{shown}: label: column")
        kinds[name] = table.features[column]
        values[name] = table.select_columns([column]).with_format("arrow")[:][column].to_pylist()
    what = {name: _kind(kind) for name, kind in kinds.items()}
    if len(set(what.values())) > 1:
        both = ", ".join(f"{kind} in split '{name}'" for name, kind in what.items())
        raise DataError(f"{shown}: label: the splits do not match: {both}")
    kind = next(iter(kinds.values()))
    named = isinstance(kind, datasets.ClassLabel)
    if not named and _kind(kind) not in ("strings", "integers"):
        raise DataError(
            f"{shown}: label: column '{column}' holds {_kind(kind)}; allowed: ClassLabel, "
            "strings, integers"
        )
    for name, labels in values.items():
        _refuse_missing(labels, len(kinds[name].names) if named else None, name, shown)
    if named:
        return _of_class_labels(kinds, values, shown)
    of = {name: [str(label) for label in labels] for name, labels in values.items()}
    known = set(next(iter(of.values())))  # of the training split, where there is one
    for name, labels in of.items():
        for label in labels:
            if label not in known:
                raise DataError(
                    f"{shown}: label: the splits do not match: '{label}' of split '{name}' is "
                    f"not a label of split '{next(iter(of))}'; allowed: {listed(sorted(known))}"
                    + did_you_mean(nearest(label, known))
                )
    return Labels(sorted(known, key=int if _kind(kind) == "integers" else None), of)


def _of_class_labels(
    kinds: Mapping[str, Any], values: Mapping[str, Sequence[int]], shown: str
) -> Labels:
    """Labels by name: two splits may number the same names in another order."""
    first, *others = kinds
    names = list(kinds[first].names)
    for other in others:
        in_one_alone = sorted(set(names) ^ set(kinds[other].names))
        if in_one_alone:
            name = in_one_alone[0]
            where, elsewhere = (first, other) if name in names else (other, first)
            raise DataError(
                f"{shown}: label: the splits do not match: '{name}' of split '{where}' is "
                f"not a class of split '{elsewhere}'; allowed: {listed(kinds[elsewhere].names)}"
                + did_you_mean(nearest(name, kinds[elsewhere].names))
            )
    of = {
        split: [kinds[split].names[v].replace("_", " ") for v in labels]
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


def _refuse_missing(labels: Sequence[Any], names: int | None, split: str, shown: str) -> None:
    """Raises DataError for a row without a label; hidden test labels are published as -1."""
    for row, label in enumerate(labels):
        if label is None or label == "" or (names is not None and not 0 <= label < names):
            what = "has no label" if names is None or label in (None, -1) else f"is {label}"
            raise DataError(
                f"{shown}: label: row {row} of split '{split}' {what}"
                + (" (hidden test labels are published as -1)" if label == -1 else "")
            )


def groups_of(table: Any, column: str | None, shown: str) -> list[str]:
    """The group of every row; '' where there is none.

    Raises DataError if there is no such column.
    """
    if column is None:
        return [""] * len(table)
    among(column, table.column_names, f"{shown}: group: column")
    values = table.select_columns([column]).with_format("arrow")[:][column].to_pylist()
    return ["" if v is None else str(v) for v in values]


def contents_of(column: Any) -> list[str]:
    """Of every picture its size and its last bytes, or the name of its file: the same in every
    process, and cheap.
    """
    import pyarrow.compute as pc

    encoded = pc.struct_field(column, "bytes")
    sizes = pc.binary_length(encoded).to_pylist()
    tails = pc.binary_slice(encoded, -TAIL).to_pylist()
    if None not in sizes:
        return [f"{size}|{tail.hex()}" for size, tail in zip(sizes, tails, strict=True)]
    paths = pc.struct_field(column, "path").to_pylist()
    return [
        f"{_size(path)}|{Path(path or '').name}" if size is None else f"{size}|{tail.hex()}"
        for size, tail, path in zip(sizes, tails, paths, strict=True)
    ]


def _size(path: str | None) -> int | None:
    try:
        return Path(path).stat().st_size if path else None
    except OSError:  # not there: an error when it is read
        return None


def address_of(tables: Mapping[str, Any], columns: Mapping[str, Any]) -> list[tuple[str, Identity]]:
    """Every file that pictures are read from, with what says that it is still the same."""
    import pyarrow.compute as pc

    files = {entry["filename"] for table in tables.values() for entry in table.cache_files}
    for column in columns.values():
        files |= {p for p in pc.struct_field(column, "path").to_pylist() if p}
    # Where there are bytes, the path is only a name and no file.
    return [(name, identity(name)) for name in sorted(files) if Path(name).is_file()]


def _kind(kind: Any) -> str:
    """What a column holds, as a reader calls it."""
    if type(kind).__name__ != "Value":
        return type(kind).__name__
    if kind.dtype in ("string", "large_string"):
        return "strings"
    return "integers" if re.match(r"u?int\d+$", kind.dtype) else str(kind.dtype)
