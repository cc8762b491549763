"""What the datasets library passes over in a folder of pictures without a word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.data._listing import Listing, listing


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
        return Listing()
    not_read = _files_below(root, unused)
    from datasets.packaged_modules.imagefolder.imagefolder import ImageFolder

    content = listing(root, frozenset(ImageFolder.EXTENSIONS))
    rows = read | not_read
    content = replace(content, files=[path for path in content.files if path not in rows])
    skipped = _tops(root, not_read) - _tops(root, read)
    return content.without(lambda path: path.relative_to(root).parts[0] in skipped)


def _files_below(root: Path, columns: Iterable[Any]) -> set[Path]:
    """The files below `root` that pictures of these columns are read from."""
    import pyarrow.compute as pc

    files = set()
    for column in columns:
        rows = column.filter(pc.is_null(pc.struct_field(column, "bytes")))
        files |= {Path(path) for path in pc.struct_field(rows, "path").to_pylist() if path}
    return {path for path in files if path.is_relative_to(root)}


def _tops(root: Path, files: Iterable[Path]) -> set[str]:
    """The first parts of paths below `root`."""
    return {path.relative_to(root).parts[0] for path in files}
