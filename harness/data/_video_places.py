"""Where the videos of lists are, their groups, and which of them cannot be opened."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.core.errors import DataError
from harness.core.problems import Problems
from harness.core.text_files import special
from harness.data._items import lines_hash
from harness.data._video_rows import Row, VideoLists, plain_path, safe

#: How many rows of a split are looked up to find where the videos are.
PROBED = 100


def located(
    base: Path, lists: VideoLists, root: str | None, problems: Problems
) -> tuple[Path, dict[str, list[Row]]]:
    """The folder of the videos (below `base` the option `root`, where it is given), and the rows of
    every split with paths as they are below it.

    Of the folders and layouts that the format allows, the one in which most videos are found.

    Raises DataError if there is no such folder, or no row.
    """
    folders = [base / root] if root else [base / f for f in lists.folders]
    if not folders[0].is_dir() and root:
        raise DataError(f"option root: there is no folder {folders[0]}")
    rows = {
        split: [
            _at(row, plain_path(row.path))
            for row in its_rows if safe(row, lists.source, problems)
        ]
        for split, its_rows in (("train", lists.train), ("test", lists.test))
    }  # fmt: skip
    probed = [row.path for split in rows.values() for row in split[:PROBED]]
    if not probed:
        problems.refuse()
        raise DataError(f"{lists.source} lists no video")

    def count(folder: Path, layout: Callable[[str], str]) -> int:
        return sum((folder / layout(each)).exists() for each in probed)

    # Of equals max takes the first, which is the likelier.
    folder, layout = max(
        ((folder, layout) for folder in folders for layout in lists.layouts),
        key=lambda candidate: count(*candidate),
    )
    return folder, {
        split: [_at(row, layout(row.path)) for row in its_rows] for split, its_rows in rows.items()
    }


def _at(row: Row, path: str) -> Row:
    return row if row.path == path else row._replace(path=path)


def grouped(row: Row, pattern: str | None, in_table: Mapping[str, str], problems: Problems) -> Row:
    """The row with its group: of the option `groups`, of groups.csv, or of the format."""
    if pattern is None:
        return row._replace(group=in_table[row.path]) if row.path in in_table else row
    if pattern == "none":
        return row._replace(group="")
    match = re.search(pattern, row.path)
    if match is None:
        problems.add("groups", f"option groups: {pattern!r} finds nothing in {row.path}")
    return row._replace(group=match[1] if match else "")


def manifest_of(root: Path, rows: Mapping[str, Sequence[Row]]) -> tuple[str, dict[str, str]]:
    """The hash of what is there, and what cannot be opened with the reason: '' where it is not
    there.
    """
    lines, wrong = [], {}
    prefix = os.path.join(root, "")  # noqa: PTH118 - a million Path objects take half a minute
    for split, its_rows in rows.items():
        for row in its_rows:
            try:
                size, reason = _size(prefix + row.path, row)
            except OSError:
                size, reason = None, ""
            if reason is not None:
                wrong[row.path] = reason
            if size is not None:
                lines.append(f"{split}|{row.path}|{size}|{row.label}|{row.group}")
    return lines_hash(lines), wrong


def _size(path: str, row: Row) -> tuple[int | None, str | None]:
    """The size of a video, or how many frames its folder should have; and why it cannot be opened.

    Raises OSError if it is not there.
    """
    if row.wrong:
        return None, row.wrong
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        if row.frames is None and (kind := special(path)):
            return None, kind  # a link that leads nowhere
        raise
    if row.frames is not None:
        return row.frames, None if stat.S_ISDIR(found.st_mode) else ""
    if stat.S_ISREG(found.st_mode):
        return found.st_size, None
    return None, special(path)  # opening a FIFO would block
