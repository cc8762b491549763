"""Columns of tables that the datasets library reads: pictures, groups, and their hashes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core.errors import DataError
from harness.core.identity import Identity, identity
from harness.core.problems import Problems
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
            f"{shown}: image: column '{column}' holds {kind_of(kind)}, no pictures; columns of "
            f"pictures: {listed(able) or 'none'}"
        )
    alone = table.select_columns([column])
    undecoded = guarded(
        shown, lambda: alone.cast_column(column, datasets.Image(decode=False)).with_format("arrow")
    )
    return undecoded[:][column]


def groups_of(table: Any, column: str | None, shown: str) -> list[str]:
    """The group of every row; '' where there is none.

    Raises DataError if there is no such column.
    """
    if column is None:
        return [""] * len(table)
    among(column, table.column_names, f"{shown}: group: column")
    values = table.select_columns([column]).with_format("arrow")[:][column].to_pylist()
    return ["" if v is None else str(v) for v in values]


def tell_repeated(column: Any, labels: Sequence[str], where: str, problems: Problems) -> None:
    """Tells a file that several rows of a split name, as a metadata.csv can, whatever their labels.

    Pictures that are bytes in their rows are compared by their pixels, as duplicates.
    """
    import pyarrow.compute as pc

    no_bytes = pc.is_null(pc.struct_field(column, "bytes")).to_pylist()
    if True not in no_bytes:
        return
    paths = pc.struct_field(column, "path").to_pylist()
    first: dict[str, int] = {}
    for row, (path, is_file) in enumerate(zip(paths, no_bytes, strict=True)):
        if not (path and is_file):
            continue
        before = first.setdefault(os.path.normpath(path), row)
        if before != row:
            names = " and ".join(f"'{n}'" for n in dict.fromkeys((labels[before], labels[row])))
            problems.add(
                "twice",
                f"{where}: {path} is listed twice, in rows {before} and {row}, as {names}",
            )


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


def kind_of(kind: Any) -> str:
    """What a column holds, as a reader calls it."""
    if type(kind).__name__ != "Value":
        return type(kind).__name__
    if kind.dtype in ("string", "large_string"):
        return "strings"
    return "integers" if re.match(r"u?int\d+$", kind.dtype) else str(kind.dtype)
