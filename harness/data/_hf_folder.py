"""What the datasets library passes over in a folder of pictures without a word."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.data._listing import Listing, listing

#: In a path that a Path would write otherwise.
UNUSUAL = re.compile(r"//|/\./|/\.?$")


def passed_over(argument: str, used: Iterable[Any], unused: Iterable[Any]) -> Listing:
    """The files below the folder `argument` that are rows of no split: pictures, special files and
    files of other kinds. Of nothing if the pictures of the data set are not files in that folder.

    `used` and `unused` are columns of pictures (structs of bytes and path) of splits that are read
    and that are not; special files and other kinds beside the pictures of the latter are left out.
    `unused` is only iterated over where it is needed.

    Raises DataError if a folder cannot be read.
    """
    root = Path(argument).expanduser().resolve()
    read = _files_below(root, used)
    if not read:
        return Listing(root)
    not_read = _files_below(root, unused)
    from datasets.packaged_modules.imagefolder.imagefolder import ImageFolder

    content = listing(root, frozenset(ImageFolder.EXTENSIONS))
    skipped = _tops(not_read) - _tops(read)

    def counts(path: Path) -> bool:
        return path.relative_to(root).parts[0] not in skipped

    return Listing(
        root,
        [name for name in content.names
         if name not in read and name not in not_read and _top(name) not in skipped],
        {path: kind for path, kind in content.special.items() if counts(path)},
        {path: kind for path, kind in content.other.items() if counts(path)},
    )  # fmt: skip


def _files_below(root: Path, columns: Iterable[Any]) -> set[str]:
    """The files below `root`, relative to it, that pictures of these columns are read from."""
    import pyarrow.compute as pc

    prefix = os.path.join(root, "")  # noqa: PTH118 - a million Path objects take half a minute
    files = set()
    for column in columns:
        rows = column.filter(pc.is_null(pc.struct_field(column, "bytes")))
        for path in pc.struct_field(rows, "path").to_pylist():
            plain = path if not path or not UNUSUAL.search(path) else str(Path(path))
            if plain and plain.startswith(prefix):
                files.add(plain[len(prefix) :])
    return files


def _tops(names: Iterable[str]) -> set[str]:
    """The first parts of relative paths."""
    return {_top(name) for name in names}


def _top(name: str) -> str:
    return name.partition("/")[0]
