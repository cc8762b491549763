"""What the datasets library passes over in a folder of pictures without a word."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.data._listing import Listing, listing


def passed_over(argument: str, used: Iterable[Any], unused: Iterable[Any]) -> Listing:
    """The files below the folder `argument` that are no rows, as they are special or of other
    kinds; of nothing if the pictures of the data set are not files in that folder.

    `used` and `unused` are columns of pictures (structs of bytes and path) of splits that are read
    and that are not; what lies beside the pictures of the latter is not looked at.

    Raises DataError if a folder cannot be read.
    """
    root = Path(argument).expanduser().resolve()
    used_tops = _tops(root, used)
    if not used_tops:
        return Listing()
    from datasets.packaged_modules.imagefolder.imagefolder import ImageFolder

    content = listing(root, frozenset(ImageFolder.EXTENSIONS))
    skipped = _tops(root, unused) - used_tops
    return content.without(lambda path: path.relative_to(root).parts[0] in skipped)


def _tops(root: Path, columns: Iterable[Any]) -> set[str]:
    """The first parts of paths below `root`, of pictures that are files."""
    import pyarrow.compute as pc

    tops = set()
    for column in columns:
        paths = column.filter(pc.is_null(pc.struct_field(column, "bytes")))
        for path in pc.struct_field(paths, "path").to_pylist():
            if path and Path(path).is_relative_to(root):
                tops.add(Path(path).relative_to(root).parts[0])
    return tops
